"""Options of project and registry: what each sends, what is sent without it, and what is refused in the program."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

import foundry_agents as fa
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.resources.options import VersionOptions
from tests.support.program import (
    ACCOUNT,
    ENDPOINT,
    LOGIN_SERVER,
    PRINCIPAL,
    REGISTRY,
    ROLLOUT,
    VERSION,
    Run,
    declare,
    run,
)

DEPLOYMENT = "azure-native:cognitiveservices:Deployment"
CONNECTION = "azure-native:cognitiveservices:ProjectConnection"
DIGEST = "sha256:" + "a" * 64


def _project(**options: Any) -> Run:
    return declare(lambda: fa.FoundryProject("shop", location="eastus2", **options))


def _account(**options: Any) -> dict[str, Any]:
    properties = _project(**options).one(ACCOUNT).inputs["properties"]
    assert isinstance(properties, dict)
    return properties


def _registry(**options: Any) -> dict[str, Any]:
    def program() -> None:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        fa.AgentRegistry("images", pulled_by=project, resource_group_name="rg", **options)

    return dict(run(program).one(REGISTRY).inputs)


def test_an_account_without_options_is_public_keyless_and_alone_in_its_network() -> None:
    sent = _account()
    assert (sent["publicNetworkAccess"], sent["disableLocalAuth"]) == ("Enabled", True)
    assert {name for name in sent if name in {"networkAcls", "networkInjections", "restore"}} == set()


def test_the_host_name_may_differ_from_the_accounts_name() -> None:
    """Case 65."""
    sent = _account(account_name="shop-account", subdomain="shop-host")
    assert sent["customSubDomainName"] == "shop-host"


def test_keys_are_accepted_only_when_asked_for() -> None:
    assert _account(local_auth=True)["disableLocalAuth"] is False


def test_a_deleted_account_is_taken_back_once_and_a_later_change_of_the_option_is_no_change() -> None:
    made = _project(restore=True).one(ACCOUNT)
    assert made.inputs["properties"]["restore"] is True
    assert "properties.restore" in made.ignore_changes


def test_an_account_is_never_replaced_for_an_option() -> None:
    """All agents would go with it: a network that Azure takes at the beginning only is Azure's to refuse."""
    assert _project(agent_subnet_id="/subnet").one(ACCOUNT).replace_on_changes == ()


def test_a_capability_host_is_replaced_and_the_old_one_is_deleted_first() -> None:
    """It can't be changed, and there is one at a time [docs]."""
    made = declare(lambda: fa.FoundryProject("shop", location="eastus2").add_capability_host())
    hosts = [one for one in made.declared if one.type.endswith("CapabilityHost")]
    assert [(one.replace_on_changes, one.delete_before_replace) for one in hosts] == [(("*",), True)] * 2


def test_models_are_deployed_one_after_the_other_before_the_project() -> None:
    """An account takes one at a time; they go before it goes."""
    made = _project(models=[fa.ModelDeployment(name) for name in ("a", "b", "c")])
    after = {one.name: one.depends_on for one in made.declared if one.type == DEPLOYMENT}
    assert "shop-model-a" in after["shop-model-b"]
    assert "shop-model-b" in after["shop-model-c"]
    assert all("shop-account" in depends_on for depends_on in after.values())
    assert set(after) <= made.one("azure-native:cognitiveservices:Project").depends_on


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(pulumi.RunError, match='FoundryProject "shop": two models are called "a"'):
        _project(models=[fa.ModelDeployment("a"), fa.ModelDeployment("a", model="b")])


def test_an_existing_app_insights_is_connected_and_not_made() -> None:
    insights = fa.AppInsights.existing(resource_id="/insights", connection_string="canary")
    made = _project(app_insights=insights)
    assert set(made.names) == {
        "shop",
        "shop-group",
        "shop-account",
        "shop-project",
        "shop-insights-connection",
    }
    sent = made.one(CONNECTION).inputs["properties"]
    assert "canary" not in str(
        {name: value for name, value in made.one(CONNECTION).inputs.items() if value is not sent}
    )
    assert type(sent).__name__ == "Secret", "the whole is hidden, the connection string in it above all"


def test_an_app_insights_may_go_into_a_workspace_that_is_there() -> None:
    made = _project(app_insights=fa.AppInsights(workspace_id="/workspace"))
    assert "shop-workspace" not in made.names
    assert made.one("azure-native:applicationinsights:Component").inputs["workspaceResourceId"] == "/workspace"


def test_the_account_host_is_left_to_azure_where_it_has_made_one() -> None:
    def program() -> None:
        fa.FoundryProject("shop", location="eastus2").add_capability_host(account_host=False)

    names = run(program).names
    assert "shop-project-capability-host" in names
    assert "shop-account-capability-host" not in names


def test_what_only_a_premium_registry_can_do_is_refused_all_at_once() -> None:
    with pytest.raises(
        pulumi.RunError, match='"Premium" is needed for retention_days, public_access=False, private_endpoint'
    ):
        _registry(retention_days=7, public_access=False, private_endpoint=fa.PrivateEndpoint("/subnet"))


def test_a_registry_without_options_keeps_every_image_and_is_public() -> None:
    sent = _registry()
    assert sent["sku"] == {"name": "Basic"}
    assert "retentionPolicy" not in sent["policies"]
    assert sent["publicNetworkAccess"] == "Enabled"


def test_the_login_server_of_a_registry_is_the_one_that_arm_reports() -> None:
    """Case 65."""

    def program() -> dict[str, Any]:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        registry = fa.AgentRegistry("images", pulled_by=project, resource_group_name="rg", registry_name="other")
        return {"host": registry.login_server}

    assert run(program).outputs == {"host": LOGIN_SERVER}


@pytest.mark.parametrize(("force_delete", "deleted_with"), [(True, "shop-project"), (False, ""), (None, "")])
def test_an_agent_is_deleted_with_its_project_only_if_its_sessions_may_end(
    *, force_delete: bool | None, deleted_with: str
) -> None:
    """Without force_delete a live session still stops the destroy of the whole stack."""

    def program() -> None:
        project = fa.FoundryProject("shop", location="eastus2")
        image = fa.AgentImage.pinned(f"acme.io/support@{DIGEST}")
        fa.HostedAgent("support", project=project, image=image, force_delete=force_delete)

    made = run(program)
    assert (made.one(VERSION).deleted_with, made.one(ROLLOUT).deleted_with) == (deleted_with, deleted_with)


def test_an_agent_waits_for_what_its_project_needs_first() -> None:
    """Tracing is there before the first container starts; the private endpoint before the first call."""

    def program() -> None:
        project = fa.FoundryProject(
            "shop",
            location="eastus2",
            app_insights=fa.AppInsights(),
            private_endpoint=fa.PrivateEndpoint("/subnet", dns_zone_ids=["/zone"]),
        )
        fa.HostedAgent("support", project=project, image=fa.AgentImage.pinned(f"acme.io/support@{DIGEST}"))

    first = {"shop-insights-connection", "shop-private-endpoint", "shop-private-dns"}
    assert first <= run(program).one(VERSION).depends_on


def test_every_shared_option_is_an_input_of_the_version() -> None:
    """So a shared option has one row, and the reference page describes it from there."""
    assert VersionOptions.__optional_keys__ <= {row.name for row in VERSION_FIELDS.fields}
    assert VersionOptions.__required_keys__ == frozenset()


def test_an_agent_lives_in_a_project_that_another_stack_publishes() -> None:
    stack, document = "acme/shared/prod", {"project": {"endpoint": ENDPOINT, "principal_id": PRINCIPAL}}

    def program() -> None:
        contract = fa.AgentContract.from_stack(stack)
        registry = fa.AgentRegistry.existing("images", login_server="acme.io", resource_id="/registry")
        image = fa.AgentImage.pinned(f"support@{DIGEST}", registry=registry)
        fa.HostedAgent("support", project=contract.project, image=image, force_delete=True)

    published = {stack: {"contract": {"format": "1.0", "agents": {}, **document}}}
    version = run(program, published=published).one(VERSION)
    assert version.inputs["project_endpoint"] == ENDPOINT
    assert (version.deleted_with, "images-pull" in version.depends_on) == ("", True)


def test_agents_are_replaced_with_a_project_that_this_stack_creates_again() -> None:
    """Its identity is another one then; of an existing project a refresh can't tell."""
    triggers: dict[str, object] = {}

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        triggers[args.name] = args.opts.replacement_trigger

    def program() -> None:
        shop = fa.FoundryProject("shop", location="eastus2")
        existing = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        image, opts = fa.AgentImage.pinned(f"acme.io/support@{DIGEST}"), pulumi.ResourceOptions(transformations=[see])
        fa.HostedAgent("own", project=shop, image=image, opts=opts)
        fa.HostedAgent("other", project=existing, image=image, opts=opts)
        assert triggers["own-version"] is shop.principal_id
        assert triggers["other-version"] is None

    run(program)
