"""Compares a response with a recorded one, except which ids and times they have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_IDS = re.compile(
    r"(?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<response>caresp_[0-9a-f]{16}00[0-9A-Za-z]{32}(?![0-9A-Za-z]))"
    r"|(?P<message>msg_[0-9a-f]{16}00[0-9A-Za-z]{32}(?![0-9A-Za-z]))"
    r"|(?P<toolbox>toolbox_[0-9a-f]{40}(?![0-9A-Za-z]))"
    r"|(?<![0-9A-Za-z])(?:"
    r"(?P<digest>[0-9a-f]{64})|(?P<invoked>[0-9a-f]{63})|(?P<request>[0-9a-f]{32})|(?P<made>[0-9a-f]{16}00[0-9A-Za-z]{32})"
    r")(?![0-9A-Za-z])"
)
_BLUEPRINT = re.compile(r"-(?P<short>[0-9a-f]{5})$")
_OF_THE_AGENT = frozenset({"x-platform-server"})  # names the agent's server library, not the service
_OF_THE_PLACE = frozenset({"x-ms-region"})


class Ids:
    """Matches local ids with recorded ones: one to one, of the same kind, in every response."""

    def __init__(self) -> None:
        self._here: dict[str, str] = {}
        self._there: dict[str, str] = {}

    def note(self, there: str, here: str) -> bool:
        """Match two ids; return False when one of them was matched with another before."""
        return self._here.setdefault(there, here) == here and self._there.setdefault(here, there) == there

    def translated(self, text: str) -> str:
        """Return a recorded text with the recorded ids replaced by local ones."""
        return _IDS.sub(lambda found: self._here.get(found[0], found[0]), text)


def differences(
    ids: Ids,
    *,
    recorded: tuple[int, Mapping[str, str], object],
    answered: tuple[int, Mapping[str, str], object],
) -> list[str]:
    """Return the differences between two responses; each is status, headers and body (None for none).

    Compared are the status; that every recorded header is there, and its value unless it names a place or the
    agent's own server; and of the body every field's presence, type and value. Ids must be of the same kind and
    map one to one; times must be integers, and lie as far from ``created_at`` where they are a term.
    """
    found = []
    if recorded[0] != answered[0]:
        found.append(f"status: {answered[0]}, recorded {recorded[0]}")
    found += _of_headers(ids, recorded[1], answered[1])
    found += _of_values(ids, "body", recorded[2], answered[2])
    return found


def _of_headers(ids: Ids, recorded: Mapping[str, str], answered: Mapping[str, str]) -> Iterator[str]:
    for name, value in recorded.items():
        if name not in answered:
            yield f"header {name} is missing"
        elif name not in _OF_THE_AGENT | _OF_THE_PLACE and not _same_text(ids, name, value, answered[name]):
            yield f"header {name}: {answered[name]!r}, recorded {value!r}"
    if "content-type" in answered and "content-type" not in recorded:
        yield "header content-type is there, and is not recorded"


def _of_values(ids: Ids, where: str, recorded: object, answered: object) -> Iterator[str]:
    if type(recorded) is not type(answered):
        yield f"{where}: {_kind(answered)}, recorded {_kind(recorded)}"
    elif isinstance(recorded, dict) and isinstance(answered, dict):
        yield from _of_objects(ids, where, recorded, answered)
    elif isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            yield f"{where}: {len(answered)} items, recorded {len(recorded)}"
        for position, (theirs, ours) in enumerate(zip(recorded, answered, strict=False)):
            yield from _of_values(ids, f"{where}[{position}]", theirs, ours)
    elif isinstance(recorded, str) and isinstance(answered, str):
        if not _same_text(ids, where, recorded, answered):
            yield f"{where}: {answered!r}, recorded {recorded!r}"
    elif recorded != answered:
        yield f"{where}: {answered!r}, recorded {recorded!r}"


def _of_objects(ids: Ids, where: str, recorded: Mapping[str, object], answered: Mapping[str, object]) -> Iterator[str]:
    for name in (name for name in recorded if name not in answered):
        yield f"{where}.{name} is missing"
    for name in (name for name in answered if name not in recorded):
        yield f"{where}.{name} is there, and is not recorded"
    for name in (name for name in recorded if name in answered):
        theirs, ours = recorded[name], answered[name]
        if name.endswith("_at") and _kind(theirs) == _kind(ours) == "int":
            if name == "expires_at" and _term(recorded) != _term(answered):
                yield f"{where}.expires_at: {_term(answered)} s after created_at, recorded {_term(recorded)}"
            continue
        yield from _of_values(ids, f"{where}.{name}", theirs, ours)


def _term(session: Mapping[str, object]) -> int | None:
    end, begin = session.get("expires_at"), session.get("created_at")
    return end - begin if isinstance(end, int) and isinstance(begin, int) else None


def _same_text(ids: Ids, where: str, recorded: str, answered: str) -> bool:
    patterns = (_IDS, _BLUEPRINT) if where.endswith("blueprint_id") else (_IDS,)
    for pattern in patterns:
        theirs, ours = list(pattern.finditer(recorded)), list(pattern.finditer(answered))
        if [found.lastgroup for found in theirs] != [found.lastgroup for found in ours]:
            return False
        if not all(ids.note(t[t.lastgroup or 0], o[o.lastgroup or 0]) for t, o in zip(theirs, ours, strict=True)):
            return False
        recorded, answered = pattern.sub("<id>", recorded), pattern.sub("<id>", answered)
    return recorded == answered


def _kind(value: object) -> str:
    return type(value).__name__
