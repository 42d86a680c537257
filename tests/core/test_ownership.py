"""Who owns what, and what may be deleted: destruction needs proof."""

from __future__ import annotations

import itertools

import pytest

from foundry_agents.lifecycle.failure.errors import OwnershipError, RemovalRefusedError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.ownership import (
    NO_OWNER,
    Answer,
    Claim,
    Owner,
    Run,
    agent_identity,
    claimed_twice,
    identity,
    is_recorded,
    owner_in,
    require_ownership,
    store_identity,
    toolbox_identity,
    verdict,
    version_of_toolbox,
)
from foundry_agents.lifecycle.views import AgentView, Route, ToolboxVersionView, VersionView
from tests.support.settings import OTHER_OWNER, OWNER

OURS, OTHER = frozenset({"guid:1"}), frozenset({"guid:2"})


def version(number: str = "1", owner: str | None = OWNER, status: str = "active", guid: str = "g") -> VersionView:
    metadata = OwnershipMetadata("v1:0", owner).as_metadata() if owner else {}
    return VersionView("support", number, status, metadata, created_at=7, principal_id=f"p-{guid}", guid=guid)


# --- Owner -----------------------------------------------------------------------------------------------------------


def test_a_stack_owns_what_it_has_made_and_nothing_else() -> None:
    """Case 7."""
    assert Owner(OWNER).owns(version())
    assert Owner(OWNER).made(version())
    assert not Owner(OWNER).owns(version(owner=OTHER_OWNER))
    assert not Owner(OWNER).owns(version(owner=None))


def test_a_stack_owns_what_it_has_taken_over_and_has_not_made_it() -> None:
    """Case 89."""
    owner = Owner(OWNER).taking_over([version(), version(owner=OTHER_OWNER), version(owner=None)])
    assert owner == Owner(OWNER, frozenset({OTHER_OWNER, "no owner until 1"}))
    assert owner.owns(version(owner=OTHER_OWNER))
    assert owner.owns(version(owner=None))
    assert not owner.made(version(owner=OTHER_OWNER))
    assert not owner.owns(version(owner="acme/agents/third"))


def test_taking_over_twice_is_taking_over_once_and_no_stack_takes_over_its_own() -> None:
    """Case 89: state has the former owners, and so has the service."""
    once = Owner(OWNER).taking_over([version(owner=OTHER_OWNER)])
    assert once.former == {OTHER_OWNER}
    assert once.taking_over([version(), version(owner=OTHER_OWNER)]) == once


@pytest.mark.parametrize("newest", [OTHER_OWNER, "zoo/agents/prod"])
def test_the_stack_that_manages_an_agent_is_named_also_where_a_portal_has_made_the_newest_version(newest: str) -> None:
    """Case 7."""
    with pytest.raises(OwnershipError, match=f'the stack "{newest}" manages it'):
        require_ownership(Owner(OWNER), [version(owner=None), version(owner=newest)], "support", take_over=False)
    with pytest.raises(OwnershipError, match="it carries no ownership metadata of this library"):
        require_ownership(Owner(OWNER), [version(owner=None)], "support", take_over=False)


def test_a_stack_that_made_what_is_older_was_taken_over_whatever_state_says() -> None:
    """Case 89: a forced replacement is checked without the state that knew it."""
    mine, theirs, nobodys = version(), version(owner=OTHER_OWNER), version(owner=None)
    assert Owner(OWNER).of([mine, theirs, nobodys]).former == {OTHER_OWNER}
    assert Owner(OWNER).of([mine, version(owner="zoo/agents/prod")]).former == {"zoo/agents/prod"}
    assert Owner(OWNER).of([theirs, mine]).former == frozenset()
    assert Owner(OWNER).of([theirs]).former == frozenset()
    assert Owner(OWNER).of([mine, theirs, mine]).former == frozenset()


def test_what_a_portal_has_made_is_nobodys_also_when_this_stacks_older_versions_are_pruned() -> None:
    """Case 51: version 1 was this stack's, 2 is a portal's, and 3 is the oldest of this stack that is left."""
    assert not Owner(OWNER).of([version("3"), version("2", owner=None)]).owns(version("2", owner=None))


@pytest.mark.parametrize("former", [OTHER_OWNER, "zoo/agents/prod"])
@pytest.mark.parametrize("taker", [OTHER_OWNER, "zoo/agents/prod"])
def test_a_stack_from_which_another_has_taken_an_agent_over_owns_only_what_it_has_made(taker: str, former: str) -> None:
    """Not what it had taken over itself either: the agent is the other stack's now, with all its versions."""
    history = [version("3", owner=taker), version("2"), version("1", owner=former)]
    owner = Owner(OWNER, frozenset({former, NO_OWNER})).of(history)
    assert [owner.owns(each) for each in history] == [False, True, False]
    with pytest.raises(OwnershipError, match=f'the stack "{taker}" has taken it over'):
        require_ownership(owner, history, "support", take_over=False)


def test_a_stack_that_has_taken_an_agent_back_owns_what_was_made_meanwhile() -> None:
    history = [version("3"), version("2", owner=OTHER_OWNER), version("1")]
    owner = Owner(OWNER, frozenset({OTHER_OWNER})).of(history)
    assert all(map(owner.owns, history))


def test_a_version_that_has_failed_has_taken_nothing_over() -> None:
    history = [version("3", owner=OTHER_OWNER, status="failed"), version("2"), version("1", owner=OTHER_OWNER)]
    owner = Owner(OWNER).of(history)
    assert owner.owns(version("1", owner=OTHER_OWNER))
    taken = [version("3", status="failed"), version("2", owner=OTHER_OWNER), version("1")]
    assert not Owner(OWNER).of(taken).owns(version("2", owner=OTHER_OWNER))


def test_what_a_portal_made_before_a_takeover_stays_ours_and_what_it_made_since_never_becomes_ours() -> None:
    """Also when this stack's first version is pruned: state says up to which number."""
    first = Owner(OWNER).taking_over([version("2", owner=None), version("1", owner=None)])
    history = [version("5"), version("4", owner=None), version("3"), version("2", owner=None), version("1", owner=None)]
    then = first.of(history)
    assert then.former == {"no owner until 2"}
    assert [then.owns(each) for each in history] == [True, False, True, True, True]
    pruned = [history[0], history[1], history[3]]
    assert [then.of(pruned).owns(each) for each in pruned] == [True, False, True]


def test_a_second_takeover_makes_no_version_ours_that_is_newer_than_our_first() -> None:
    """State may be from before the agent was deleted and created again in the portal."""
    once = Owner(OWNER).taking_over([version("1", owner=None)])
    again = once.taking_over([version("3", owner=None), version("2"), version("1", owner=None)])
    assert again.former == {"no owner until 3"}
    history = [version("4"), version("3", owner=None), version("2"), version("1", owner=None)]
    assert [again.of(history).owns(each) for each in history] == [True, False, True, True]


def test_a_number_in_state_is_none_of_an_agent_that_was_created_again_in_a_portal() -> None:
    history = [version("1", owner=None)]
    assert not Owner(OWNER, frozenset({"no owner until 3"})).of(history).owns(history[0])
    later = [version("3", owner=None), version("2"), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({"no owner until 3"})).of(later)
    assert [owner.owns(each) for each in later] == [False, True, True]


def test_the_state_of_an_earlier_release_counts_while_no_version_of_ours_can_be_missing() -> None:
    """It says only that something without an owner was taken over; a missing number may have been ours."""
    whole = [version("4", owner=None), version("3"), version("2", owner=None), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({NO_OWNER})).of(whole)
    assert [owner.owns(each) for each in whole] == [False, True, True, True]
    assert owner.former == {"no owner until 2"}
    gap = [version("4"), version("3", owner=None), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({NO_OWNER})).of(gap)
    assert [owner.owns(each) for each in gap] == [True, False, False]
    assert owner.former == {NO_OWNER}


@pytest.mark.parametrize("other", [OTHER_OWNER, "zoo/agents/prod"])
def test_what_another_stack_made_before_a_takeover_is_ours_also_with_a_portals_versions_between(other: str) -> None:
    history = [version("4"), version("3", owner=None), version("2", owner=other), version("1", owner=other)]
    owner = Owner(OWNER, frozenset({other})).of(history)
    assert [owner.owns(each) for each in history] == [True, False, True, True]


def test_the_state_of_an_earlier_release_counts_also_in_a_long_history() -> None:
    history = [version("300"), *(version(str(number), owner=None) for number in range(299, 0, -1))]
    assert Owner(OWNER, frozenset({NO_OWNER})).of(history).former == {"no owner until 299"}


def test_a_version_without_a_number_is_not_taken_over_by_number() -> None:
    history = [version("2"), version("draft", owner=None), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({"no owner until 1"})).of(history)
    assert [owner.owns(each) for each in history] == [True, False, True]


def test_no_number_is_written_to_state_where_none_is_known() -> None:
    bare = Owner(OWNER, frozenset({NO_OWNER}))
    assert bare.of([version("1", owner=None)]).former == {NO_OWNER}
    assert Owner(OWNER).taking_over([version("draft", owner=None)]).former == {"no owner until 0"}


def test_a_number_that_state_has_already_stays() -> None:
    history = [version("2"), version("1", owner=None)]
    assert Owner(OWNER, frozenset({NO_OWNER, "no owner until 1"})).of(history).former == {"no owner until 1"}


@pytest.mark.parametrize("other", [OTHER_OWNER, "zoo/agents/prod"])
def test_what_was_taken_over_without_an_owner_says_nothing_about_a_stack(other: str) -> None:
    assert not Owner(OWNER, frozenset({"no owner until 1"})).owns(version(owner=other))


def test_a_former_owner_does_not_own_what_it_took_over_from_a_portal() -> None:
    history = [version("3", owner=OTHER_OWNER), version("2"), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({"no owner until 1"})).of(history)
    assert [owner.owns(each) for each in history] == [False, True, False]


@pytest.mark.parametrize("status", ["failed", "deleting", "deleted"])
def test_a_version_that_is_gone_or_has_failed_takes_nothing_over(status: str) -> None:
    history = [version("3", owner=OTHER_OWNER, status=status), version("2"), version("1", owner=OTHER_OWNER)]
    assert Owner(OWNER).of(history).owns(history[2])


def test_a_takeover_is_recorded_by_the_newest_version_that_has_an_owner() -> None:
    ours = Owner(OWNER)
    assert is_recorded(ours, [version("3", owner=None), version("2"), version("1", owner=OTHER_OWNER)])
    assert not is_recorded(ours, [version("2", owner=OTHER_OWNER), version("1")])
    assert not is_recorded(ours, [version("2", owner="zoo/agents/prod"), version("1")])
    assert not is_recorded(ours, [version("3", status="failed"), version("2", owner=OTHER_OWNER), version("1")])
    assert is_recorded(ours, [version("2", owner=OTHER_OWNER, status="failed"), version("1")])
    assert is_recorded(ours, [version("2", status="failed"), version("1", status="failed")])
    assert not is_recorded(ours, [version(owner=None)])
    assert not is_recorded(ours, [])


def test_what_a_portal_has_made_since_a_takeover_is_not_ours_whatever_state_says() -> None:
    history = [version("4"), version("3", owner=None), version("2"), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({NO_OWNER})).of(history)
    assert [owner.owns(each) for each in history] == [True, False, True, True]


def test_where_this_stack_has_made_nothing_state_alone_proves_nothing() -> None:
    history = [version("2", owner=OTHER_OWNER), version("1", owner=None)]
    owner = Owner(OWNER, frozenset({OTHER_OWNER, NO_OWNER})).of(history)
    assert not any(map(owner.owns, history))


def test_what_has_no_ownership_metadata_is_nobodys_and_no_stack_is_called_so() -> None:
    assert owner_in(version(owner=None)) == NO_OWNER
    assert NO_OWNER.count("/") != OWNER.count("/")


# --- Identity --------------------------------------------------------------------------------------------------------


def test_an_agent_is_known_by_its_guid_and_by_its_principal() -> None:
    """State of an earlier release has the principal alone."""
    now = agent_identity(AgentView("support", version("2")), [version("2"), version("1")])
    assert now == {"guid:g", "principal:p-g"}
    assert now & identity(principal="p-g")
    assert not now & identity(guid="other", principal="p-other")


def test_an_agent_whose_versions_have_an_identity_each_is_known_by_every_one() -> None:
    now = agent_identity(AgentView("support", None), [version("2", guid="two"), version("1", guid="one")])
    assert now & identity(principal="p-one")
    assert now & identity(principal="p-two")


def test_number_and_time_count_only_where_nothing_better_is_known() -> None:
    """Two projects may have agents of one name that were made in the same second."""
    assert identity(version="support:1", created=7) == {"version:support:1@7"}
    assert identity(principal="p", version="support:1", created=7) == {"principal:p"}
    assert identity(version="support:1") == identity(created=7) == identity() == frozenset()


def test_a_toolbox_is_known_by_the_services_id_and_to_older_state_by_number_and_time() -> None:
    history = [ToolboxVersionView("box", "2", created_at=9, service_id="id:2"), ToolboxVersionView("box", "1", {}, 7)]
    assert toolbox_identity(history) == {"toolbox:id:2", "toolbox:box:1@7"}
    assert toolbox_identity(history, with_earlier_state=True) == {"toolbox:id:2", "toolbox:box:2@9", "toolbox:box:1@7"}
    assert version_of_toolbox("box:1", 0) == version_of_toolbox("", 7) == store_identity("") == frozenset()
    assert store_identity("vs_1") == {"store:vs_1"}


def test_an_identity_that_another_resource_has_is_named_and_ones_own_is_not() -> None:
    """Case 92."""
    assert claimed_twice(OURS, "mine", {"mine": OURS, "theirs": OTHER}) is None
    assert claimed_twice(OURS, "mine", {"mine": OURS, "theirs": OURS | OTHER}) == "theirs"
    assert claimed_twice(OURS, "mine", {"another": OURS}) == "another"
    assert claimed_twice(OURS, "mine", {"MINE".lower(): OURS}) is None, "the same URN in another object"
    assert claimed_twice(frozenset(), "mine", {"theirs": frozenset()}) is None


# --- Verdict ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("destroys", [False, True], ids=["up", "destroy"])
def test_with_proof_it_goes(destroys: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    """Case 48."""
    assert verdict(Run(destroys=destroys), held=OURS, found=OURS).answer is Answer.GOES


@pytest.mark.parametrize(
    ("run", "held", "found", "answer"),
    [
        pytest.param(Run(declared=True), OURS, OURS, Answer.LIVES, id="declared"),
        pytest.param(Run(declared=True), frozenset(), frozenset(), Answer.LIVES, id="declared, nothing asked"),
        pytest.param(Run(live=OURS), OURS, OURS, Answer.LIVES, id="84: the same under another host name"),
        pytest.param(Run(live=OURS, limited="--target"), OURS, OURS, Answer.LIVES, id="the same, in a limited run"),
        pytest.param(Run(live=OTHER), OURS, OURS, Answer.GOES, id="another one lives"),
        pytest.param(Run(), OURS, OTHER, Answer.STAYS, id="someone else created another one"),
        pytest.param(Run(), OURS, frozenset(), Answer.STAYS, id="the service gives no identity"),
        pytest.param(Run(), frozenset(), OURS, Answer.STAYS, id="state has no identity"),
        pytest.param(Run(limited="--target"), OURS, OURS, Answer.REFUSED, id="85: targets"),
        pytest.param(Run(destroys=True, limited="--exclude"), OURS, OURS, Answer.REFUSED, id="85: destroy of a part"),
        pytest.param(Run(unseen="no pulumi"), OURS, OURS, Answer.REFUSED, id="neither up nor destroy"),
        pytest.param(Run(unread="notes"), OURS, OURS, Answer.STAYS, id="88: notes that can't be read"),
        pytest.param(Run(undecided="another"), OURS, OURS, Answer.STAYS, id="one of this name is not known yet"),
        pytest.param(Run(destroys=True, undecided="another"), OURS, OURS, Answer.GOES, id="a destroy decides it"),
        pytest.param(Run(destroys=True, declared=True), OURS, OURS, Answer.GOES, id="destroy --run-program"),
        pytest.param(Run(destroys=True, live=OURS), OURS, OURS, Answer.GOES, id="what a destroy has refreshed"),
        pytest.param(Run(destroys=True, unread="notes"), OURS, OURS, Answer.GOES, id="a destroy declares nothing"),
    ],
)
def test_without_proof_it_does_not(run: Run, held: frozenset[str], found: frozenset[str], answer: Answer) -> None:
    """Cases 84, 85 and 88."""
    decided = verdict(run, held=held, found=found)
    assert decided.answer is answer
    assert bool(decided.reason) is (answer in {Answer.LIVES, Answer.STAYS})


def test_the_reason_for_keeping_it_is_the_true_one() -> None:
    """What the warning says."""
    unknown = "its identity is not known, so nothing proves that it is this stack's"
    assert verdict(Run(), held=OURS, found=frozenset()).reason == unknown
    assert verdict(Run(), held=frozenset(), found=OURS).reason == unknown
    assert "another identity" in verdict(Run(), held=OURS, found=OTHER).reason
    assert verdict(Run(unread="notes", undecided="it"), held=OURS, found=OURS).reason == "notes"
    assert verdict(Run(renamed="it was tainted", undecided="it"), held=OURS, found=OURS).reason == "it was tainted"
    assert verdict(Run(undecided="it"), held=OURS, found=OURS).reason.startswith("it may be the same")


@pytest.mark.parametrize(
    ("run", "answer"),
    [(Run(), Answer.GOES), (Run(declared=True), Answer.LIVES), (Run(unread="notes"), Answer.STAYS)],
)
def test_only_a_run_that_can_not_be_judged_is_refused(run: Run, answer: Answer) -> None:
    """Case 85."""
    assert Claim('agent "support"', OURS, run).on(OURS).answer is answer


def test_nothing_goes_but_what_is_proved_whatever_a_run_knows() -> None:
    """Case 91: every combination of facts; what goes has each of the three proofs."""
    went = 0
    for destroys, limited, unseen, unread, declared, undecided in itertools.product([False, True], repeat=6):
        for live, held, found in itertools.product([frozenset(), OURS, OTHER], repeat=3):
            run = Run(
                destroys=destroys,
                limited="--target" * limited,
                unseen="why" * unseen,
                unread="why" * unread,
                declared=declared,
                undecided="it" * undecided,
                live=live,
            )
            if verdict(run, held=held, found=found).answer is Answer.GOES:
                went += 1
                assert held & found
                assert not limited
                assert not unseen
                assert destroys or not (unread or declared or undecided or live & found)
    assert went == 52


def test_a_refusal_names_the_option_and_a_run_that_is_not_known_names_the_variable() -> None:
    """Case 85."""
    with pytest.raises(RemovalRefusedError) as limited:
        Claim('agent "support"', OURS, Run(limited="--target")).on(OURS)
    assert str(limited.value).splitlines()[0] == 'agent "support" was not deleted'
    assert "run `pulumi up` without --target" in str(limited.value)
    with pytest.raises(RemovalRefusedError, match="destroy the whole stack: `pulumi destroy` without --target"):
        Claim('agent "support"', OURS, Run(destroys=True, limited="--target")).on(OURS)
    with pytest.raises(RemovalRefusedError, match="FOUNDRY_AGENTS_RUN"):
        Claim('agent "support"', OURS, Run(unseen="no process of `pulumi` is above this one")).on(OURS)


# --- Traffic ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "serving"),
    [
        pytest.param((), {"3", "2"}, id="the default: the newest active one, and the newest of all may become it"),
        pytest.param((Route("@latest", 100),), {"3", "2"}, id="@latest"),
        pytest.param((Route("1", 100),), {"1"}, id="pinned"),
        pytest.param((Route("1", 90), Route("@latest", 10)), {"1", "2", "3"}, id="both"),
        pytest.param((Route("1", 100), Route("@latest", 0)), {"1"}, id="no share"),
    ],
)
def test_a_version_behind_latest_serves(routes: tuple[Route, ...], serving: set[str]) -> None:
    """pulumi-features F3: `delete_before_replace` must not delete it."""
    versions = [version("3", status="creating"), version("2"), version("1")]
    agent = AgentView("support", versions[0], routes)
    assert {each.version for each in versions if agent.serves(each.version, versions)} == serving
