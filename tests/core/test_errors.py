"""The tree of errors is the one that is drawn, and each text has its parts."""

from __future__ import annotations

import inspect
import re

import pytest

from foundry_agents.lifecycle import remedies
from foundry_agents.lifecycle.failure import errors
from foundry_agents.lifecycle.failure.errors import (
    AccessDeniedError,
    BuilderUnavailableError,
    ConflictError,
    ContractError,
    DuplicateDeclarationError,
    FoundryAgentsError,
    InputError,
    NetworkDeniedError,
    NotReadyError,
    OwnershipError,
    PreviewRequiredError,
    Problem,
    ProjectNotFoundError,
    RegistryAccessError,
    RemoteBuildError,
    RemovalRefusedError,
    ResponseLostError,
    RolloutError,
    ServiceError,
    SignInError,
    SmokeTestError,
    ThrottledError,
    TrafficConflictError,
    UnreachableError,
    UnsuitableImageError,
    VersionFailedError,
    VersionGoneError,
    WaitTimeoutError,
    message,
)
from foundry_agents.lifecycle.pull_causes import Pull
from tests.support.settings import IMAGE, plan, seen

SERVICE_ERRORS = [
    ServiceError,
    AccessDeniedError,
    NetworkDeniedError,
    PreviewRequiredError,
    ProjectNotFoundError,
    ConflictError,
    ThrottledError,
    NotReadyError,
    ResponseLostError,
    UnreachableError,
]


def _drawn() -> list[tuple[str, int, list[str]]]:
    """Name, depth and attributes of every line of the drawing at the top of errors.py."""
    rows = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]  # it has one
        if match := re.fullmatch(r"([│ ]*[├└]── )?(\w+)(?: +(.*))?", line):
            if not match[1] and match[2] != "FoundryAgentsError":
                continue
            rows.append((match[2], len(match[1] or "") // 4, re.findall(r"\.([a-z_]+)", match[3] or "")))
    return rows


def _classes() -> dict[str, type[FoundryAgentsError]]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, FoundryAgentsError) and kind.__module__ == errors.__name__
    }


def test_the_drawing_names_every_error_and_no_other() -> None:
    assert sorted(name for name, _, _ in _drawn()) == sorted(_classes())


def test_the_drawing_has_every_error_under_its_parent() -> None:
    path: list[str] = []
    for name, depth, _ in _drawn():
        path[depth:] = [name]
        parents = [kind.__name__ for kind in _classes()[name].__mro__[1:] if issubclass(kind, FoundryAgentsError)]
        assert parents == path[:-1][::-1]


def _one_of_each() -> dict[str, FoundryAgentsError]:
    last = seen("creating")
    return {
        "FoundryAgentsError": FoundryAgentsError("x"),
        "InputError": InputError("the agent's settings", [Problem("cpu", "must be a number")]),
        "OwnershipError": OwnershipError("support", owner="acme/agents/prod", reason="somebody's"),
        "DuplicateDeclarationError": DuplicateDeclarationError('agent "support"', '"one" (A)', '"two" (B)'),
        "RemovalRefusedError": RemovalRefusedError('agent "support"', option="--target"),
        **{kind.__name__: _service_error(kind) for kind in SERVICE_ERRORS},
        "SignInError": SignInError("no account", endpoint="POST https://x"),
        "UnsuitableImageError": UnsuitableImageError("acme.azurecr.io/support@sha256:0", ["why"], do="this"),
        "RegistryAccessError": RegistryAccessError(
            "acme.azurecr.io", operation="POST https://acme.azurecr.io/v2/", detail="words", status=403, do="this"
        ),
        "BuilderUnavailableError": BuilderUnavailableError("why", do="this"),
        "RemoteBuildError": RemoteBuildError("ca1", why="Failed", log=["the last line"]),
        "VersionFailedError": VersionFailedError("text", code="ImageError", detail="words", last=last),
        "VersionGoneError": VersionGoneError("version support:1", last=last),
        "WaitTimeoutError": WaitTimeoutError("version support:1", last=last, polls=3, waited_s=60.2),
        "SmokeTestError": SmokeTestError("smoke test on support:1", "no answer"),
        "TrafficConflictError": TrafficConflictError("support", seen="100 % on 3", expected="100 % on 1"),
        "RolloutError": RolloutError("text", restored=True),
        "ContractError": ContractError("text"),
    }


def _service_error(kind: type[ServiceError], **more: object) -> ServiceError:
    details: dict[str, object] = {"operation": "POST https://x/agents/a/versions", "status": 418, "code": "teapot"}
    details |= {"request_id": "r-42"}
    return kind("short and stout", **{**details, **more})  # type: ignore[arg-type]  # tests pass fitting types


def test_there_is_an_example_of_every_error() -> None:
    assert set(_one_of_each()) == set(_classes())


def test_every_error_has_the_attributes_that_the_drawing_gives_it() -> None:
    for name, _, attributes in _drawn():
        assert [attribute for attribute in attributes if not hasattr(_one_of_each()[name], attribute)] == []


def test_every_error_can_be_caught_by_the_root() -> None:
    assert all(isinstance(error, FoundryAgentsError) for error in _one_of_each().values())


@pytest.mark.parametrize("kind", SERVICE_ERRORS)
def test_a_service_error_says_what_where_what_the_service_said_and_the_request_id(kind: type[ServiceError]) -> None:
    first, *rest = str(_service_error(kind)).splitlines()
    assert first == f"{kind.what}, HTTP 418"
    assert "  Where: POST https://x/agents/a/versions" in rest
    assert "  Service said: [teapot] short and stout (request r-42)" in rest


@pytest.mark.parametrize("kind", [AccessDeniedError, ProjectNotFoundError, ResponseLostError, UnreachableError])
def test_a_service_error_that_somebody_can_mend_says_what_to_do(kind: type[ServiceError]) -> None:
    assert f"  Do: {kind.do}" in str(_service_error(kind)).splitlines()


@pytest.mark.parametrize("kind", SERVICE_ERRORS)
def test_what_is_not_known_is_left_out(kind: type[ServiceError]) -> None:
    text = str(kind("short and stout", operation="GET https://x"))
    assert "None" not in text
    assert "HTTP" not in text.splitlines()[0]
    assert "(request" not in text
    assert "  Service said: short and stout" in text.splitlines()


def test_a_state_that_a_caller_knows_is_added() -> None:
    assert "  State: support:1 is there" in _service_error(ServiceError).text(state="support:1 is there").splitlines()


def test_a_missing_permission_names_the_roles_by_guid() -> None:
    """Case 32."""
    text = str(_service_error(AccessDeniedError, status=403))
    assert "53ca6127-db72-4b80-b1b0-d745d6d5456d" in text
    assert "eadc314b-1a2d-4efa-be10-5d325db5065e" in text


@pytest.mark.parametrize("name", ["OwnershipError", "SignInError", "WaitTimeoutError"])
def test_every_other_finished_text_says_state_and_what_to_do(name: str) -> None:
    text = str(_one_of_each()[name])
    assert "\n  State: " in text
    assert "\n  Do: " in text


def test_a_refusal_of_what_is_not_ours_names_agent_and_state() -> None:
    """Case 7."""
    text = str(_one_of_each()["OwnershipError"])
    assert text.startswith('agent "support" exists and is not managed by this stack')
    assert "No changes were made." in text
    assert "take_over=True" in text


def test_a_timeout_that_saw_nothing_says_so() -> None:
    text = str(WaitTimeoutError("version support:1", last=None, polls=1, waited_s=60))
    assert text.startswith("version support:1 was not active after 60 s (1 reads, never seen)")


def test_a_message_has_its_parts_in_one_order() -> None:
    text = message("what", where="here", why="because", state="as it was", do="this", said="no", request_id="r-1")
    assert text.splitlines() == [
        "what",
        "  Where: here",
        "  Why: because",
        "  State: as it was",
        "  Do: this",
        "  Service said: no (request r-1)",
    ]


def test_a_request_id_without_words_is_still_shown() -> None:
    assert message("what", request_id="r-1").splitlines() == ["what", "  Service said: (request r-1)"]


def test_an_error_other_than_a_conflict_is_not_about_sessions() -> None:
    error = _service_error(AccessDeniedError)
    assert remedies.in_use(error, agent="support", version="1") is error


def test_a_failed_pull_without_a_known_principal_leaves_a_place_for_it() -> None:
    cause = Pull(IMAGE, identity="").usual_causes()
    text = remedies.version_failed(
        seen("failed", error_code="ImageError"), plan().definition, cause=cause, state="gone"
    )
    assert "<principal id of the project>" in text
    assert "[ImageError] no reason was given" in text
