"""An argument that must be a plain value, and is an Output, None, a text or a number, ends in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import foundry_agents as fa
from foundry_agents.resources._plugin.plain_arguments import KNOWN_IN_PREVIEWS
from tests.support.program import ENDPOINT, PRINCIPAL, run

Call = Callable[[Any], object]


def _project() -> fa.ExistingProject:
    return fa.FoundryProject.existing(
        endpoint=ENDPOINT,
        principal_id=PRINCIPAL,
        resource_id="/subscriptions/0/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a/projects/p",
    )


def _agent(**given: Any) -> fa.HostedAgent:
    image = fa.AgentImage.pinned(f"acme.io/support@sha256:{'a' * 64}")
    return fa.HostedAgent(**{"name": "support", "project": _project(), "image": image, **given})


def _new_project(**given: Any) -> fa.FoundryProject:
    return fa.FoundryProject(**{"name": "shop", "location": "eastus2", **given})


def _registry(**given: Any) -> fa.AgentRegistry:
    return fa.AgentRegistry(**{"name": "images", "pulled_by": _project(), "resource_group_name": "rg", **given})


def _existing_registry(**given: Any) -> fa.ExistingRegistry:
    return fa.AgentRegistry.existing(**{"name": "images", "login_server": "a.io", "resource_id": "/x", **given})


def _keys(**given: Any) -> fa.ProjectConnection:
    default = {"name": "github", "keys": {"token": "t"}, "project": _project(), "target": "https://x.test"}
    return fa.ProjectConnection.with_keys(**{**default, **given})


def _managed(**given: Any) -> fa.ProjectConnection:
    default = {"name": "search", "project": _project(), "target": "https://x.test"}
    return fa.ProjectConnection.with_managed_identity(**{**default, **given})


def _oauth(**given: Any) -> fa.ProjectConnection:
    plain = dict.fromkeys(("target", "client_id", "client_secret", "auth_url"), "https://x.test")
    return fa.ProjectConnection.with_oauth(**{"name": "crm", "project": _project(), **plain, **given})


def _toolbox(**given: Any) -> fa.Toolbox:
    return fa.Toolbox(**{"name": "shared", "project": _project(), "tools": [fa.WebSearch()], **given})


def _rollout(**given: Any) -> fa.AgentRollout:
    plain = {"resource_name": "r", "project_endpoint": ENDPOINT, "agent_name": "support", "version": "1"}
    return fa.AgentRollout(**{**plain, **given})


def _version(**given: Any) -> fa.HostedAgentVersion:
    return fa.HostedAgentVersion(
        **{"resource_name": "v", "project_endpoint": ENDPOINT, "agent_name": "support", "image": "x", **given}
    )


def _tools(**given: Any) -> fa.ToolboxVersion:
    plain = {"resource_name": "t", "project_endpoint": ENDPOINT, "toolbox_name": "shared", "tools": [{"type": "x"}]}
    return fa.ToolboxVersion(**{**plain, **given})


def _store(**given: Any) -> fa.VectorStore:
    return fa.VectorStore(**{"resource_name": "docs", "files": [__file__], "project": _project(), **given})


def _contract(**given: Any) -> fa.AgentContract:
    return fa.AgentContract.from_stack(**{"stack": "organization/agents/dev", **given})


def _exported(**given: Any) -> None:
    fa.export_contract(given.pop("project", None) or _project(), *given.pop("agents", ()), **given)


def _models(name: object) -> fa.FoundryProject:
    wrong: Any = name
    return _new_project(models=[fa.ModelDeployment(wrong)])


def _zones(zones: object) -> fa.FoundryProject:
    wrong: Any = zones
    return _new_project(private_endpoint=fa.PrivateEndpoint("/subnet", dns_zone_ids=wrong))


# Constructor, argument, and the types of the values below that are right for it.
ROWS: dict[str, tuple[Callable[..., object], str, tuple[type, ...]]] = {
    f"{make.__name__[1:]} {argument}": (make, argument, right)
    for make, argument, right in (
        (_new_project, "name", (str,)),
        (_new_project, "models", ()),
        (_new_project, "app_insights", (type(None),)),
        (_new_project, "public_access", ()),
        (_new_project, "allowed_ips", ()),
        (_new_project, "private_endpoint", (type(None),)),
        (_registry, "name", (str,)),
        (_registry, "pulled_by", ()),
        (_registry, "permissions", ()),
        (_registry, "public_access", ()),
        (_registry, "connect", ()),
        (_registry, "grants", ()),
        (_registry, "private_endpoint", (type(None),)),
        (_existing_registry, "name", (str,)),
        (_existing_registry, "pulled_by", ()),
        (_existing_registry, "permissions", ()),
        (_existing_registry, "connect", ()),
        (_keys, "name", (str,)),
        (_keys, "keys", ()),
        (_keys, "project", ()),
        (_managed, "name", (str,)),
        (_managed, "project", ()),
        (_oauth, "name", (str,)),
        (_oauth, "project", ()),
        (_toolbox, "name", (str,)),
        (_toolbox, "project", ()),
        (_toolbox, "tools", ()),
        (_agent, "name", (str,)),
        (_agent, "project", ()),
        (_agent, "image", ()),
        (_agent, "code", (type(None),)),
        (_agent, "tier", (type(None),)),
        (_agent, "rollout", (type(None),)),
        (_agent, "environment", (type(None),)),
        (_agent, "tools", (type(None),)),
        (_agent, "grant_toolbox_role", ()),
        (_rollout, "resource_name", (str,)),
        (_rollout, "rollout", (type(None),)),
        (_version, "resource_name", (str,)),
        (_version, "code", (type(None),)),
        (_tools, "resource_name", (str,)),
        (_tools, "tools", ()),
        (_store, "resource_name", (str,)),
        (_store, "files", ()),
        (_store, "project", ()),
        (_contract, "stack", (str,)),
        (_contract, "name", (str, type(None))),
        (_exported, "project", (type(None),)),
        (_exported, "registry", (type(None),)),
    )
}
OTHERS: dict[str, tuple[Call, str, tuple[type, ...]]] = {
    "a model's name": (_models, "models[0].name", (str,)),
    "a model": (lambda wrong: _new_project(models=[wrong]), "models[0]", ()),
    "zones of a private endpoint": (_zones, "private_endpoint.dns_zone_ids", ()),
    "a published agent": (lambda wrong: _exported(agents=[wrong]), "agents[0]", ()),
    "an agent of a contract": (lambda wrong: _contract().agent(wrong), "name", (str,)),
    "a connection's name": (lambda wrong: fa.ConnectionSecret(wrong, "token"), "connection", (str,)),
    "a key": (lambda wrong: fa.ConnectionSecret("github", wrong), "key", (str,)),
    "one of several projects": (lambda wrong: _registry(pulled_by=[_project(), wrong]), "pulled_by[1]", ()),
}
VALUES: dict[str, Callable[[], object]] = {
    "Output": lambda: pulumi.Output.from_input("hunter2"),
    "None": lambda: None,
    "text": lambda: "hunter2",
    "number": lambda: 7,
}


def _with(make: Callable[..., object], argument: str) -> Call:
    return lambda wrong: make(**{argument: wrong})


def _message(program: Callable[[], object]) -> str:
    """Return the text that a program ends with; what it made before runs to its end."""
    texts: list[str] = []

    def ended() -> None:
        try:
            program()
        except pulumi.RunError as error:
            texts.append(str(error))

    run(ended, published={"organization/agents/dev": {"contract": {"format": "1.0", "agents": {}}}})
    (text,) = texts
    return text


@pytest.mark.parametrize(
    ("call", "path", "value"),
    [
        pytest.param(call, path, value, id=f"{row}: {name}")
        for row, (call, path, right) in {
            **{row: (_with(make, argument), argument, right) for row, (make, argument, right) in ROWS.items()},
            **OTHERS,
        }.items()
        for name, value in VALUES.items()
        if not isinstance(value(), right)
    ],
)
def test_a_value_of_the_wrong_type_is_one_text_that_names_the_argument(
    call: Call, path: str, value: Callable[[], object]
) -> None:
    """Finding D, raw tracebacks, and K4: for every public constructor."""
    text = _message(lambda: call(value()))
    assert f"{path}: " in text or f"{path} " in text
    assert "object at 0x" not in text


def test_all_arguments_of_the_wrong_type_are_named_in_one_error() -> None:
    """Finding D: `FoundryProject(models=None)` was a traceback."""
    public: Any = pulumi.Output.from_input("false")
    assert _message(lambda: _new_project(models=None, public_access=public)).splitlines() == [
        '2 problems in FoundryProject "shop"',
        "  models: must be a list of values, got NoneType",
        f"  public_access: expected True or False, got Output: {KNOWN_IN_PREVIEWS}",
    ]


def test_the_name_of_a_stack_that_is_an_output_is_refused_before_a_stack_is_read() -> None:
    """Finding D: `AgentContract.from_stack(Output)` was a traceback."""
    text = _message(lambda: _contract(stack=pulumi.Output.from_input("organization/agents/dev")))
    assert text.splitlines()[-1].startswith("  stack: expected text, got Output: the preview must know it")
