"""How traffic moves to a new version: the public settings of a rollout and its smoke test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_agents.lifecycle.schema.lists import is_list, list_or_as_is

Duration = str | float
"""``"90s"``, ``"2m"``, ``"1h30m"``, or a number of seconds."""


@dataclass(frozen=True)
class SmokeTest:
    """A question to a version, and what its answer must be; set exactly one expectation.

    It is asked in a session that is pinned to the version before it gets any traffic, and through the endpoint at each
    step. Question and expectation are in state and in error messages: they must not hold secrets.

    Attributes:
        question: What is asked. Of the invocations protocol: sent as it is when it is a JSON object, else as
            ``{"message": question}``.
        expect: Text that the answer contains.
        matches: Regular expression that is found in the answer.
        json_path: Names and list positions with dots between, ``items.0.name``, in the answer's text when that is
            JSON, else in the whole answer; the value there must be ``equals``.
        equals: The value at ``json_path``; each requires the other.
        check: A function as ``"package.module:function"``, importable where the program runs. It is called
            with the answer's text and with the whole answer as a dict; when it raises, or returns False, the answer is
            wrong.
        protocol: "responses" or "invocations".
        tries: How many answers may be wrong.
        timeout: For all tries together; a version that has only just started may take a minute to answer.
    """

    question: str
    expect: str | None = None
    matches: str | None = None
    json_path: str | None = None
    equals: str | float | bool | None = None
    check: str | None = None
    protocol: str = "responses"
    tries: int = 3
    timeout: Duration = "2m"

    def inputs(self) -> dict[str, object]:
        """Return the value of the input ``smoke``; what is not set is left out."""
        parts: dict[str, object] = {
            "question": self.question,
            "contains": self.expect,
            "matches": self.matches,
            "json_path": self.json_path,
            "equals": self.equals,
            "check": self.check,
            "protocol": self.protocol,
            "tries": self.tries,
            "timeout": self.timeout,
        }
        return {name: value for name, value in parts.items() if value is not None}


@dataclass(frozen=True)
class Rollout:
    """How traffic moves to a new version. Use one of the class methods; all values are checked in the preview.

    A rollback (to a version that has served everything before) does not wait for steps or tests.

    Attributes:
        steps: Percentages before 100, rising; at 0 the version is tested before it gets traffic.
        bake: How long each step lasts.
        smoke: What the version must answer, before any traffic and at each step.
        keep_versions: How many own versions stay, newest first, besides those with traffic or live sessions; None keeps
            all.
        timeout: Give up proving that traffic has moved after this time.
        version: Serve this version, whatever the settings describe.
        is_paused: Test the version and leave traffic where it is.
    """

    steps: Sequence[int] = ()
    bake: Duration = 0
    smoke: SmokeTest | None = None
    keep_versions: int | None = None
    timeout: Duration | None = None
    version: str | None = None
    is_paused: bool = False

    @classmethod
    def all_at_once(
        cls, *, smoke: SmokeTest | None = None, keep_versions: int | None = None, timeout: Duration | None = None
    ) -> Rollout:
        """Move all traffic in one step, after the smoke test if there is one."""
        return cls(smoke=smoke, keep_versions=keep_versions, timeout=timeout)

    @classmethod
    def canary(
        cls,
        steps: Sequence[int],
        *,
        bake: Duration = 0,
        smoke: SmokeTest | None = None,
        keep_versions: int | None = None,
        timeout: Duration | None = None,
    ) -> Rollout:
        """Move a growing share, ``[10, 50]``, then 100 percent."""
        # Anything else reaches the preview as it is, which refuses it in words.
        return cls(tuple(steps) if is_list(steps) else steps, bake, smoke, keep_versions, timeout)

    @classmethod
    def blue_green(
        cls,
        *,
        smoke: SmokeTest,
        bake: Duration = 0,
        keep_versions: int | None = None,
        timeout: Duration | None = None,
    ) -> Rollout:
        """Wait without traffic for the bake time, test before and after it, then move all traffic at once."""
        return cls((0,), bake, smoke, keep_versions, timeout)

    @classmethod
    def pinned(
        cls,
        version: str,
        *,
        smoke: SmokeTest | None = None,
        keep_versions: int | None = None,
        timeout: Duration | None = None,
    ) -> Rollout:
        """Move all traffic to this version, ``"7"``; new versions are still created, and get no traffic."""
        return cls(smoke=smoke, keep_versions=keep_versions, timeout=timeout, version=version)

    @classmethod
    def paused(
        cls, *, smoke: SmokeTest | None = None, keep_versions: int | None = None, timeout: Duration | None = None
    ) -> Rollout:
        """Create and test new versions, and leave traffic where it is."""
        return cls(smoke=smoke, keep_versions=keep_versions, timeout=timeout, is_paused=True)

    def inputs(self) -> Mapping[str, object]:
        """Return the inputs of AgentRollout with the same meaning; what is not set is left out."""
        given: dict[str, object] = {
            "steps": list_or_as_is(self.steps) or None,
            "bake": self.bake or None,
            "smoke": self.smoke.inputs() if self.smoke else None,
            "keep_versions": self.keep_versions,
            "timeout_s": self.timeout,
            "version": self.version,
            "paused": self.is_paused or None,
        }
        return {name: value for name, value in given.items() if value is not None}
