"""Recordings of the real service; each file's ``source`` says who recorded it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("recordings")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request and its response.

    Attributes:
        recording: Name of its file.
        number: Place in the file, from 0.
        method: HTTP method.
        project: The project in its path.
        path: Below the project, without the query.
        query: As sent, without ``api-version``.
        request: The body, or None.
        status: Of the answer.
        headers: Of the answer, those that the recording keeps.
        answer: The body, or None.
        times: How often it was sent in a row.
    """

    recording: str
    number: int
    method: str
    project: str
    path: str
    query: Mapping[str, str]
    request: object
    status: int
    headers: Mapping[str, str]
    answer: object
    times: int = 1


@cache
def recording(name: str) -> tuple[Recorded, ...]:
    """Return the entries of a file, in order.

    Of a run of equal polls the file keeps the first and the last, each with the length of the run: the last
    stands for the rest of it here.
    """
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return tuple(_entries(name, document["entries"]))


def recordings() -> list[str]:
    """Return the names of all recordings."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def _entries(name: str, entries: list[dict[str, object]]) -> Iterator[Recorded]:
    in_run = False
    for number, entry in enumerate(entries):
        path, _, query = str(entry["path"]).partition("?")
        _, _, _, project, rest = path.split("/", 4)
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        length = entry.get("repeated")
        times = length - 1 if isinstance(length, int) and in_run else 1
        in_run = isinstance(length, int) and not in_run
        headers = entry["response_headers"]
        status = entry["status"]
        assert isinstance(headers, dict)
        assert isinstance(status, int)
        yield Recorded(
            recording=name,
            number=number,
            method=str(entry["method"]),
            project=project,
            path=f"/{rest}",
            query={key: value for key, _, value in pairs if key != "api-version"},
            request=entry["request_body"],
            status=status,
            headers=headers,
            answer=entry["response_body"],
            times=times,
        )
