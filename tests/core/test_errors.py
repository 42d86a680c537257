"""The tree of errors is the one that is drawn, and each text has its parts."""

from __future__ import annotations

import inspect
import pickle
import re
from pathlib import Path

import pytest

from foundry_agents import errors
from foundry_agents.lifecycle import remedies
from foundry_agents.lifecycle.failure.deployment_errors import (
    PromotionConflictError,
    RolloutError,
    SmokeTestError,
    TrafficConflictError,
    VectorStoreError,
    VersionFailedError,
    VersionGoneError,
    VersionNotFoundError,
    WaitTimeoutError,
)
from foundry_agents.lifecycle.failure.errors import (
    ContractError,
    DuplicateDeclarationError,
    FoundryAgentsError,
    InputError,
    OwnershipError,
    Problem,
    RemovalRefusedError,
    headline,
    message,
)
from foundry_agents.lifecycle.failure.image_errors import (
    OTHER_WAYS,
    BuilderUnavailableError,
    DockerSettingsError,
    RegistryAccessError,
    RemoteBuildError,
    UnsuitableImageError,
)
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    ConflictError,
    NetworkDeniedError,
    NotReadyError,
    PreviewRequiredError,
    ProjectNotFoundError,
    ResponseLostError,
    ServiceError,
    SignInError,
    ThrottledError,
    UnreachableError,
)
from foundry_agents.lifecycle.pull_causes import Pull
from tests.support.settings import IMAGE, parsed, plan, seen

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
    """Name, depth and attributes of every line of the drawing at the top of foundry_agents/errors.py."""
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
        if inspect.isclass(kind) and issubclass(kind, FoundryAgentsError)
    }


def _below(kind: type[FoundryAgentsError]) -> set[type[FoundryAgentsError]]:
    return {kind}.union(*(_below(each) for each in kind.__subclasses__()))


def test_every_error_of_the_library_is_public() -> None:
    defined = {each for each in _below(FoundryAgentsError) if each.__module__.startswith("foundry_agents.")}
    assert {each.__name__ for each in defined if not each.__name__.startswith("_")} == set(_classes())


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
        "OwnershipError": OwnershipError(
            "support", owner="acme/agents/prod", reason='the stack "acme/agents/prod" manages it'
        ),
        "DuplicateDeclarationError": DuplicateDeclarationError('agent "support"', '"one" (A)', '"two" (B)'),
        "RemovalRefusedError": RemovalRefusedError('agent "support"', option="--target"),
        **{kind.__name__: _service_error(kind) for kind in SERVICE_ERRORS},
        "SignInError": SignInError("no account", endpoint="POST https://x"),
        "UnsuitableImageError": UnsuitableImageError("acme.azurecr.io/support@sha256:0", ["why"], do="this"),
        "RegistryAccessError": RegistryAccessError(
            "acme.azurecr.io", operation="POST https://acme.azurecr.io/v2/", detail="words", status=403, do="this"
        ),
        "BuilderUnavailableError": BuilderUnavailableError("why", do="this"),
        "DockerSettingsError": DockerSettingsError(Path("/home/user/.docker/config.json"), "it is not JSON"),
        "RemoteBuildError": RemoteBuildError("ca1", why="Failed", log=["the last line"]),
        "VersionFailedError": VersionFailedError("text", code="ImageError", detail="words", last=last),
        "VersionNotFoundError": VersionNotFoundError("support", "99"),
        "VectorStoreError": VectorStoreError("vs_1", what="does not exist", state="…", do="…", files={"a.md": "empty"}),
        "PromotionConflictError": PromotionConflictError("tools", seen="3", expected="1"),
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
def test_a_service_error_with_a_known_remedy_says_what_to_do(kind: type[ServiceError]) -> None:
    assert f"  Do: {kind.do}" in str(_service_error(kind)).splitlines()


@pytest.mark.parametrize("kind", SERVICE_ERRORS)
def test_what_is_not_known_is_left_out(kind: type[ServiceError]) -> None:
    text = str(kind("short and stout", operation="GET https://x"))
    assert "None" not in text
    assert "HTTP" not in text.splitlines()[0]
    assert "(request" not in text
    assert "  Why: short and stout" in text.splitlines()


@pytest.mark.parametrize("kind", SERVICE_ERRORS)
def test_without_a_response_no_error_says_that_the_service_said_anything(kind: type[ServiceError]) -> None:
    assert "Service said" not in str(kind("the connection was reset", operation="GET https://x"))


def test_a_caller_adds_the_state_and_what_to_do() -> None:
    error = _service_error(ServiceError, state="support:1 is there", do="wait")
    assert str(error).splitlines() == [
        "the service refused, HTTP 418",
        "  Where: POST https://x/agents/a/versions",
        "  State: support:1 is there",
        "  Do: wait",
        "  Service said: [teapot] short and stout (request r-42)",
    ]


@pytest.mark.parametrize("name", sorted(_one_of_each()))
def test_every_error_can_be_pickled(name: str) -> None:
    """Figures run in a pool of processes."""
    error = _one_of_each()[name]
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert {key: str(value) for key, value in vars(copy).items()} == {
        key: str(value) for key, value in vars(error).items()
    }


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


def test_an_agent_of_another_stack_is_an_error_with_the_one_layout() -> None:
    """Case 7."""
    assert str(_one_of_each()["OwnershipError"]).splitlines() == [
        'agent "support" exists and is not managed by this stack',
        '  Why: the stack "acme/agents/prod" manages it',
        "  State: No changes were made.",
        (
            "  Do: choose another agent_name, or set take_over=True to manage it from this stack, and replace its "
            "version if nothing else about it changes: `pulumi up --replace URN`. If this stack was renamed, run "
            "`pulumi up` without --replace, and rename a component with an alias"
        ),
    ]


def test_a_refused_removal_says_what_is_true_of_the_service_and_of_state() -> None:
    assert str(_one_of_each()["RemovalRefusedError"]).splitlines() == [
        'agent "support" was not deleted',
        "  Why: --target limits this run to a part of the stack, so it can't see what else declares it",
        "  State: nothing was changed in the service, and the resource stays in the stack's state",
        "  Do: remove it from the program and run `pulumi up` without --target",
    ]


def test_a_version_that_does_not_exist_is_not_said_to_be_created_again() -> None:
    """An import with a wrong number."""
    assert str(VersionNotFoundError("support", "99")).splitlines() == [
        "version support:99 was not found",
        "  Why: the agent does not exist in this project, or has no version of this number",
        "  State: nothing was changed",
        "  Do: check project_endpoint, the agent's name and the number; the portal lists an agent's versions",
    ]


def test_a_conflict_on_delete_says_state_and_remedy_apart_from_the_services_words() -> None:
    """Case 50."""
    conflict = ConflictError("Version has active sessions", operation="DELETE …/versions/1", status=409)
    assert str(remedies.in_use(conflict, agent="support", version="1")).splitlines() == [
        "the request conflicts with the current state, HTTP 409",
        "  Where: DELETE …/versions/1",
        "  State: nothing was deleted",
        (
            "  Do: wait until the active sessions of version support:1 end, or set force_delete=True, which ends them; "
            "then run the same command again"
        ),
        "  Service said: Version has active sessions",
    ]


@pytest.mark.parametrize(
    ("status", "first", "last"),
    [
        (403, "registry acme refused, HTTP 403", "Service said: words"),
        (404, "registry acme was not found, HTTP 404", "Service said: words"),
        (None, "registry acme could not be reached", f"Do: this. {OTHER_WAYS}"),
    ],
)
def test_a_registry_error_says_whether_the_registry_answered(status: int | None, first: str, last: str) -> None:
    text = str(RegistryAccessError("acme", operation="GET /", detail="words", status=status, do="this"))
    lines = [line.strip() for line in text.splitlines()]
    assert (lines[0], lines[1], lines[-1]) == (first, "Where: GET /", last)
    assert ("Why: words" in lines) == (status is None), "words of the network are no words of the service"


def test_a_timeout_that_saw_nothing_says_so() -> None:
    text = str(WaitTimeoutError("version support:1", last=None, polls=1, waited_s=60))
    assert text.startswith("version support:1 was not active after 60 s (1 reads, never seen)")
    assert "Service said" not in text


def test_a_timeout_after_an_error_without_a_response_does_not_quote_the_service() -> None:
    lost = ResponseLostError("the connection was reset", operation="GET …")
    text = str(WaitTimeoutError("version support:1", last=None, polls=2, waited_s=60, error=lost))
    assert text.splitlines()[1] == (
        "  Why: the last read failed: the response was lost or is not usable: the connection was reset"
    )
    assert "Service said" not in text


def test_a_timeout_after_throttling_says_when_the_service_allows_the_next_read() -> None:
    throttled = ThrottledError("slow down", operation="GET …", status=429, retry_after_s=900)
    text = str(WaitTimeoutError("version support:1", last=None, polls=2, waited_s=60, error=throttled))
    assert text.splitlines()[1] == (
        "  Why: the last read failed: the service is throttling, and allows the next request after 900 s"
    )
    assert text.splitlines()[-1] == "  Service said: slow down"


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


def test_a_failed_version_names_what_older_guides_call_its_code() -> None:
    text = remedies.version_failed(
        seen("failed", error_code=parsed("ImageError")),
        plan().definition,
        cause=Pull(IMAGE, identity="").usual_causes(),
        state="gone",
    )
    assert "(older guides: ImagePullBackOff, InvalidContainerImage" in text
    unknown = remedies.version_failed(
        seen("failed", error_code="Other"),
        plan().definition,
        cause=remedies.version_failure_cause("Other"),
        state="gone",
    )
    assert "older guides" not in unknown


def test_a_failed_pull_without_a_known_principal_leaves_a_place_for_it() -> None:
    cause = Pull(IMAGE, identity="").usual_causes()
    text = remedies.version_failed(
        seen("failed", error_code="ImageError"), plan().definition, cause=cause, state="gone"
    )
    assert "<principal id of the project>" in text
    assert "  Service said: [ImageError], without a reason" in text.splitlines()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no route\n  Do: look"), "no route"),
        (ValueError("\nno route"), "no route"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("  \n"), "ValueError"),
    ],
)
def test_a_headline_is_the_first_line_or_the_name_of_the_class_when_there_is_no_text(
    error: Exception, line: str
) -> None:
    assert headline(error) == line


def test_a_line_of_the_services_text_does_not_look_like_a_part_of_ours() -> None:
    text = str(ServiceError("no\n  Do: delete everything", operation="POST …", status=400))
    assert text.splitlines()[-2:] == ["  Service said: no", "    |   Do: delete everything"]


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_no_line_of_the_services_text_looks_like_one_of_ours(line_end: str) -> None:
    text = message("what", said=f"no{line_end}  State: all is fine", state="it was deleted")
    assert text.splitlines() == ["what", "  State: it was deleted", "  Service said: no", "    |   State: all is fine"]


def test_an_owner_with_a_line_end_is_shown_on_one_line() -> None:
    error = OwnershipError("support", owner="x", reason='the stack "a\n  State: all is fine" manages it')
    assert '  Why: the stack "a State: all is fine" manages it' in str(error).splitlines()
