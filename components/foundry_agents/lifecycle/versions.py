"""Create or adopt a version, wait until it is active, and retire it.

A version that this stack has posted before is recognised by its ownership metadata and adopted. So the next run adopts
what a run left behind that was killed, timed out or lost a response.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from foundry_agents.lifecycle import pull_causes, remedies
from foundry_agents.lifecycle.existing import inputs_of
from foundry_agents.lifecycle.failure.deployment_errors import VersionFailedError
from foundry_agents.lifecycle.failure.errors import (
    DuplicateDeclarationError,
    FoundryAgentsError,
    InputError,
    OwnershipError,
    headline,
)
from foundry_agents.lifecycle.failure.service_errors import ServiceError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, plain_fingerprint
from foundry_agents.lifecycle.history import history_of, newest_active
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.outcomes import Made, Outcome, Retired
from foundry_agents.lifecycle.ownership import (
    Identity,
    Owner,
    adoptable,
    agent_identity,
    is_recorded,
    is_usable,
    no_other_claims,
    require_ownership,
    version_identity,
)
from foundry_agents.lifecycle.polling import (
    Clock,
    PollSettings,
    post_once,
    retry_until_project_ready,
    wait_for_final,
)
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.service.registries import RegistryAccess
from foundry_agents.lifecycle.views import AgentView, Progress, VersionView

USABLE = frozenset({"active", "creating"})
IMAGE_ERROR = "ImageError"

PULL_PAUSES_S = (20.0, 60.0, 150.0, 330.0)
"""Between posts while a pull role may not be in effect: five posts within ten minutes, more often at the start."""


def nothing_to_check() -> None:
    """Check nothing."""


@dataclass(frozen=True)
class VersionPlan:
    """What is wanted.

    Attributes:
        agent: Name of the agent.
        definition: What the version is.
        ownership: Fingerprint and owner; the attempt is computed here.
        former_owners: Owners whose versions this stack has taken over; see Owner.
        patience: How long to wait for `active`.
        take_over: Manage an agent that this stack has not created.
        pull_identity: Principal that pulls the image, for the error of a failed pull; "" when not known.
        registry_id: ARM id of the registry that it pulls from, for the same error; "" when not known.
        also_known_as: Fingerprints of the same definition that versions posted earlier may have.
        pack: Opens the zip of a code agent; called only when a version is posted, before anything is changed.
        pull_grace_s: For how many more seconds a pull role that was granted a moment ago may not be in effect. Within
            them a version that fails with ImageError is posted again.
        before_post: Called once before anything is posted, and not at all when a version is adopted; raises if nothing
            must be posted.
        before_new: Called before the first version of a new agent is posted; raises if the agent must not have this
            name.
        claim: Called with the identity of an existing agent, before anything is changed, and with that of a version
            that was posted; raises when another resource of the program has the same one.
    """

    agent: str
    definition: AgentDefinition
    ownership: OwnershipMetadata
    patience: PollSettings
    take_over: bool = False
    former_owners: frozenset[str] = frozenset()
    pull_identity: str = ""
    registry_id: str = ""
    also_known_as: frozenset[str] = frozenset()
    pack: Callable[[], AbstractContextManager[BinaryIO]] | None = None
    pull_grace_s: float = 0.0
    before_post: Callable[[], None] = nothing_to_check
    before_new: Callable[[], None] = nothing_to_check
    claim: Callable[[Identity], None] = no_other_claims

    @property
    def owner(self) -> Owner:
        """Who posts and adopts."""
        return Owner(self.ownership.owner, self.former_owners)


def create_or_adopt(
    service: AgentService,
    plan: VersionPlan,
    clock: Clock,
    progress: Progress,
    registry: RegistryAccess | None = None,
) -> Made[VersionView]:
    """Make sure that an active version with this definition exists.

    One POST at most; up to five while a pull role is not in effect yet, each after the version before it has failed and
    was removed.

    Args:
        service: The project's data plane.
        plan: What is wanted.
        clock: Where time comes from.
        progress: Called with each step.
        registry: Read only after a pull has failed, so that the error can say why.

    Raises:
        OwnershipError: The agent exists and this stack does not own it; nothing was changed.
        VersionFailedError: The service gave up on the version; it was removed again.
        WaitTimeoutError: Not active in time; the version is left for the next run to adopt.
        ServiceError: The service refused; nothing was created unless the error says so.
    """
    return _Run(service, plan, clock, progress, registry).make()


@dataclass(frozen=True)
class _Run:
    """One create-or-adopt, with what each of its steps needs."""

    service: AgentService
    plan: VersionPlan
    clock: Clock
    progress: Progress
    registry: RegistryAccess | None

    def make(self) -> Made[VersionView]:
        agent = retry_until_project_ready(lambda: self.service.get_agent(self.plan.agent), self.clock, self.progress)
        history = history_of(self.service, agent, self.plan.patience, self.clock) if agent else []
        _require_hosted_and_own(self.plan, history)
        if agent:
            self.plan.claim(agent_identity(agent, history))
        owner = self.plan.owner.taking_over(history) if self.plan.take_over else self.plan.owner.of(history)
        same = adoptable(history, owner, {self.plan.ownership.fingerprint, *self.plan.also_known_as}, _fingerprint_of)
        adopted = self._first_usable(same) if is_recorded(owner, history) else None
        if adopted:
            made = Made(self._wait(adopted), Outcome.ADOPTED)
        else:
            if agent is None:
                self.plan.before_new()
            self.plan.before_post()
            with self._packed() as definition:
                if agent:
                    self._pin_what_serves(agent, history)
                made = self._post_until_pulled(definition, _next_attempt(same))
        self._remove_failed(same, keep=made.view)
        self.progress(_summary(made))
        return replace(made, owner=owner)

    @contextmanager
    def _packed(self) -> Iterator[AgentDefinition]:
        """Yield the definition with its zip, if it has one. A package that can't be packed fails before any change."""
        if self.plan.pack is None:
            yield self.plan.definition
            return
        with self.plan.pack() as archive:
            yield replace(self.plan.definition, archive=archive)

    def _post_until_pulled(self, definition: AgentDefinition, attempt: int) -> Made[VersionView]:
        """Post, and post again while a pull fails that a new role assignment would explain."""
        start = self.clock.now()
        for pause in (*PULL_PAUSES_S, None):
            try:
                return self._post(definition, attempt)
            except VersionFailedError as failed:
                waited = self.clock.now() - start
                passes = failed.code == IMAGE_ERROR and not failed.lasting
                if not passes or pause is None or waited + pause > self.plan.pull_grace_s:
                    raise
                self.progress(f"{failed.last.id}: the pull role is not in effect yet · trying again in {pause:.0f} s")
            self.clock.sleep(pause)
            attempt += 1
        raise AssertionError("the last pause is None, so the loop has returned or raised")

    def _post(self, definition: AgentDefinition, attempt: int) -> Made[VersionView]:
        ownership = replace(self.plan.ownership, attempt=attempt)
        posted = self._post_once(definition, ownership)
        owned = OwnershipMetadata.of(posted) == ownership
        self.progress(f"posted {posted.id} · {posted.status}")
        try:
            self.plan.claim(version_identity(posted))
        except DuplicateDeclarationError:
            self._remove(posted)
            raise
        if not owned:
            self.progress(f"the service returned existing version {posted.id}, which this stack does not own")
        version = self._wait(posted)
        return Made(version, Outcome.REPOSTED if attempt > 1 else Outcome.CREATED, owned)

    def _post_once(self, definition: AgentDefinition, ownership: OwnershipMetadata) -> VersionView:
        metadata = {**(definition.metadata or {}), **ownership.as_metadata()}

        def find() -> VersionView | None:
            listed = self.service.list_versions(self.plan.agent)
            return next((v for v in listed if OwnershipMetadata.of(v) == ownership and v.status in USABLE), None)

        return post_once(
            lambda: self.service.create_version(self.plan.agent, definition, metadata),
            find,
            self.plan.patience,
            self.clock,
        )

    def _first_usable(self, candidates: Sequence[VersionView]) -> VersionView | None:
        """Return the newest candidate that a single read shows as usable: a list may be stale [observed]."""
        for candidate in candidates:
            seen = self.service.get_version(candidate.agent, candidate.version)
            if seen and seen.status in USABLE:
                return seen
        return None

    def _pin_what_serves(self, agent: AgentView, history: Sequence[VersionView]) -> None:
        """Pin an endpoint that follows ``@latest``, so that the new version can't get traffic before its rollout.

        This narrows a race and does not close it: someone else may un-pin between this and the POST.
        """
        serving = newest_active(self.service, history)
        if not agent.follows_latest or serving is None:
            return
        self.service.set_routes(agent.name, agent.routing.resolved(serving.version).routes)
        self.progress(f"pinned the endpoint to {serving.id} while the new version is created")

    def _wait(self, version: VersionView) -> VersionView:
        shown = ""

        def show(seen: VersionView | None, waited_s: float) -> None:
            nonlocal shown
            line = f"{version.id} · {seen.status if seen else 'not visible yet'} · {waited_s:.0f} s"
            if line != shown:
                self.progress(line)
            shown = line

        final = wait_for_final(
            lambda: self.service.get_version(version.agent, version.version),
            subject=f"version {version.id}",
            patience=self.plan.patience,
            clock=self.clock,
            on_read=show,
        )
        if final.status == "active":
            return final
        raise self._given_up(final)

    def _given_up(self, failed: VersionView) -> VersionFailedError:
        """Delete the failed version, if this stack created it; return the error that says why it failed."""
        removed = self._remove(failed)
        cause = (
            self._pull_cause()
            if failed.error_code == IMAGE_ERROR
            else remedies.version_failure_cause(failed.error_code or "")
        )
        return VersionFailedError(
            remedies.version_failed(
                failed,
                self.plan.definition,
                cause=cause,
                state=f"{removed}; {_who_serves(self.service, failed)}",
            ),
            code=failed.error_code or failed.status,
            detail=failed.error_message or "no reason was given",
            last=failed,
            lasting=cause.lasting,
        )

    def _pull_cause(self) -> remedies.Cause:
        """Return why the pull failed. An unreadable registry must not hide the failure itself."""
        pull = pull_causes.Pull(self.plan.definition.image or "", self.plan.pull_identity)
        if self.registry is None or not self.plan.registry_id or not self.plan.pull_identity:
            return pull.usual_causes()
        try:
            access = self.registry.pull_access(self.plan.registry_id, self.plan.pull_identity)
        except FoundryAgentsError as error:
            return pull.usual_causes(unread=error)
        return pull.cause_with(access)

    def _remove(self, failed: VersionView) -> str:
        if not self.plan.owner.made(failed):
            return f"{failed.id} was left: this stack did not create it"
        try:
            self.service.delete_version(failed.agent, failed.version, force=False)
        except FoundryAgentsError as error:
            # A failed clean-up must not hide the failure itself. The next run deletes the version.
            return f"{failed.id} could not be removed ({headline(error)})"
        return f"{failed.id} was removed"

    def _remove_failed(self, same: Sequence[VersionView], *, keep: VersionView) -> None:
        """Delete failed tries of the same definition once it is active. A refused delete is only reported.

        One with traffic stays: its rollout moves the traffic first, and retention then deletes it.
        """
        others = [version for version in same if version.version != keep.version]
        if not others:
            return
        agent = self.service.get_agent(self.plan.agent)
        for version in others:
            if agent and agent.percent_of(version.version):
                continue
            try:
                seen = self.service.get_version(version.agent, version.version)
                if seen and seen.status == "failed":
                    self.service.delete_version(version.agent, version.version, force=False)
            except FoundryAgentsError as error:
                self.progress(f"{version.id} could not be removed: {headline(error)}")


def _summary(made: Made[VersionView]) -> str:
    if made.outcome is Outcome.ADOPTED:
        return f"adopted {made.view.id} (same definition, no POST)"
    return f"{made.view.id} active"


def _next_attempt(same: Sequence[VersionView]) -> int:
    return 1 + max((ownership.attempt for version in same if (ownership := OwnershipMetadata.of(version))), default=0)


def _require_hosted_and_own(plan: VersionPlan, history: Sequence[VersionView]) -> None:
    if any(version.hosted is False for version in history):
        raise OwnershipError(plan.agent, owner=None, reason="it is an agent of another kind (not hosted)")
    # A version that failed has taken nothing over.
    require_ownership(
        plan.owner.of(history), list(filter(is_usable, history)) or history, plan.agent, take_over=plan.take_over
    )


def _fingerprint_of(version: VersionView) -> str:
    """Return the fingerprint in the metadata; of a version without ownership metadata, that of its definition."""
    ownership = OwnershipMetadata.of(version)
    if ownership:
        return ownership.fingerprint
    try:
        return plain_fingerprint(inputs_of(version, project_endpoint=_ANY_PROJECT, owner="any"))
    except InputError:
        return ""


_ANY_PROJECT = "https://any.services.ai.azure.com/api/projects/any"
"""For reading a definition: the project is no part of a fingerprint."""


def _who_serves(service: AgentService, failed: VersionView) -> str:
    try:
        agent = service.get_agent(failed.agent)
    except FoundryAgentsError:
        return "what serves could not be read"
    shares = [f"{agent.name}:{route.version} serves {route.percent} %" for route in agent.routes] if agent else []
    return ", ".join(shares) or "no version of the agent serves"


def retire(service: AgentService, agent: str, version: str, *, owner: Owner, force: bool) -> Retired:
    """Delete a version of this stack that another one has replaced, unless it gets traffic.

    The rules are read just before; a rule that is set between the two calls is not noticed.

    Raises:
        ConflictError: Sessions use it and ``force`` is off.
    """
    view = service.get_agent(agent)
    seen = service.get_version(agent, version) if view else None
    if view is None or seen is None:
        return Retired.GONE
    history = list(service.list_versions(agent))
    if not owner.of(history).owns(seen):
        return Retired.NOT_OURS
    if view.serves(version, history):
        return Retired.SERVES
    try:
        return Retired.DELETED if service.delete_version(agent, version, force=force) else Retired.GONE
    except ServiceError as error:
        raise remedies.in_use(error, agent=agent, version=version) from None
