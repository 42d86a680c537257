"""Why a pull failed: what a registry's policies and roles show, in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import VersionFailedError
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.service_errors import AccessDeniedError, SignInError, UnreachableError
from foundry_agents.lifecycle.polling import CONFIRM_AFTER_S
from foundry_agents.lifecycle.pull_causes import PULL_ROLES, REPOSITORY_ROLES, Pull
from foundry_agents.lifecycle.roles import ACR_PULL, REPOSITORY_READER
from foundry_agents.lifecycle.versions import PULL_PAUSES_S, VersionPlan, create_or_adopt
from foundry_agents.lifecycle.views import PullAccess
from foundry_agents.testing import FastClock
from tests.support.service import FaultyService
from tests.support.settings import IMAGE, plan

WHO = "7c1e-principal"
REGISTRY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme"
OTHER_ROLE = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
PULL = Pull(IMAGE, WHO)


def _access(*roles: str, **more: bool | frozenset[str]) -> PullAccess:
    return PullAccess(REGISTRY, frozenset(roles), **more)  # type: ignore[arg-type]  # tests pass fitting types


# --- What the registry shows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [(), (OTHER_ROLE,)])
def test_a_missing_role_names_principal_role_and_registry_and_what_was_checked(held: tuple[str, ...]) -> None:
    """Case 23."""
    cause = PULL.cause_with(_access(*held))
    assert cause.why == (
        f'the project\'s identity {WHO} has no pull role on registry "acme" '
        "(checked: AcrPull, Container Registry Repository Reader)"
    )
    assert f"--assignee-object-id {WHO} --assignee-principal-type ServicePrincipal" in cause.do
    assert f"--role {ACR_PULL} --scope {REGISTRY}`" in cause.do
    assert not cause.lasting


def test_a_missing_role_on_a_registry_with_repository_permissions_asks_for_the_role_that_counts_there() -> None:
    """Case 23."""
    assert f"--role {REPOSITORY_READER} " in PULL.cause_with(_access(repository_permissions=True)).do


@pytest.mark.parametrize("role", PULL_ROLES)
def test_a_registry_that_refuses_arm_tokens_is_the_cause_whatever_the_roles(role: str) -> None:
    """Case 23. holiday-peak-hub#1103"""
    cause = PULL.cause_with(_access(role, takes_arm_tokens=False))
    assert 'registry "acme" refuses tokens for the ARM audience' in cause.why
    assert "azureADAuthenticationAsArmPolicy" in cause.why
    assert "`az acr config authentication-as-arm update --registry acme --status enabled`" in cause.do
    assert "role assignment" not in cause.do
    assert cause.lasting


@pytest.mark.parametrize("role", sorted(PULL_ROLES.keys() - REPOSITORY_ROLES.keys()))
def test_a_role_that_does_not_count_on_a_registry_with_repository_permissions_is_named(role: str) -> None:
    """Case 23. holiday-peak-hub#1108"""
    cause = PULL.cause_with(_access(role, repository_permissions=True))
    assert f"there {PULL_ROLES[role]} does not count" in cause.why
    assert WHO in cause.why
    assert f"--role {REPOSITORY_READER} --scope {REGISTRY}`" in cause.do
    assert cause.lasting


@pytest.mark.parametrize(
    ("role", "repository_permissions"),
    [*((role, False) for role in PULL_ROLES), *((role, True) for role in REPOSITORY_ROLES)],
)
def test_where_role_and_policy_are_right_the_other_causes_are_listed(
    role: str, *, repository_permissions: bool
) -> None:
    """Cases 22 and 23: principal, role and scope, and that the role may be new."""
    cause = PULL.cause_with(_access(role, repository_permissions=repository_permissions))
    assert f"{WHO} has {PULL_ROLES[role]} ({role}) on {REGISTRY}, and" in cause.why
    for word in ("role assignment is new", "digest", "linux/amd64", "network"):
        assert word in cause.why
    assert "condition" not in cause.why
    assert IMAGE in cause.do
    assert not cause.lasting


def test_a_role_that_holds_under_a_condition_is_said_to() -> None:
    held = _access(REPOSITORY_READER, repository_permissions=True, conditional=frozenset({REPOSITORY_READER}))
    assert "under a condition, which may leave this repository out" in PULL.cause_with(held).why


def test_one_role_without_a_condition_is_enough() -> None:
    held = _access(REPOSITORY_READER, ACR_PULL, conditional=frozenset({REPOSITORY_READER}))
    assert "condition" not in PULL.cause_with(held).why


# --- When it is asked ------------------------------------------------------------------------------------------------


@dataclass
class Registry:
    """Answers with what it was given, and counts."""

    answer: PullAccess | FoundryAgentsError
    asked: list[tuple[str, str]] = field(default_factory=list)

    def pull_access(self, registry_id: str, principal_id: str) -> PullAccess:
        self.asked.append((registry_id, principal_id))
        if isinstance(self.answer, FoundryAgentsError):
            raise self.answer
        return self.answer


def _failed(registry: Registry, service: FaultyService, wanted: VersionPlan | None = None) -> VersionFailedError:
    known = wanted or plan(pull_identity=WHO, registry_id=REGISTRY)
    with pytest.raises(VersionFailedError) as caught:
        create_or_adopt(service, known, FastClock(), lambda _line: None, registry)
    return caught.value


def test_the_registry_is_asked_once_a_pull_has_failed_and_the_error_says_what_it_showed() -> None:
    """Case 23."""
    registry = Registry(_access())
    text = str(_failed(registry, FaultyService(statuses=["failed"])))
    assert registry.asked == [(REGISTRY, WHO)]
    assert "(checked: AcrPull, Container Registry Repository Reader)" in text
    assert "support:1 was removed" in text
    assert "Service said: [ImageError] Failed to pull container image." in text


def test_the_registry_is_not_asked_when_nothing_or_something_else_has_failed() -> None:
    """Case 23: only then."""
    registry = Registry(_access())
    wanted = plan(pull_identity=WHO, registry_id=REGISTRY)
    create_or_adopt(FaultyService(), wanted, FastClock(), lambda _line: None, registry)
    error = _failed(registry, FaultyService(statuses=["failed"], error=("CodeError", "exit code 1")))
    assert "entry point" in str(error)
    assert registry.asked == []


@pytest.mark.parametrize(("who", "where"), [(WHO, ""), ("", REGISTRY), ("", "")])
def test_without_principal_or_registry_the_usual_causes_are_listed(who: str, where: str) -> None:
    """Case 23."""
    registry = Registry(_access())
    wanted = plan(pull_identity=who, registry_id=where)
    text = str(_failed(registry, FaultyService(statuses=["failed"]), wanted))
    assert registry.asked == []
    assert "Usually the project's identity" in text
    assert 'no pull role on registry "acme.azurecr.io"' in text
    assert "could not be checked" not in text


@pytest.mark.parametrize(
    ("unread", "words"),
    [
        (
            AccessDeniedError("No authorization.", operation="GET …", status=403, request_id="r-403"),
            "HTTP 403 No authorization (request r-403)",
        ),
        (UnreachableError("connection refused", operation="GET …"), "connection refused"),
        (SignInError("az login", endpoint="GET …"), "no access token could be acquired"),
    ],
)
def test_a_registry_that_can_not_be_read_does_not_hide_the_failure(unread: FoundryAgentsError, words: str) -> None:
    """Case 23: best effort."""
    text = str(_failed(Registry(unread), FaultyService(statuses=["failed"])))
    assert text.startswith("version support:1 failed: ImageError")
    assert f"could not be checked: {words}" in text
    assert "53ca6127" not in text, "a role on the data plane opens no registry"


@pytest.mark.parametrize("posts", range(1, len(PULL_PAUSES_S) + 2))
@pytest.mark.parametrize("short_of_it", [False, True])
def test_a_new_role_is_waited_for_as_long_as_it_is_new_and_no_longer(posts: int, *, short_of_it: bool) -> None:
    """Case 22: each pause only if it ends while the role is new, by a clock that began long ago."""
    waited = sum(PULL_PAUSES_S[: posts - 1]) + (posts - 1) * CONFIRM_AFTER_S  # which a failure is confirmed after
    service, clock = FaultyService(statuses=["failed"]), FastClock(1000)
    with pytest.raises(VersionFailedError):
        create_or_adopt(service, plan(pull_grace_s=waited - 0.1 * short_of_it), clock, lambda _line: None)
    assert service.count("create_version") == max(1, posts - short_of_it)


@pytest.mark.parametrize(
    ("access", "posts"),
    [
        (_access(ACR_PULL), len(PULL_PAUSES_S) + 1),
        (_access(), len(PULL_PAUSES_S) + 1),
        (_access(ACR_PULL, takes_arm_tokens=False), 1),
        (_access(ACR_PULL, repository_permissions=True), 1),
    ],
    ids=["role there", "role missing", "tokens refused", "role void"],
)
def test_a_cause_that_does_not_pass_with_time_is_not_posted_again(access: PullAccess, posts: int) -> None:
    """Cases 22 and 23."""
    service = FaultyService(statuses=["failed"])
    wanted = plan(pull_identity=WHO, registry_id=REGISTRY, pull_grace_s=600)
    error = _failed(Registry(access), service, wanted)
    assert service.count("create_version") == posts
    assert error.lasting is (posts == 1)
