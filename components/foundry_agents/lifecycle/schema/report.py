"""What one pass over inputs finds: problems with their paths, and which values are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from foundry_agents.lifecycle.failure.errors import Problem


def nothing_unknown(_value: object) -> bool:
    """Return False: outside Pulumi's preview every value is known."""
    return False


@dataclass
class Report:
    """Collect the problems of one pass, and know which values are not known yet.

    Attributes:
        is_unknown: True for a value that only the deployment will know; such a value is passed on unchecked.
        problems: What was found so far.
        accept_new: Enum values that are accepted although this release does not know them; None when the list itself
            is not known yet.
        readable: Paths of texts that are no credentials although they look like one; None when the list itself is not
            known yet.
    """

    is_unknown: Callable[[object], bool] = nothing_unknown
    problems: list[Problem] = field(default_factory=list)
    accept_new: frozenset[str] | None = frozenset()
    readable: frozenset[str] | None = frozenset()

    def add(self, path: str, detail: str) -> None:
        """Add a problem. ``detail`` must not hold a secret."""
        self.problems.append(Problem(path, detail))

    def accepts(self, value: str, known: Collection[str]) -> bool:
        """Return whether this release knows the enum value, or the user asked to accept it."""
        return value in known or self.accept_new is None or value in self.accept_new

    def may_be_read(self, path: str) -> bool:
        """Return whether the user says that the text at a path is no credential."""
        return self.readable is None or path in self.readable


def shown(raw: object) -> str:
    """Return a short, quoted form of a value that is not secret, for error texts."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    try:
        text_form = str(raw)
    except ValueError:
        return "a number of thousands of digits"  # more than Python writes out
    return f'"{text_form[:80]}…"' if len(text_form) > 80 else f'"{text_form}"'  # noqa: PLR2004 (fits on one line)
