"""What the components declare: children, names, parents, options, grants."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

import foundry_agents as fa
from tests.support.program import (
    ACCOUNT,
    ASSIGNMENT,
    ENDPOINT,
    GROUP,
    LOGIN_SERVER,
    PRINCIPAL,
    PROJECT,
    REGISTRY,
    RESOURCE_GROUP,
    ROLLOUT,
    VERSION,
    Run,
    Secret,
    run,
)
from tests.support.settings import MODERATION, TELEMETRY

DIGEST = "sha256:" + "a" * 64
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


def _whole(**agent: Any) -> fa.HostedAgent:
    project = fa.FoundryProject("agents", location="eastus2")
    registry = fa.AgentRegistry("images", pulled_by=project)
    image = fa.AgentImage.pinned(f"support@{DIGEST}", registry=registry)
    return fa.HostedAgent("support", project=project, image=image, **agent)


def _existing(**agent: Any) -> fa.HostedAgent:
    project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
    return fa.HostedAgent("support", project=project, image=fa.AgentImage.pinned(f"acme.io/support@{DIGEST}"), **agent)


def _declare(**agent: Any) -> Run:
    def program() -> None:
        _existing(**agent)

    return run(program)


def _declare_whole(*, preview: bool = False, **agent: Any) -> Run:
    def program() -> None:
        _whole(**agent)

    return run(program, preview=preview)


# --- The tree -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preview", [False, True])
def test_every_child_is_named_after_its_parent_and_sits_below_it(*, preview: bool) -> None:
    """Visible in preview, too: nothing is declared inside an apply."""
    assert _declare_whole(preview=preview).names == {
        "agents": "",
        "agents-group": "agents",
        "agents-account": "agents",
        "agents-project": "agents",
        "images": "",
        "images-registry": "images",
        "images-pull": "images",
        "support": "",
        "support-version": "support",
        "support-rollout": "support",
    }


def test_the_type_tokens_are_those_in_users_state() -> None:
    """A changed token replaces everything."""
    assert {made.name: made.type for made in _declare_whole().declared} == {
        "agents": "foundry-agents:index:FoundryProject",
        "agents-group": RESOURCE_GROUP,
        "agents-account": ACCOUNT,
        "agents-project": PROJECT,
        "images": "foundry-agents:index:AgentRegistry",
        "images-registry": REGISTRY,
        "images-pull": ASSIGNMENT,
        "support": "foundry-agents:index:HostedAgent",
        "support-version": VERSION,
        "support-rollout": ROLLOUT,
    }


def test_an_existing_project_declares_nothing_of_its_own() -> None:
    """Case 51."""
    assert set(_declare().names) == {"support", "support-version", "support-rollout"}


# --- HostedAgent ----------------------------------------------------------------------------------------------------


def test_a_replaced_version_is_kept_and_a_replaced_rollout_is_not() -> None:
    """The rollout owns the history, so a revert finds the former version; the engine itself retains neither."""
    made = _declare()
    assert made.one(VERSION).inputs["kept_by_rollout"] is True
    assert "kept_by_rollout" not in made.one(ROLLOUT).inputs
    assert [made.one(kind).retain_on_delete for kind in (VERSION, ROLLOUT)] == [False, False]


def test_the_pull_role_comes_before_the_version() -> None:
    """Case 22: else the first pull fails, and a failed version is final."""
    assert "images-pull" in _declare_whole().one(VERSION).depends_on


def test_traffic_moves_after_the_version_is_there() -> None:
    made = _declare()
    assert "support-version" in made.one(ROLLOUT).depends_on
    assert made.one(ROLLOUT).inputs["version"] == "7"


def test_the_settings_of_an_agent_reach_its_version() -> None:
    made = _declare(
        agent_name="help",
        cpu="2",
        memory="4Gi",
        protocols={"responses": "2.0.0", "invocations": "2.0.0"},
        environment={"GREETING": "Hello"},
        session_idle_timeout_s=900,
        description="Answers.",
        metadata={"team": "support"},
        rai_policy="strict",
        rai_moderation=dict(MODERATION),
        telemetry=list(TELEMETRY),
        take_over=True,
        timeout_s=60,
        poll_interval_s=1,
    )
    inputs = made.one(VERSION).inputs
    expected: Mapping[str, object] = {
        "project_endpoint": ENDPOINT,
        "agent_name": "help",
        "image": f"acme.io/support@{DIGEST}",
        "cpu": "2",
        "memory": "4Gi",
        "protocols": {"responses": "2.0.0", "invocations": "2.0.0"},
        "environment": {"GREETING": "Hello"},
        "session_idle_timeout_s": 900,
        "description": "Answers.",
        "metadata": {"team": "support"},
        "rai_policy": "strict",
        "rai_moderation": MODERATION,
        "telemetry": TELEMETRY,
        "take_over": True,
        "timeout_s": 60,
        "poll_interval_s": 1,
        "pull_identity": PRINCIPAL,
        "owner": "acme/foundry-agents/dev",
    }
    assert {name: inputs.get(name) for name in expected} == expected
    assert made.one(ROLLOUT).inputs["protocols"] == ["invocations", "responses"]


def test_force_delete_reaches_version_and_rollout() -> None:
    """Case 50: when the first rollout has failed it is not in state, and the version deletes the agent."""
    made = _declare(force_delete=True)
    assert [made.one(kind).inputs["force_delete"] for kind in (ROLLOUT, VERSION)] == [True, True]


def test_the_agent_is_named_after_the_component_by_default() -> None:
    assert _declare().one(VERSION).inputs["agent_name"] == "support"


@pytest.mark.parametrize("kind", [fa.HostedAgent, fa.HostedAgentVersion])
def test_a_misspelt_option_is_the_type_error_that_python_raises(kind: Any) -> None:
    """Python does not check the names of ``Unpack``: without this the option would be lost."""
    where = {"project": None} if kind is fa.HostedAgent else {"project_endpoint": ENDPOINT, "agent_name": "support"}
    with pytest.raises(TypeError, match=rf"{kind.__name__}.__init__\(\) got an unexpected keyword argument 'timeout'"):
        kind("support", timeout=60, **where)


def test_what_is_not_set_is_not_sent() -> None:
    """The defaults are the field table's, in one place."""
    inputs = _declare().one(VERSION).inputs
    unset = ("cpu", "memory", "environment", "session_idle_timeout_s", "description", "metadata", "timeout_s")
    assert [name for name in unset if inputs.get(name) is not None] == []


def test_a_tier_stands_for_cpu_and_memory() -> None:
    inputs = _declare(tier=fa.Tier.of("4", "8Gi")).one(VERSION).inputs
    assert (inputs["cpu"], inputs["memory"], inputs["accept_new_tier"]) == ("4", "8Gi", True)


@pytest.mark.parametrize("other", [{"cpu": "1"}, {"memory": "2Gi"}])
def test_a_tier_with_cpu_or_memory_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(pulumi.RunError, match="tier: cannot be combined with cpu or memory"):
        _declare(tier=fa.Tier(), **other)


def test_arguments_of_the_wrong_type_are_reported_together_and_without_a_traceback() -> None:
    def program() -> None:
        smoke: Any = "ping"
        wrong: dict[str, Any] = {"project": ENDPOINT, "image": "acme.io/support", "rollout": fa.Rollout(smoke=smoke)}
        fa.HostedAgent("support", tier=fa.Tier(), cpu="1", **wrong)

    with pytest.raises(pulumi.RunError) as caught:
        run(program)
    assert str(caught.value).splitlines() == [
        '4 problems in HostedAgent "support"',
        '  image: expected AgentImage, got str; for example AgentImage.pinned("registry/repository@sha256:…")',
        "  project: expected a project, got str; for example FoundryProject(…), or FoundryProject.existing(endpoint=…)",
        '  rollout.smoke: expected SmokeTest, got str; for example SmokeTest("ping", expect="pong")',
        "  tier: cannot be combined with cpu or memory",
    ]


def _of_code(folder: Path, **agent: Any) -> Run:
    def program() -> None:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        code = fa.CodePackage(folder, entry_point=["python", "main.py"], runtime=fa.Runtime.of("python_3_15"))
        fa.HostedAgent("support", project=project, code=code, **agent)

    return run(program)


def test_a_code_agent_declares_the_digest_of_its_folder_and_no_image(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print()", encoding="utf-8")
    version = _of_code(tmp_path).one(VERSION)
    assert "image" not in version.inputs
    assert len(version.inputs["code"]["sha256"]) == 64
    assert version.inputs["code"]["entry_point"] == ["python", "main.py"]
    assert version.inputs["code_folder"] == str(tmp_path)
    assert version.inputs["accept_new"] == ["python_3_15"]
    assert version.depends_on == frozenset()


def test_a_folder_that_can_not_be_packed_stops_the_program_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="has no file to pack"):
        _of_code(tmp_path)


@pytest.mark.parametrize("both", [True, False])
def test_an_agent_of_image_and_code_or_of_neither_is_refused(tmp_path: Path, *, both: bool) -> None:
    image = fa.AgentImage.pinned(f"acme.io/support@{DIGEST}")

    def program() -> None:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=PRINCIPAL)
        code = fa.CodePackage(tmp_path, entry_point=["x"])
        fa.HostedAgent("support", project=project, image=image if both else None, code=code if both else None)

    with pytest.raises(pulumi.RunError, match="exactly one of image and code"):
        run(program)


def test_a_protocol_that_is_newer_than_this_release_is_accepted_by_name() -> None:
    inputs = _declare(protocols={fa.AgentProtocol.of("grpc"): "1", "responses": "2.0.0"}).one(VERSION).inputs
    assert inputs["protocols"] == {"grpc": "1", "responses": "2.0.0"}
    assert inputs["accept_new"] == ["grpc"]
    assert "accept_new" not in _declare(protocols={"grpc": "1"}).one(VERSION).inputs


def test_a_fingerprint_key_is_always_a_secret() -> None:
    """Case 55: also one that the program has in plain text."""
    inputs = _declare(fingerprint_key="correct horse battery").one(VERSION).inputs
    assert inputs["fingerprint_key"] == Secret("correct horse battery")


def test_a_secret_variable_stays_a_secret() -> None:
    """Case 54."""
    environment = {"GREETING": "Hello", "TOKEN": pulumi.Output.secret("s3cret")}
    sent = _declare(environment=environment).one(VERSION).inputs["environment"]
    # Pulumi makes the whole map secret where one value in it is, or that value alone: both hide it.
    assert sent in ({"GREETING": "Hello", "TOKEN": Secret("s3cret")}, Secret({"GREETING": "Hello", "TOKEN": "s3cret"}))


def test_the_provider_in_state_is_short_and_readable() -> None:
    """Case 57."""
    made = _declare()
    for token in (VERSION, ROLLOUT):
        blob = made.one(token).inputs["__provider"]
        assert isinstance(blob, str), "not a secret: nothing is captured"
        assert len(blob) <= 150


def test_progress_goes_to_the_resources_own_row() -> None:
    made = _declare()
    for token in (VERSION, ROLLOUT):
        assert made.one(token).inputs["urn"] == made.one(token).urn


def test_the_outputs_of_an_agent_are_those_of_its_children() -> None:
    def program() -> Mapping[str, pulumi.Input[object]]:
        agent = _existing()
        return {
            "agent_name": agent.agent_name,
            "endpoint": agent.endpoint,
            "responses_url": agent.responses_url,
            "serving_version": agent.serving_version,
            "traffic": agent.traffic,
            "principal_id": agent.principal_id,
        }

    assert run(program).outputs == {
        "agent_name": "support",
        "endpoint": f"{ENDPOINT}/agents/support/endpoint",
        "responses_url": f"{ENDPOINT}/agents/support/endpoint/protocols/openai/responses",
        "serving_version": "7",
        "traffic": {"7": 100},
        "principal_id": "agent-principal",
    }


# --- AgentRegistry --------------------------------------------------------------------------------------------------


def test_the_registry_takes_arm_audience_tokens_and_has_no_admin() -> None:
    """Case 23: without the policy every pull fails in spite of the right roles."""
    inputs = _declare_whole().one(REGISTRY).inputs
    assert inputs["policies"]["azureADAuthenticationAsArmPolicy"]["status"] == "enabled"
    assert inputs["adminUserEnabled"] is False


def test_the_pull_role_is_granted_by_guid_to_the_projects_identity_on_the_registry() -> None:
    """Cases 34 and 66: with its type a principal needs not be found in the directory first [docs]."""
    inputs = _declare_whole().one(ASSIGNMENT).inputs
    assert inputs["principalId"] == PRINCIPAL
    assert inputs["principalType"] == "ServicePrincipal"
    assert inputs["roleDefinitionId"].endswith(f"/roleDefinitions/{ACR_PULL}")
    assert inputs["scope"] == f"{GROUP}/images-registry"


def test_a_role_assignment_is_named_by_a_guid_that_is_the_same_on_every_run() -> None:
    """Case 34."""
    first, second = (_declare_whole().one(ASSIGNMENT).inputs["roleAssignmentName"] for _ in range(2))
    assert first == second == "a1510981-2b2f-5cc1-9b59-48f7830903d9"
    assert str(uuid.UUID(first)) == first


def test_the_image_is_named_by_the_registry_it_is_in() -> None:
    """Case 65: the host comes from ARM, not from a name."""
    assert _declare_whole().one(VERSION).inputs["image"] == f"{LOGIN_SERVER}/support@{DIGEST}"


def test_the_registry_is_in_the_projects_group_by_default() -> None:
    assert _declare_whole().one(REGISTRY).inputs["resourceGroupName"] == "agents-group"


def _registry_for_existing(principal_id: str | None, resource_group_name: str | None = "rg") -> Run:
    def program() -> None:
        project = fa.FoundryProject.existing(endpoint=ENDPOINT, principal_id=principal_id)
        fa.AgentRegistry("images", pulled_by=project, resource_group_name=resource_group_name)

    return run(program)


def test_a_registry_for_an_existing_project_grants_its_identity() -> None:
    """Case 66."""
    assert _registry_for_existing("another-principal").one(ASSIGNMENT).inputs["principalId"] == "another-principal"


def test_a_registry_for_a_project_whose_identity_is_not_known_says_what_to_pass() -> None:
    with pytest.raises(pulumi.RunError, match="pass principal_id"):
        _registry_for_existing(None)


def test_a_registry_for_an_existing_project_needs_a_group() -> None:
    with pytest.raises(pulumi.RunError, match="resource_group_name is needed"):
        _registry_for_existing(PRINCIPAL, None)


# --- FoundryProject -------------------------------------------------------------------------------------------------


def test_the_account_is_ready_for_projects_and_takes_no_keys() -> None:
    inputs = _declare_whole().one(ACCOUNT).inputs
    assert inputs["kind"] == "AIServices"
    assert inputs["identity"]["type"] == "SystemAssigned"
    assert inputs["properties"]["allowProjectManagement"] is True
    assert inputs["properties"]["disableLocalAuth"] is True
    assert inputs["properties"]["customSubDomainName"] == inputs["accountName"]


def test_the_project_has_an_identity_of_its_own() -> None:
    inputs = _declare_whole().one(PROJECT).inputs
    assert inputs["identity"]["type"] == "SystemAssigned"
    assert inputs["accountName"] == "agents-account"
    assert inputs["projectName"] == "agents"


@pytest.mark.parametrize("endpoints", [None, {"Other": "https://other"}])
def test_a_project_of_which_arm_names_no_endpoint_ends_the_program_with_a_sentence(
    endpoints: dict[str, str] | None,
) -> None:
    answers = {PROJECT: {"properties": {"endpoints": endpoints}, "identity": {"principalId": PRINCIPAL}}}
    with pytest.raises(pulumi.RunError, match='FoundryProject "shop": Resource Manager returned no endpoint') as caught:
        run(lambda: pulumi.export("u", fa.FoundryProject("shop", location="eastus2").endpoint), answers=answers)
    assert f"Why: its endpoints: {'Other' if endpoints else 'none'}" in str(caught.value)


def test_the_endpoint_is_the_one_that_arm_reports() -> None:
    """Case 65: the host name is not always the account's name."""
    assert _declare_whole().one(VERSION).inputs["project_endpoint"] == ENDPOINT


def test_a_project_in_a_group_that_exists_makes_no_group() -> None:
    def program() -> None:
        fa.FoundryProject("agents", location="eastus2", resource_group_name="shared")

    made = run(program)
    assert RESOURCE_GROUP not in {one.type for one in made.declared}
    assert made.one(PROJECT).inputs["resourceGroupName"] == "shared"


def _azure_names(stack: str) -> tuple[str, str]:
    def program() -> None:
        _whole()

    made = run(program, stack=stack)
    return made.one(ACCOUNT).inputs["accountName"], made.one(REGISTRY).inputs["registryName"]


def test_names_that_are_shared_with_all_of_azure_differ_between_stacks_and_stay_on_every_run() -> None:
    """Case 69: two environments, one program, 0 shared names."""
    assert _azure_names("dev") == _azure_names("dev")
    assert not set(_azure_names("dev")) & set(_azure_names("prod"))


@pytest.mark.parametrize("stack", ["dev", "a-very-long-name-of-a-stack-that-goes-on-and-on-for-long"])
def test_names_keep_to_azures_rules(stack: str) -> None:
    account, registry = _azure_names(stack)
    assert 2 <= len(account) <= 24
    assert set(account) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert account.strip("-") == account
    assert 5 <= len(registry) <= 50
    assert registry.isalnum()
    assert registry == registry.lower()


# --- Preview --------------------------------------------------------------------------------------------------------


def test_a_preview_knows_no_computed_value_and_breaks_on_none() -> None:
    """Case 21."""
    inputs = _declare_whole(preview=True).one(VERSION).inputs
    assert inputs["agent_name"] == "support"
