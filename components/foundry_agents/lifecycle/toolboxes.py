"""Create or adopt a toolbox's version, make it the default, and retire it.

A version that this stack has posted before is recognised by its ownership metadata and adopted, as versions of agents
are. Versions that a kept version of an agent uses stay, so that a rollback to it finds the tools it was tested with.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from foundry_agents.lifecycle.failure.deployment_errors import PromotionConflictError
from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.failure.service_errors import ResponseLostError, ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata
from foundry_agents.lifecycle.history import toolbox_history
from foundry_agents.lifecycle.inputs.tool_rules import connections_of
from foundry_agents.lifecycle.outcomes import Made, Outcome, Retired
from foundry_agents.lifecycle.ownership import (
    Answer,
    Claim,
    Identity,
    Owner,
    adoptable,
    is_recorded,
    no_other_claims,
    require_ownership,
    toolbox_identity,
)
from foundry_agents.lifecycle.polling import (
    Clock,
    PollSettings,
    Until,
    poll,
    post_once,
    retry_throttled,
    retry_transient,
    retry_until_project_ready,
)
from foundry_agents.lifecycle.service.toolboxes import ToolboxService
from foundry_agents.lifecycle.views import Progress, ToolboxVersionView

SHOWN_CALLERS = 8
"""Of the versions of agents that call a former toolbox."""


def nothing_to_check() -> None:
    """Check nothing."""


@dataclass(frozen=True)
class ToolboxPlan:
    """What is wanted.

    Attributes:
        toolbox: Name of the toolbox.
        tools: The tools by name, canonical.
        ownership: Fingerprint and owner.
        patience: How long to wait for throttling and for a promotion, and how often to read.
        description: At most 512 characters.
        metadata: The user's own pairs.
        promote: Make the version the default.
        take_over: Manage a toolbox that this stack has not created.
        former_owners: Owners whose versions this stack has taken over; see Owner.
        before_new: Called before the first version of a new toolbox is posted; raises if the toolbox must not have this
            name.
        claim: Called with the identity of an existing toolbox, before anything is changed; raises when another
            resource of the program has the same one.
    """

    toolbox: str
    tools: Mapping[str, Mapping[str, object]]
    ownership: OwnershipMetadata
    patience: PollSettings
    description: str = ""
    metadata: Mapping[str, str] | None = None
    promote: bool = True
    take_over: bool = False
    former_owners: frozenset[str] = frozenset()
    before_new: Callable[[], None] = nothing_to_check
    claim: Callable[[Identity], None] = no_other_claims

    @property
    def owner(self) -> Owner:
        """Who posts and adopts."""
        return Owner(self.ownership.owner, self.former_owners)


def endpoint_of(project_endpoint: str, toolbox: str, version: str) -> str:
    """Return the URL at which this version is served over MCP [docs]."""
    return f"{project_endpoint.rstrip('/')}{_path(toolbox, version)}?api-version=v1"


def default_endpoint_of(project_endpoint: str, toolbox: str) -> str:
    """Return the URL at which the default version is served over MCP [docs]."""
    return f"{project_endpoint.rstrip('/')}/toolboxes/{toolbox}/mcp?api-version=v1"


def _path(toolbox: str, version: str) -> str:
    return f"/toolboxes/{toolbox}/versions/{version}/mcp"


def create_or_adopt(
    service: ToolboxService, plan: ToolboxPlan, clock: Clock, progress: Progress, warn: Progress | None = None
) -> Made[ToolboxVersionView]:
    """Make sure that a version with these tools exists, and is the default if the plan says so.

    ``warn`` is called about versions of agents that call a former toolbox of this name: numbers begin at 1 again.

    One POST at most; after a lost response, a list shows what it may have created before one more is sent.

    Raises:
        OwnershipError: The toolbox exists and this stack does not own it; nothing was changed.
        InputError: A tool names a connection that the project does not have; nothing was changed.
        ServiceError: The service refused; nothing was created unless the error says so.
    """

    def read() -> tuple[str | None, list[ToolboxVersionView]]:
        default = service.default_version(plan.toolbox)
        return default, toolbox_history(service, plan.toolbox, default, plan.patience, clock)

    default, history = retry_until_project_ready(read, clock, progress)
    known = plan.owner.of(history)
    require_ownership(known, history, plan.toolbox, take_over=plan.take_over, kind="toolbox", name_input="toolbox_name")
    plan.claim(toolbox_identity(history))
    owner = plan.owner.taking_over(history) if plan.take_over else known
    version = _own(history, plan, owner) if is_recorded(owner, history) else None
    outcome = Outcome.ADOPTED if version else Outcome.CREATED
    if version is None:
        if not history:
            plan.before_new()
        _refuse_unknown_connections(service, plan)
        version = _post(service, plan, history, clock)
        progress(f"posted toolbox {version.id}")
        if warn and not history:
            _warn_about_callers(service, plan.toolbox, warn)
    else:
        progress(f"adopted toolbox {version.id} (same tools, no POST)")
    if plan.promote:
        make_default(
            service,
            plan.toolbox,
            version.version,
            progress,
            clock=clock,
            patience=plan.patience,
            found=default if history else None,
        )
    return Made(version, outcome, owner=owner)


def make_default(
    service: ToolboxService,
    toolbox: str,
    version: str,
    progress: Progress,
    *,
    clock: Clock,
    patience: PollSettings,
    found: str | None = None,
) -> None:
    """Make a version the default and read it back; no write when it is the default.

    Reading before and after the write narrows a race with another writer; it is not a lock.

    Args:
        service: The data plane.
        toolbox: Name of the toolbox.
        version: The version that becomes the default.
        progress: Called with each step.
        clock: The source of time.
        patience: How long to read back, and how often.
        found: The default version when the run began; None when it is read only now.

    Raises:
        PromotionConflictError: Someone else changes the default; nothing was sent, or nothing more.
        WaitTimeoutError: The toolbox did not show the version as its default in time.
        ServiceError: The service refused.
    """

    def read() -> str | None:
        return retry_transient(lambda: service.default_version(toolbox), patience, clock)

    def guarded(known: set[str | None]) -> str | None:
        """Return the default; raise when two reads in a row show neither what was found nor what was set."""
        seen = read()
        if seen not in known:
            clock.sleep(patience.interval_s)  # one read may be stale
            seen = read()
        if seen not in known:
            raise PromotionConflictError(toolbox, seen=seen, expected=found or version)
        return seen

    found = read() if found is None else found
    known = {found, version}
    if guarded(known) == version:
        return
    try:
        retry_throttled(lambda: service.promote(toolbox, version), patience, clock)
    except ResponseLostError:
        # It may be in force anyway, and may be repeated.
        if guarded(known) != version:
            service.promote(toolbox, version)
    promoted = Until[str](
        f"version {version} of toolbox {toolbox}",
        "the default",
        done=lambda seen: seen == version,
        describe=lambda seen: f"{seen} as the default",
        state="the change was sent; the service does not show it yet",
    )
    poll(lambda: guarded(known), promoted, clock, patience, retried=())
    progress(f"toolbox {toolbox}: {version} is the default now")


def _own(history: Sequence[ToolboxVersionView], plan: ToolboxPlan, owner: Owner) -> ToolboxVersionView | None:
    return next(iter(adoptable(history, owner, {plan.ownership.fingerprint})), None)


def _post(
    service: ToolboxService, plan: ToolboxPlan, history: Sequence[ToolboxVersionView], clock: Clock
) -> ToolboxVersionView:
    metadata = {**(plan.metadata or {}), **plan.ownership.as_metadata()}
    before = {version.version for version in history}

    def find() -> ToolboxVersionView | None:
        new = [version for version in service.list_versions(plan.toolbox) if version.version not in before]
        return _own(new, plan, Owner(plan.ownership.owner))

    tools = [plan.tools[key] for key in sorted(plan.tools)]
    return post_once(
        lambda: service.create_version(plan.toolbox, tools, plan.description, metadata),
        find,
        plan.patience,
        clock,
    )


def _refuse_unknown_connections(service: ToolboxService, plan: ToolboxPlan) -> None:
    wanted = connections_of(plan.tools)
    missing = {name for name in set(wanted.values()) if not service.has_connection(name)}
    problems = [
        Problem(path, f'"{name}" is not a connection of the project; create it: ProjectConnection(…)')
        for path, name in wanted.items()
        if name in missing
    ]
    if problems:
        raise InputError("the toolbox's settings; nothing was changed", problems)


def _warn_about_callers(service: ToolboxService, toolbox: str, warn: Progress) -> None:
    """Name the versions of agents that call a toolbox by number before it has been used: they were made for another."""
    called = _caller_of(toolbox)
    try:
        callers = sorted(
            each.version for each in service.agent_environments() if any(called(value) for value in each.values)
        )
    except (ServiceError, SignInError):
        return  # it is a warning, and the toolbox is there
    if callers:
        shown = ", ".join(callers[:SHOWN_CALLERS]) + (" and more" if len(callers) > SHOWN_CALLERS else "")
        warn(
            f'toolbox "{toolbox}" is new, and its numbers begin at 1 again: {shown} call versions of the former one by '
            "number, and may get other tools. Route no traffic to them"
        )


@dataclass(frozen=True)
class Retirement:
    """What is deleted, decided before the first delete.

    Attributes:
        going: Numbers of the versions to delete, oldest first.
        promoted: Number of the version that becomes the default before that; None when the default stays.
        whole: Nothing stays, so the toolbox itself is deleted, in one request.
    """

    going: tuple[str, ...] = ()
    promoted: str | None = None
    whole: bool = False


def plan_retirement(
    history: Sequence[ToolboxVersionView],
    *,
    default: str | None,
    version: str,
    owner: Owner,
    used: Collection[str],
    fresh: Collection[str],
    lives: bool,
) -> Retirement:
    """Return what is deleted with a version that its resource no longer needs: it, and own versions that nothing uses.

    What an agent's version uses stays, and so does what this run has just created or adopted (``fresh``). Of a resource
    that ``lives`` (the program still declares it) only older versions are deleted, because a newer one may be its own,
    and never the default.
    """
    free = [seen for seen in history if seen.version not in used and seen.version not in fresh and owner.owns(seen)]
    going = {seen.version for seen in free if not lives or int(seen.version) <= int(version)}
    staying = [seen for seen in history if seen.version not in going]
    if not staying:
        return Retirement(tuple(sorted(going, key=int)), whole=True)
    if lives:
        return Retirement(tuple(sorted(going - {default}, key=int)))
    return Retirement(tuple(sorted(going, key=int)), staying[0].version if default in going else None)


def retire(
    service: ToolboxService,
    toolbox: str,
    version: str,
    *,
    owner: Owner,
    claim: Claim,
    fresh: Collection[str],
    clock: Clock,
    patience: PollSettings,
    progress: Progress,
) -> tuple[Retired, str]:
    """Delete a version of this stack, and own older ones that no version of an agent uses any more.

    Who uses a version is read just before; an agent that is deployed between the two calls is not seen.

    Returns:
        What became of the version, and why it stays where ownership could not be proved.

    Raises:
        RemovalRefusedError: The run is limited to a part of the stack.
    """
    history = toolbox_history(service, toolbox, service.default_version(toolbox), patience, clock)
    owner = owner.of(history)
    seen = next((one for one in history if one.version == version), None)
    if seen is None:
        return Retired.GONE, ""
    if not owner.owns(seen):
        return Retired.NOT_OURS, ""
    decided = claim.on(toolbox_identity(history, with_earlier_state=True))
    if decided.answer is Answer.STAYS:
        return Retired.UNPROVED, decided.reason
    lives = decided.answer is Answer.LIVES
    became = _retire(
        service,
        history,
        version,
        owner=owner,
        fresh=fresh,
        lives=lives,
        clock=clock,
        patience=patience,
        progress=progress,
    )
    return became, ""


def _retire(
    service: ToolboxService,
    history: Sequence[ToolboxVersionView],
    version: str,
    *,
    owner: Owner,
    fresh: Collection[str],
    lives: bool,
    clock: Clock,
    patience: PollSettings,
    progress: Progress,
) -> Retired:
    toolbox = history[0].toolbox
    used = used_versions(service, toolbox)
    default = service.default_version(toolbox)
    plan = plan_retirement(history, default=default, version=version, owner=owner, used=used, fresh=fresh, lives=lives)
    if plan.whole:
        service.delete_toolbox(toolbox)
        return Retired.TOOLBOX_DELETED
    if plan.promoted:
        make_default(service, toolbox, plan.promoted, progress, clock=clock, patience=patience, found=default)
    for number in plan.going:
        service.delete_version(toolbox, number)
    if version in plan.going:
        return Retired.DELETED
    if version not in used:
        return Retired.DEFAULT
    return Retired.KEPT_FOR_ROLLBACK if lives else Retired.IN_USE


def used_versions(service: ToolboxService, toolbox: str) -> set[str]:
    """Return the numbers of the versions that a version of an agent uses, by its variables."""
    called = _caller_of(toolbox)
    values = [value for environment in service.agent_environments() for value in environment.values]
    used = {number for value in values for number in called(value)}
    # Without a version, that is the default one.
    if any(f"/toolboxes/{toolbox}/mcp" in value for value in values) and (default := service.default_version(toolbox)):
        used.add(default)
    return used


def _caller_of(toolbox: str) -> Callable[[str], list[str]]:
    before, after = _path(toolbox, "|").split("|")

    def called(value: str) -> list[str]:
        # A variable may hold several endpoints.
        tails = value.split(before)[1:]
        numbers = (tail.partition(after)[0] for tail in tails if after in tail)
        return [number for number in numbers if number.isdigit()]

    return called
