"""Who gets which role, where, and that everybody gets it once."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pytest

import foundry_agents as fa
from tests.support.program import ASSIGNMENT, ENDPOINT, GROUP, REGISTRY, VERSION, Declared, Run, declare, run

DIGEST = "sha256:" + "a" * 64
ELSEWHERE = "/subscriptions/9/resourceGroups/shared/providers/Microsoft.ContainerRegistry/registries/acme"
PROJECT_ID = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/acct/projects/demo"
ACR_PULL, ACR_PUSH = "7f951dda-4ed3-4680-a7ca-43fe172d538d", "8311e382-0749-4cb8-b61a-304f252e45ec"
READER, WRITER = "b93aa761-3e63-49ed-ac28-beffa264f7ac", "2a1e307c-b015-4ebd-883e-5b7698a07328"
CONSUMER = "eed3b665-ab3a-47b6-8f48-c9382fb1dad6"
ANN, BOB = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"


def _there(name: str, *, principal_id: str = ANN, resource_id: str | None = PROJECT_ID) -> fa.ExistingProject:
    endpoint = f"https://acme.services.ai.azure.com/api/projects/{name}"
    return fa.FoundryProject.existing(endpoint=endpoint, principal_id=principal_id, resource_id=resource_id)


def _shared(**options: object) -> fa.Registry:
    return fa.AgentRegistry.existing("images", login_server="acme.io", resource_id=ELSEWHERE, **options)  # type: ignore[arg-type]


def _agent(name: str, project: fa.Project, registry: fa.Registry) -> fa.HostedAgent:
    image = fa.AgentImage.pinned(f"support@{DIGEST}", registry=registry)
    return fa.HostedAgent(name, project=project, image=image)


def _grants(made: Run) -> dict[str, tuple[str, str, str]]:
    """Principal, role and scope of every assignment, by its name in Pulumi."""
    return {one.name: _grant(one) for one in made.declared if one.type == ASSIGNMENT}


def _grant(one: Declared) -> tuple[str, str, str]:
    return (
        one.inputs["principalId"],
        one.inputs["roleDefinitionId"].rpartition("/")[2],
        one.inputs["scope"],
    )


# --- Pull -----------------------------------------------------------------------------------------------------------


def test_two_agents_that_share_a_registry_share_one_grant_and_both_wait_for_it() -> None:
    """aws/aws-cdk#37663: an image bound once must not leave its second user without the right."""

    def program() -> None:
        project, registry = _there("one"), _shared()
        _agent("support", project, registry)
        _agent("returns", project, registry)

    made = run(program)
    assert _grants(made) == {"images-pull": (ANN, ACR_PULL, ELSEWHERE)}
    assert "images-pull" in made.one(VERSION, "support-version").depends_on
    assert "images-pull" in made.one(VERSION, "returns-version").depends_on


def test_one_image_of_two_agents_in_two_projects_is_two_grants_and_each_agent_waits_for_its_own() -> None:
    """Case 66. aws/aws-cdk#37663"""

    def program() -> None:
        registry = _shared()
        image = fa.AgentImage.pinned(f"support@{DIGEST}", registry=registry)
        fa.HostedAgent("first", project=_there("one"), image=image)
        fa.HostedAgent("second", project=_there("two", principal_id=BOB), image=image)

    made = run(program)
    assert _grants(made) == {"images-pull": (ANN, ACR_PULL, ELSEWHERE), "images-pull-two": (BOB, ACR_PULL, ELSEWHERE)}
    grants = {"images-pull", "images-pull-two"}
    assert made.one(VERSION, "first-version").depends_on & grants == {"images-pull"}
    assert made.one(VERSION, "second-version").depends_on & grants == {"images-pull-two"}


def test_an_existing_project_that_is_mentioned_twice_is_one_project() -> None:
    def program() -> None:
        registry = _shared(pulled_by=[_there("one"), _there("one")])
        _agent("support", _there("one"), registry)

    assert list(_grants(run(program))) == ["images-pull"]


def test_two_projects_that_the_program_can_not_tell_apart_by_name_need_names() -> None:
    def program() -> None:
        unnamed = [
            fa.FoundryProject.existing(endpoint=pulumi.Output.from_input(f"{ENDPOINT}{n}"), principal_id=ANN)
            for n in range(3)
        ]
        _shared(pulled_by=unnamed)

    with pytest.raises(pulumi.RunError, match=r'"images-pull-project" is a grant for another principal already.*name='):
        run(program)


def test_a_deployer_who_may_not_assign_roles_switches_grants_off_and_none_is_declared() -> None:
    """Case 67. azd#7515"""

    def program() -> None:
        project, registry = _there("one"), _shared(pulled_by=_there("one"), grants=False)
        agent = _agent("support", project, registry)
        assert registry.pull_role is None
        assert registry.grant_push(BOB) is None
        assert agent.grant_pull(registry) is None

    made = run(program)
    assert _grants(made) == {}
    assert made.one(VERSION, "support-version").inputs.get("pull_role_granted_at") is None


def test_a_registry_that_looks_at_repositories_is_read_and_written_by_its_own_roles() -> None:
    """AcrPull does not count in such a registry [docs]."""

    def program() -> None:
        registry = _shared(pulled_by=_there("one"), permissions="repository")
        registry.grant_push(BOB, principal_type="User")

    assert _grants(run(program)) == {
        "images-pull": (ANN, READER, ELSEWHERE),
        f"images-push-{BOB}": (BOB, WRITER, ELSEWHERE),
    }


def test_an_existing_registry_is_granted_on_where_it_is_and_is_not_made() -> None:
    """Another resource group, another subscription: the scope is its own ARM id."""
    made = declare(lambda: _shared(pulled_by=_there("one")))
    assert REGISTRY not in {one.type for one in made.declared}
    assert made.names == {"images": "", "images-pull": "images"}


def test_a_pipeline_pushes_and_an_agent_pulls_with_its_own_identity() -> None:
    def program() -> None:
        registry = _shared()
        agent = _agent("support", _there("one"), registry)
        agent.grant_pull(registry)
        registry.grant_push(BOB, name="pipeline")

    assert _grants(run(program)) == {
        "images-pull": (ANN, ACR_PULL, ELSEWHERE),
        "images-pull-agent-support": ("agent-principal", ACR_PULL, ELSEWHERE),
        "images-push-pipeline": (BOB, ACR_PUSH, ELSEWHERE),
    }


# --- Invoke ---------------------------------------------------------------------------------------------------------


def test_a_caller_of_an_agent_is_a_consumer_of_that_agent_alone_and_once() -> None:
    def program() -> None:
        agent = _agent("support", _there("demo"), _shared(grants=False))
        assert agent.grant_invoke(ANN) is agent.grant_invoke(ANN.upper()) is agent.grant_invoke(ANN, name="again")
        agent.grant_invoke(BOB, principal_type="User", name="bob")

    made = run(program)
    assert _grants(made) == {
        f"support-invoke-{ANN}": (ANN, CONSUMER, f"{PROJECT_ID}/agents/support"),
        "support-invoke-bob": (BOB, CONSUMER, f"{PROJECT_ID}/agents/support"),
    }
    assert made.one(ASSIGNMENT, "support-invoke-bob").inputs["principalType"] == "User"
    assert "support-version" in made.one(ASSIGNMENT, "support-invoke-bob").depends_on


def test_a_caller_of_a_project_may_call_all_of_its_agents() -> None:
    def program() -> None:
        project = _there("demo")
        assert project.grant_invoke(ANN) is project.grant_invoke(ANN)
        fa.FoundryProject("shop", location="eastus2").grant_invoke(BOB, principal_type="Group", name="team")

    grants = _grants(run(program))
    assert grants[f"demo-invoke-{ANN}"] == (ANN, CONSUMER, PROJECT_ID)
    assert grants["shop-invoke-team"][:2] == (BOB, CONSUMER)


def test_principals_that_are_known_only_after_the_update_need_names() -> None:
    """A number would move the grants behind it when one is taken away."""

    def program() -> None:
        agent = _agent("support", _there("demo"), _shared(grants=False))
        agent.grant_invoke(pulumi.Output.from_input(ANN))
        agent.grant_invoke(pulumi.Output.from_input(BOB))

    with pytest.raises(pulumi.RunError, match=r'"support-invoke" is a grant for another principal already.*name='):
        run(program)


@pytest.mark.parametrize(
    ("resource_id", "said"),
    [(None, r"pass resource_id to FoundryProject.existing\(…\)$"), ("/subscriptions/0", "not '/subscriptions/0'$")],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda project: project.grant_invoke(ANN),
        lambda project: _agent("support", project, _shared(grants=False)).grant_invoke(ANN),
        lambda project: _shared(pulled_by=project, grants=False, connect=True),
    ],
)
def test_a_project_whose_id_is_not_known_says_what_to_pass(
    use: Callable[[fa.ExistingProject], object], resource_id: str | None, said: str
) -> None:
    with pytest.raises(Exception, match=said):
        declare(lambda: use(_there("demo", resource_id=resource_id)))


def test_grants_are_seen_in_a_preview() -> None:
    """Nothing is granted inside an apply, where a preview would not see it."""

    def program() -> None:
        project = fa.FoundryProject("shop", location="eastus2")
        agent = _agent("support", project, fa.AgentRegistry("images", pulled_by=project))
        agent.grant_invoke(ANN, name="ann")

    assert [one.name for one in run(program, preview=True).declared if one.type == ASSIGNMENT] == [
        "images-pull",
        "support-invoke-ann",
    ]


def test_a_registry_is_connected_to_each_project_that_pulls_from_it() -> None:
    def program() -> None:
        _shared(pulled_by=[_there("one"), _there("two", principal_id=BOB)], connect=True)

    made = run(program)
    connection = made.one("azure-native:cognitiveservices:ProjectConnection", "images-connection-two").inputs
    assert (connection["resourceGroupName"], connection["accountName"], connection["projectName"]) == (
        "rg",
        "acct",
        "demo",
    )
    assert connection["properties"] == {
        "authType": "ManagedIdentity",
        "category": "ContainerRegistry",
        "target": "acme.io",
        "credentials": {"clientId": BOB, "resourceId": ELSEWHERE},
    }
    assert {"images-connection", "images-connection-two"} <= set(made.names)
