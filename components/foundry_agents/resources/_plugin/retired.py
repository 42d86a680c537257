"""The warning about something that stays in the service although its resource is deleted."""

from __future__ import annotations

from foundry_agents.lifecycle.outcomes import Retired
from foundry_agents.resources._plugin.boundary import warn_on


def warn_if_kept(urn: object, subject: str, became: Retired, reason: str) -> None:
    """Warn on the resource's row when its delete left something that the user may want to remove.

    Args:
        urn: URN of the resource.
        subject: What stays, such as ``toolbox support:2``.
        became: What became of it.
        reason: Why there is no proof that it may be deleted; a finished clause.
    """
    if became is Retired.UNPROVED:
        warn_on(urn, f"{subject} stays: {reason}. To remove it, delete it by hand")
    elif became is Retired.NOT_OURS:
        warn_on(urn, f"{subject} {became.value}")
    elif became is Retired.IN_USE:
        warn_on(urn, f"{subject} {became.value}; delete it by hand when that version is gone")
