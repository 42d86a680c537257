"""What the program of this run declares, and what the run has made or goes on with.

The engine checks all that a program declares before it deletes what the program no longer does, and `pulumi destroy`
checks nothing. So a delete can tell a replacement or a rename from a thing that shall go.

A run may have several plugin processes, one for each instance of the provider, and a resource that moves from one to
another is checked in the new one and deleted in the old. So each process notes what it knows in a file that the others
of its run read. Where no file can be written, each knows its own part only.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_NAMES = ("agent_name", "toolbox_name", "store_name")
"""Inputs that say what a resource is about."""

_Thing = tuple[str, str, str]
"""Project endpoint, kind and name."""

_DECLARED, _MADE, _GOES_ON = "declared", "made", "goes on"

_notes: set[tuple[str, ...]] = set()
_lock = threading.Lock()

_ADDRESS = re.compile(r"[^/]+:\d+")
"""Of the engine, in a plugin's last argument: the same for all plugin processes of a run."""


def declare(values: Mapping[str, object]) -> None:
    """Notes what a resource of the program is about."""
    if (thing := _thing(values)) is not None:
        _note("+", (_DECLARED, *thing))


def is_declared(values: Mapping[str, object]) -> bool:
    """Whether the program of this run has a resource for the same thing."""
    thing = _thing(values)
    return thing is not None and (_DECLARED, *thing) in _all_notes()


def hold(values: Mapping[str, object], id_: str) -> None:
    """Notes what this run has made or adopted: whoever is replaced by it must not delete it."""
    if (thing := _thing(values)) is not None:
        _note("+", (_MADE, *thing, id_))


def go_on(values: Mapping[str, object], id_: str, *, replaced: bool) -> None:
    """Notes what a resource of the program stays, or does not stay, after its diff.

    After a replacement that adopted, in a run that failed, the engine has one id twice: as what is there, and as what
    is to be deleted in the next run.
    """
    if id_ and (thing := _thing(values)) is not None:
        _note("-" if replaced else "+", (_GOES_ON, *thing, id_))


def held(values: Mapping[str, object]) -> set[str]:
    """Ids, of the same thing, that a delete must leave: made or adopted in this run, or gone on with."""
    thing = _thing(values)
    if thing is None:
        return set()
    notes = _all_notes()
    # A refresh compares what the program may not have any more: only what is declared goes on.
    kinds = {_MADE, _GOES_ON} if (_DECLARED, *thing) in notes else {_MADE}
    return {note[4] for note in notes if note[0] in kinds and note[1:4] == thing}


def _thing(values: Mapping[str, object]) -> _Thing | None:
    endpoint = values.get("project_endpoint")
    for kind in _NAMES:
        if isinstance(name := values.get(kind), str) and isinstance(endpoint, str):
            return endpoint, kind, name
    return None


def _note(sign: str, note: tuple[str, ...]) -> None:
    with _lock:
        if (sign == "+") == (note in _notes):
            return
        (_notes.add if sign == "+" else _notes.discard)(note)
        own = _file_of(os.getpid())
        if own is None:
            return
        try:
            if not own.exists():
                own.parent.mkdir(mode=0o700, exist_ok=True)
                atexit.register(own.unlink, missing_ok=True)
            with own.open("a", encoding="utf-8") as file:
                file.write(json.dumps([sign, *note]) + "\n")
        except OSError:
            return


def _all_notes() -> set[tuple[str, ...]]:
    with _lock:
        found = set(_notes)
    for path in _files_of_this_run():
        found |= _read(path)
    return found


def _read(path: Path) -> set[tuple[str, ...]]:
    notes: set[tuple[str, ...]] = set()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return notes
    for line in lines:
        try:
            sign, *note = json.loads(line)
        except ValueError:  # it is being written
            continue
        (notes.add if sign == "+" else notes.discard)(tuple(note))
    return notes


def _file_of(process: int) -> Path | None:
    if not _ADDRESS.fullmatch(sys.argv[-1]):
        return None
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir()) / f"foundry-agents-{user}"
    if user != "" and folder.exists() and folder.stat().st_uid != user:
        return None  # somebody else has laid it there: what stands in it is not our word
    run = hashlib.sha256(sys.argv[-1].encode()).hexdigest()[:16]
    return folder / f"{run}.{process}"


def _files_of_this_run() -> Iterator[Path]:
    """Of the run's other processes. What a process that was killed has left is of a run that has ended."""
    own = _file_of(os.getpid())
    if own is None:
        return
    for path in own.parent.glob("*.*"):
        if not _is_running(path.suffix.removeprefix(".")):
            path.unlink(missing_ok=True)
        elif path.stem == own.stem and path != own:
            yield path


def _is_running(process: str) -> bool:
    if os.name == "nt" or not process.isdigit():  # there a signal of 0 is not a question
        return process.isdigit()
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
