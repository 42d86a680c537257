"""Toolbox versions: create or adopt with one POST at most, promote, and retire what nothing uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from foundry_agents.lifecycle.failure.deployment_errors import PromotionConflictError, WaitTimeoutError
from foundry_agents.lifecycle.failure.errors import InputError, OwnershipError
from foundry_agents.lifecycle.failure.service_errors import ResponseLostError, ServiceError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.outcomes import Outcome, Retired
from foundry_agents.lifecycle.ownership import Claim, Identity, Owner, Verdict, toolbox_identity
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.toolboxes import (
    Retirement,
    ToolboxPlan,
    create_or_adopt,
    endpoint_of,
    plan_retirement,
    retire,
)
from foundry_agents.lifecycle.views import AgentEnvironment, ToolboxVersionView
from foundry_agents.testing import FastClock, MemoryToolboxes
from tests.support.claims import LIVES, PROVED, STAYS, Judged
from tests.support.rollouts import Killed
from tests.support.settings import ENDPOINT, OTHER_OWNER, OWNER, parsed

TOOLS: Mapping[str, Mapping[str, object]] = {
    "web_search": {"type": "web_search"},
    "docs": {"type": "mcp", "server_label": "docs", "server_url": "https://x.example"},
}
PLAN = ToolboxPlan("support", TOOLS, OwnershipMetadata("v1:a", OWNER), PollSettings(60, 5))


@dataclass
class Faulty(MemoryToolboxes):
    """``faults`` are of the next POSTs: "lost" (not carried out), "committed" (carried out) or "" (fine)."""

    faults: list[str] = field(default_factory=list)

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            self.calls.append(f"create_version {toolbox}")
            raise ResponseLostError("reset", operation="POST …")
        made = super().create_version(toolbox, tools, description, metadata)
        if fault == "committed":
            raise ResponseLostError("reset", operation="POST …")
        return made

    def default_version(self, toolbox: str) -> str | None:
        seen = super().default_version(toolbox)
        return seen and parsed(seen)

    def has(self, number: str, ownership: OwnershipMetadata | None) -> None:
        view = ToolboxVersionView("support", number, ownership.as_metadata() if ownership else {})
        self.versions.setdefault("support", {})[number] = view
        self._numbers["support"] = int(number)
        self.defaults.setdefault("support", number)

    def posts(self) -> int:
        return self.calls.count("create_version support")


def make(service: MemoryToolboxes, plan: ToolboxPlan = PLAN) -> tuple[str, bool, list[str]]:
    lines: list[str] = []
    made = create_or_adopt(service, plan, FastClock(), lines.append)
    return made.view.version, made.outcome is Outcome.ADOPTED, lines


def other(fingerprint: str, **changed: object) -> ToolboxPlan:
    return replace(PLAN, ownership=OwnershipMetadata(fingerprint, OWNER), **changed)  # type: ignore[arg-type]


# --- Create or adopt -------------------------------------------------------------------------------------------------


def test_the_first_version_is_one_post_and_is_the_default_by_itself() -> None:
    service = Faulty()
    assert make(service) == ("1", False, ["posted toolbox support:1"])
    assert service.writes == ["create_version support"]
    assert service.tools["support:1"] == [TOOLS["docs"], TOOLS["web_search"]], "sorted by name"


def test_whether_a_new_toolbox_may_have_its_name_is_asked_before_its_first_version_only() -> None:
    service, asked = Faulty(), list[int]()
    plan = replace(PLAN, before_new=lambda: asked.append(service.posts()))
    make(service, plan)
    make(service, replace(plan, ownership=OwnershipMetadata("v1:b", OWNER)))
    assert service.posts() == 2
    assert asked == [0]


@pytest.mark.parametrize(("callers", "more"), [(8, False), (9, True)])
def test_at_most_eight_versions_that_call_a_former_toolbox_are_named(callers: int, more: bool) -> None:  # noqa: FBT001
    service = Faulty()
    for number in range(callers):
        service.environments[f"agent:{number}"] = (endpoint_of(ENDPOINT, "support", "1"),)
    warned: list[str] = []
    create_or_adopt(service, PLAN, FastClock(), print, warned.append)
    (warning,) = warned
    assert (warning.count("agent:"), " and more" in warning) == (8, more)


def test_the_same_again_is_no_write() -> None:
    """Case 12."""
    service = Faulty()
    make(service)
    writes = list(service.writes)
    assert make(service) == ("1", True, ["adopted toolbox support:1 (same tools, no POST)"])
    assert service.writes == writes


def test_a_new_version_is_promoted() -> None:
    """The service leaves the default at 1 [recorded]."""
    service = Faulty()
    make(service)
    assert make(service, other("v1:b"))[0] == "2"
    assert service.writes == ["create_version support", "create_version support", "promote support:2"]


def test_versions_of_agents_that_call_a_former_toolbox_by_number_are_named_when_it_is_made_again() -> None:
    """Finding D: its numbers begin at 1 again, so a kept version of an agent calls other tools."""
    service = Faulty()
    service.environments["support:1"] = ("Hello", endpoint_of(ENDPOINT, "support", "1"))
    service.environments["support:2"] = (endpoint_of(ENDPOINT, "support", "2"),)
    service.environments["other:1"] = (endpoint_of(ENDPOINT, "other", "1"),)
    warned: list[str] = []

    create_or_adopt(service, PLAN, FastClock(), print, warned.append)
    (warning,) = warned
    assert "its numbers begin at 1 again: support:1, support:2 call versions of the former one" in warning
    assert ENDPOINT not in warning

    create_or_adopt(service, other("v1:b"), FastClock(), print, warned.append)
    assert len(warned) == 1, "a toolbox that is there is no new one"


def test_a_new_toolbox_that_nothing_calls_is_no_warning_and_agents_that_can_not_be_read_neither() -> None:
    """Finding D."""

    class Closed(Faulty):
        def agent_environments(self) -> Iterator[AgentEnvironment]:
            raise ResponseLostError("reset", operation="GET agents")

    for service in (Faulty(), Closed()):
        warned: list[str] = []
        create_or_adopt(service, PLAN, FastClock(), print, warned.append)
        assert warned == []
        assert set(service.versions["support"]) == {"1"}


def test_a_version_that_shall_not_be_the_default_is_not_promoted() -> None:
    service = Faulty()
    make(service)
    service.calls.clear()
    make(service, other("v1:b", promote=False))
    assert service.defaults == {"support": "1"}
    assert "promote support:2" not in service.calls
    assert service.calls.count("default_version support") == 1, "to compare it with the list"


def test_a_run_that_was_cut_before_the_promotion_is_gone_on_with() -> None:
    """Case 11: next up 0 new versions, 1 PATCH, default 2."""
    service = Faulty()
    make(service)
    make(service, other("v1:b", promote=False))
    service.calls.clear()
    make(service, other("v1:b"))
    assert service.writes == ["promote support:2"]
    assert service.defaults == {"support": "2"}


def test_a_revert_adopts_with_no_post() -> None:
    """Case 9."""
    service = Faulty()
    make(service)
    make(service, other("v1:b"))
    service.calls.clear()
    assert make(service)[:2] == ("1", True)
    assert service.writes == ["promote support:1"]


@pytest.mark.parametrize(("fault", "posts"), [("committed", 1), ("lost", 2)])
def test_a_lost_answer_makes_one_version(fault: str, posts: int) -> None:
    """Cases 2 and 3."""
    service = Faulty(faults=[fault])
    make(service)
    assert list(service.versions["support"]) == ["1"]
    assert service.posts() == posts


def test_an_answer_that_is_lost_twice_is_an_error() -> None:
    with pytest.raises(ResponseLostError):
        make(Faulty(faults=["lost", "lost"]))


@pytest.mark.parametrize("ownership", [None, OwnershipMetadata("v1:a", OTHER_OWNER)])
def test_a_toolbox_that_is_not_ours_is_refused_with_no_write(ownership: OwnershipMetadata | None) -> None:
    """Case 7."""
    service = Faulty()
    service.has("1", ownership)
    with pytest.raises(OwnershipError) as caught:
        make(service)
    assert str(caught.value).startswith('toolbox "support" exists and is not managed by this stack')
    assert "toolbox_name" in str(caught.value)
    assert "  State: No changes were made." in str(caught.value).splitlines()
    assert service.writes == []
    made = create_or_adopt(service, replace(PLAN, take_over=True), FastClock(), lambda _line: None)
    assert (made.view.version, made.outcome) == ("2", Outcome.CREATED)
    theirs = service.versions["support"]["1"]
    assert made.owner.owns(theirs), "what it has taken over is its own from now on"


def test_a_plan_that_takes_nothing_over_owns_only_what_its_stack_has_made() -> None:
    service = Faulty()
    service.has("1", OwnershipMetadata("v1:x", OWNER))
    service.has("2", None)
    made = create_or_adopt(service, PLAN, FastClock(), lambda _line: None)
    assert [made.owner.owns(view) for view in service.versions["support"].values()] == [True, False, True]


@pytest.mark.parametrize(("fault", "number"), [("", "3"), ("committed", "3"), ("lost", "3")])
def test_a_stack_that_takes_a_toolbox_back_posts_also_where_it_has_made_the_same_before(
    fault: str, number: str
) -> None:
    service = Faulty(faults=[fault])
    service.has("1", PLAN.ownership)
    service.has("2", OwnershipMetadata("v1:b", OTHER_OWNER))
    version, adopted, _lines = make(service, replace(PLAN, take_over=True))
    assert (version, adopted) == (number, False)
    assert service.defaults == {"support": number}


def test_a_connection_that_the_project_has_not_is_named_before_any_write() -> None:
    service = Faulty(connections={"there"})
    tools = {name: {"type": "mcp", "project_connection_id": name} for name in ("there", "gone", "lost")}
    with pytest.raises(InputError) as caught:
        make(service, replace(PLAN, tools=tools))
    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["tools.gone.project_connection_id", "tools.lost.project_connection_id"]
    assert service.writes == []


@dataclass
class Dying(Faulty):
    """The process ends at one call: before it is carried out, or after, when its response is lost."""

    at: int = 0
    before: bool = True

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in {"default_version", "list_versions", "create_version", "promote"} and self.at:
            return partial(self._may_die, found)
        return found

    def _may_die(self, call: Callable[..., object], *given: object) -> object:
        self.at -= 1
        if not self.at and self.before:
            raise Killed
        answer = call(*given)
        answer = list(answer) if isinstance(answer, Iterator) else answer
        if not self.at:
            raise Killed
        return answer


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_run_that_is_killed_at_any_call_leaves_nothing_that_the_next_one_does_not_pick_up(
    at: int, *, before: bool
) -> None:
    """Case 1 for toolboxes: one version of each tools, the newer one the default."""
    service = Dying()
    make(service)
    service.at, service.before = at, before
    with pytest.raises(Killed):
        make(service, other("v1:b"))
    make(service, other("v1:b"))
    assert list(service.versions["support"]) == ["1", "2"]
    assert service.defaults == {"support": "2"}


# --- The default -----------------------------------------------------------------------------------------------------


@dataclass
class Promoting(Faulty):
    """A service with another writer, or with responses to a promotion that are lost or late.

    Attributes:
        writes_before: What another writer makes the default just before ours is promoted; "" for none.
        writes_after: The same, just after.
        loses: What becomes of promotions whose response is lost: "lost" (not carried out) or "committed".
        stale: How many reads after a promotion show the former default.
    """

    writes_before: str = ""
    writes_after: str = ""
    loses: list[str] = field(default_factory=list)
    stale: int = 0
    _former: str | None = None

    def default_version(self, toolbox: str) -> str | None:
        seen = super().default_version(toolbox)
        if self._former and self.stale:
            self.stale -= 1
            return self._former
        return seen

    def create_version(
        self, toolbox: str, tools: list[Mapping[str, object]], description: str, metadata: Mapping[str, str]
    ) -> ToolboxVersionView:
        made = super().create_version(toolbox, tools, description, metadata)
        if self.writes_before:
            self.defaults[toolbox] = self.writes_before
        return made

    def promote(self, toolbox: str, version: str) -> None:
        self._former = self.defaults[toolbox]
        fault = self.loses.pop(0) if self.loses else ""
        if fault != "lost":
            super().promote(toolbox, version)
        if self.writes_after:
            self.defaults[toolbox] = self.writes_after
        if fault:
            raise ResponseLostError("reset", operation="PATCH …")


def promoting(**more: object) -> Promoting:
    """A toolbox with versions 1 (default) and 2, both of this stack."""
    service = Promoting(**more)  # type: ignore[arg-type]  # tests pass fitting types
    service.has("1", OwnershipMetadata("v1:x", OWNER))
    service.has("2", OwnershipMetadata("v1:y", OWNER))
    return service


def test_another_writer_before_the_promotion_stops_it_and_nothing_is_promoted() -> None:
    """As for traffic: reading before the write narrows the race."""
    service = promoting(writes_before="2")
    with pytest.raises(PromotionConflictError) as caught:
        make(service)
    assert service.writes == ["create_version support"]
    assert service.defaults == {"support": "2"}
    assert caught.value.seen == "2"
    assert str(caught.value).splitlines() == [
        'the default version of toolbox "support" was changed by another writer: expected 1, found 2',
        "  State: the default is 2; nothing more was changed",
        (
            "  Do: find out who else promotes versions of this toolbox; then run `pulumi up` again. Reading before and "
            "after the write narrows this race; it is not a lock"
        ),
    ]


def test_another_writer_after_the_promotion_is_noticed_and_not_overwritten() -> None:
    service = promoting(writes_after="2")
    with pytest.raises(PromotionConflictError, match="expected 1, found 2"):
        make(service)
    assert service.writes == ["create_version support", "promote support:3"]
    assert service.defaults == {"support": "2"}


@pytest.mark.parametrize("fault", ["lost", "committed"])
def test_a_promotion_whose_response_is_lost_is_read_and_sent_again_only_if_it_was_not_carried_out(fault: str) -> None:
    """Case 1."""
    service = promoting(loses=[fault])
    assert make(service)[0] == "3"
    assert service.writes == ["create_version support", "promote support:3"]
    assert service.defaults == {"support": "3"}


def test_a_promotion_is_read_back_until_it_shows() -> None:
    service = promoting(stale=3)
    assert make(service)[2][-1] == "toolbox support: 3 is the default now"
    assert service.stale == 0


def test_a_promotion_of_an_older_version_is_read_back_until_it_shows() -> None:
    service = promoting(stale=3)
    service.defaults["support"] = "2"
    assert make(service, other("v1:x"))[:2] == ("1", True)
    assert service.stale == 0


@pytest.mark.parametrize("fault", ["lost", "committed"])
def test_a_lost_promotion_of_an_older_version_is_sent_again_only_if_it_was_not_carried_out(fault: str) -> None:
    service = promoting(loses=[fault])
    service.defaults["support"] = "2"
    make(service, other("v1:x"))
    assert service.defaults == {"support": "1"}
    assert service.writes == ["promote support:1"]


def test_a_promotion_that_never_shows_is_an_error_at_the_deadline() -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        make(promoting(stale=999))
    assert str(caught.value).splitlines()[0] == (
        "version 3 of toolbox support was not the default after 60 s (13 reads, last seen 1 as the default)"
    )


# --- Which go --------------------------------------------------------------------------------------------------------


def planned(
    version: str,
    *,
    have: str = "1 2 3",
    default: str = "3",
    used: str = "",
    fresh: str = "",
    lives: bool = True,
    foreign: str = "",
) -> Retirement:
    history = [
        ToolboxVersionView(
            "support",
            number,
            {} if number in foreign.split() else OwnershipMetadata(f"v1:{number}", OWNER).as_metadata(),
        )
        for number in reversed(have.split())
    ]
    return plan_retirement(
        history,
        default=default,
        version=version,
        owner=Owner(OWNER),
        used=used.split(),
        fresh=fresh.split(),
        lives=lives,
    )


def test_a_replaced_version_is_deleted_with_older_unused_ones() -> None:
    assert planned("2", fresh="3") == Retirement(("1", "2"))


def test_a_replaced_version_that_a_version_of_an_agent_calls_stays() -> None:
    """So that a rollback finds the tools it was tested with."""
    assert planned("2", fresh="3", used="2") == Retirement(("1",))
    assert planned("2", fresh="3", used="1") == Retirement(("2",))


def test_a_newer_version_stays_while_the_program_declares_the_toolbox() -> None:
    """It may be the one of a run that was cut before it deleted this one."""
    assert planned("1", default="1", have="1 2", fresh="") == Retirement()
    assert planned("1", default="2", have="1 2", fresh="") == Retirement(("1",))


def test_after_a_revert_the_newer_one_goes_and_the_adopted_one_stays() -> None:
    assert planned("2", have="1 2", default="1", fresh="1") == Retirement(("2",))


def test_the_default_of_a_toolbox_that_lives_on_stays() -> None:
    assert planned("1", default="1", fresh="3") == Retirement()
    assert planned("2", default="1", fresh="3") == Retirement(("2",))


def test_the_last_own_version_takes_the_toolbox_along() -> None:
    assert planned("1", have="1", default="1", lives=False) == Retirement(("1",), whole=True)


def test_a_destroy_leaves_none() -> None:
    """Also newer left-overs of a revert, whatever the default is."""
    assert planned("1", default="1", lives=False) == Retirement(("1", "2", "3"), whole=True)
    assert planned("3", default="1", lives=False) == Retirement(("1", "2", "3"), whole=True)


def test_a_destroy_leaves_what_others_use_and_have_made_and_the_default_goes_last() -> None:
    assert planned("3", used="2", lives=False) == Retirement(("1", "3"), promoted="2")
    assert planned("3", foreign="1", lives=False) == Retirement(("2", "3"), promoted="1")
    assert planned("2", default="1", foreign="1", lives=False) == Retirement(("2", "3"))


def test_the_newest_version_that_stays_becomes_the_default() -> None:
    assert planned("3", foreign="1 2", lives=False) == Retirement(("3",), promoted="2")


# --- Retire ----------------------------------------------------------------------------------------------------------


def retired(service: MemoryToolboxes, version: str, claim: Claim, fresh: set[str] | None = None) -> tuple[Retired, str]:
    return retire(
        service,
        "support",
        version,
        owner=Owner(OWNER),
        claim=claim,
        fresh=fresh or set(),
        clock=FastClock(),
        patience=PollSettings(60, 5),
        progress=lambda _line: None,
    )


def gone(service: MemoryToolboxes, version: str, *, fresh: set[str] | None = None, lives: bool = True) -> Retired:
    return retired(service, version, LIVES if lives else PROVED, fresh)[0]


def test_the_default_is_deleted_after_another_was_promoted() -> None:
    service = Faulty()
    service.has("1", None)
    service.has("2", OwnershipMetadata("v1:a", OWNER))
    service.defaults["support"] = "2"
    assert gone(service, "2", lives=False) is Retired.DELETED
    assert service.writes == ["promote support:1", "delete_version support:2"]


def test_the_whole_toolbox_goes_in_one_request() -> None:
    service = Faulty()
    make(service)
    make(service, other("v1:b"))
    service.calls.clear()
    assert gone(service, "2", lives=False) is Retired.TOOLBOX_DELETED
    assert service.writes == ["delete_toolbox support"]


def test_a_version_that_an_agent_calls_is_kept_by_what_its_variables_say() -> None:
    service = Faulty()
    make(service)
    make(service, other("v1:b"))
    service.environments["support:1"] = ("Hello", endpoint_of(ENDPOINT, "support", "1"))
    assert gone(service, "1", fresh={"2"}) is Retired.KEPT_FOR_ROLLBACK
    assert set(service.versions["support"]) == {"1", "2"}
    service.environments.clear()
    assert gone(service, "1", fresh={"2"}) is Retired.DELETED
    assert set(service.versions["support"]) == {"2"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"{ENDPOINT}/toolboxes/support/mcp?api-version=v1",
        f"{ENDPOINT}/toolboxes/other/versions/1/mcp",
        f"{ENDPOINT}/toolboxes/support/versions/11/mcp",
        "1/mcp",
    ],
)
def test_a_variable_that_names_something_else_keeps_nothing(value: str) -> None:
    service = Faulty()
    make(service)
    make(service, other("v1:b"))
    service.environments["support:1"] = (value,)
    assert gone(service, "1", fresh={"2"}) is Retired.DELETED


def test_the_default_stays_while_a_variable_names_the_endpoint_without_a_version() -> None:
    service = Faulty()
    make(service)
    service.environments["support:1"] = (f"{ENDPOINT}/toolboxes/support/mcp?api-version=v1",)
    assert gone(service, "1", lives=False) is Retired.IN_USE
    assert set(service.versions["support"]) == {"1"}


def test_a_version_whose_ownership_is_not_proved_stays_and_the_reason_is_returned() -> None:
    service = Faulty()
    make(service)
    writes = list(service.writes)
    assert retired(service, "1", STAYS) == (Retired.UNPROVED, STAYS.reason)
    assert service.writes == writes


def test_a_claim_is_judged_by_the_identity_that_earlier_state_may_have_too() -> None:
    class Recorded(Judged):
        def on(self, found: Identity) -> Verdict:
            seen.append(found)
            return super().on(found)

    seen: list[Identity] = []
    service = Faulty()
    make(service)
    history = [replace(service.versions["support"]["1"], service_id="tb_1", created_at=1)]
    service.versions["support"]["1"] = history[0]
    retired(service, "1", Recorded("it"))
    assert seen == [toolbox_identity(history, with_earlier_state=True)]
    assert seen != [toolbox_identity(history)]


def test_a_version_that_is_missing_between_others_is_gone_and_the_others_stay() -> None:
    service = Faulty()
    for number in ("1", "3"):
        service.has(number, OwnershipMetadata(f"v1:{number}", OWNER))
    assert gone(service, "2", lives=False) is Retired.GONE
    assert service.writes == []


def test_what_is_missing_and_what_is_not_ours_is_reported() -> None:
    service = Faulty()
    assert gone(service, "1") is Retired.GONE
    service.has("1", OwnershipMetadata("v1:a", OTHER_OWNER))
    assert gone(service, "1") is Retired.NOT_OURS
    assert service.writes == []


def test_a_look_at_the_agents_that_fails_deletes_nothing() -> None:
    class Unreadable(Faulty):
        def agent_environments(self) -> Iterator[None]:  # type: ignore[override]
            raise ServiceError("no", operation="GET …/agents", status=403)

    service = Unreadable()
    make(service)
    writes = list(service.writes)
    with pytest.raises(ServiceError):
        gone(service, "1", lives=False)
    assert service.writes == writes
