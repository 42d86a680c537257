"""The messages of a rollout: why it failed, and what it kept and removed."""

from __future__ import annotations

from foundry_agents.lifecycle.failure.deployment_errors import RolloutError, SmokeTestError, TrafficConflictError
from foundry_agents.lifecycle.failure.errors import headline, message
from foundry_agents.lifecycle.retention import Kept


def concurrent_change(agent: str, version: str, error: TrafficConflictError) -> RolloutError:
    """Return the error of a rollout that stopped because someone else changes the same traffic."""
    return RolloutError(
        message(
            f"traffic of agent {agent} was not moved to version {version}",
            why=str(error),
            state=f"nothing more was changed: {error.seen}",
            do="find out who else deploys this agent; then run `pulumi up` again: it continues from what the endpoint "
            "says. Reading before each write narrows this race; it is not a lock",
        ),
        restored=False,
    )


def failure(agent: str, version: str, error: Exception, state: str) -> str:
    """Return the whole text of a rollout that failed; ``state`` says what is in force now."""
    if isinstance(error, SmokeTestError):
        return message(
            headline(error),
            why=error.detail,
            state=state,
            do="fix the agent and run `pulumi up` again",
        )
    return message(
        f"traffic of agent {agent} was not moved to version {version}",
        why=str(error).strip().replace("\n", "\n  ") or headline(error),
        state=state,
        do="fix the reported error and run `pulumi up` again: it continues from what the endpoint says",
    )


def history_line(history: Kept) -> str:
    """Return `` · kept 8, 7, 6 · removed 5 · 3 stays: live sessions``; "" when nothing was to be removed."""
    if not history.removed and not history.skipped:
        return ""
    parts = [f"kept {', '.join(history.kept)}"]
    if history.removed:
        parts.append(f"removed {', '.join(history.removed)}")
    parts.extend(f"{version} stays: {reason}" for version, reason in history.skipped)
    return "".join(f" · {part}" for part in parts)
