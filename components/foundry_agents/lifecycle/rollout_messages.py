"""What a rollout says when it fails, and at its end."""

from __future__ import annotations

from foundry_agents.lifecycle.failure.errors import RolloutError, SmokeTestError, TrafficConflictError, message
from foundry_agents.lifecycle.retention import Kept


def left_alone(agent: str, version: str, error: TrafficConflictError) -> RolloutError:
    """Somebody else moves the same traffic: what was seen, and that nothing more was changed."""
    return RolloutError(
        message(
            f"traffic of agent {agent} was not moved to version {version}",
            why=str(error),
            state=f"nothing more was changed: {error.seen}",
            do="find out who else deploys this agent; then run `pulumi up` again: it goes on from what the endpoint "
            "says. Looking before each write narrows this race; it is not a lock",
        ),
        restored=False,
    )


def failure(agent: str, version: str, error: Exception, state: str) -> str:
    """The whole text of a rollout that failed; ``state`` says what is in force now."""
    if isinstance(error, SmokeTestError):
        return message(
            str(error).partition("\n")[0],
            why=error.detail,
            state=state,
            do="mend the agent and run `pulumi up` again",
        )
    return message(
        f"traffic of agent {agent} was not moved to version {version}",
        why=str(error).replace("\n", "\n  "),
        state=state,
        do="mend the cause and run `pulumi up` again: it goes on from what the endpoint says",
    )


def told(history: Kept) -> str:
    """`` · kept 8, 7, 6 · removed 5 · 3 stays: live sessions``, where anything went or was meant to."""
    if not history.removed and not history.skipped:
        return ""
    parts = [f"kept {', '.join(history.kept)}"]
    if history.removed:
        parts.append(f"removed {', '.join(history.removed)}")
    parts.extend(f"{version} stays: {reason}" for version, reason in history.skipped)
    return "".join(f" · {part}" for part in parts)
