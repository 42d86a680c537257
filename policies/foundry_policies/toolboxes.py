"""Toolboxes: everyone with a role on the project can read their tools, so they must not contain a credential."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_policy import Severity

from foundry_agents.lifecycle.inputs.tool_credentials import credentials_in
from foundry_policies.rule import TOOLBOX, Rule, Seen, texts

_TOOL = "tool:"
"""Before the name of each tool among the inputs of a ToolboxVersion."""


def _credentials(seen: Seen) -> Iterator[str]:
    allowed = set(seen.config.get("allowed", ()))
    inputs = seen.known()
    tools = {name.removeprefix(_TOOL): tool for name, tool in inputs.items() if name.startswith(_TOOL)}
    said = {name: inputs.get(name) for name in ("description", "metadata")}
    for path, why in credentials_in({"tools": tools, **said}):
        if path not in allowed:
            yield f"{path} looks like a credential: {why}"


NO_SECRETS = Rule(
    "toolbox-without-secrets",
    "A toolbox contains no credential: everyone with a role on the project can read it.",
    Severity.CRITICAL,
    "put it into a connection of the project, fa.ProjectConnection.with_keys(…), and name that: connection=…; "
    "for a text that is not a credential, add its path to the rule's setting `allowed`",
    (TOOLBOX,),
    _credentials,
    {"allowed": texts("Paths of texts that are not credentials, as `tools.docs.headers.x-key`.")},
)
