"""On the real engine: what the service would store readable is refused in the preview, and never shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.harness import Deployment

pytestmark = pytest.mark.engine

CANARY = "canary-4711"
PROGRAM = f"""
import pulumi
from pulumi_azure_native import resources

import foundry_agents as fa

given = pulumi.Config("given")
project = fa.FoundryProject.existing(endpoint=given.require("endpoint"), principal_id=given.require("principal"))
later = resources.ResourceGroup("later", resource_group_name="later", location="eastus2").id
fa.Toolbox(
    "keyed",
    project=project,
    tools=[
        fa.Mcp("docs", "https://x.example/mcp", headers={{"x-team": pulumi.Output.secret("{CANARY}")}}),
        fa.WebSearch(description=pulumi.Output.secret(later)),
    ],
)
"""


def test_a_secret_in_a_tool_stops_the_preview_with_one_readable_error(deploy: Callable[..., Deployment]) -> None:
    """Finding B5: known or not known yet, by its path, without its value and without a traceback."""
    here = deploy()
    (here.project.folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")

    refused = here.project.preview().failed().output

    assert '2 problems in toolbox "keyed-toolbox"' in refused
    for path in ("tools.docs.headers.x-team", "tools.web_search.description"):
        assert f"{path}: is a secret, and the service stores it readable: put it into a ProjectConnection" in refused
    assert CANARY not in refused
    assert "Traceback" not in refused
    assert here.writes() == []
