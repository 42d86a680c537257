"""Searches files by their words. All of it is [modelled]: the service compares embeddings, which need a model."""

from __future__ import annotations

import asyncio
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from foundry_emulator.dataplane.files import Files
from foundry_emulator.dataplane.problem import ServiceProblem, invalid
from foundry_emulator.dataplane.vector_stores import VectorStores

_WORD = re.compile(r"\w+")
_CHUNK_WORDS, _STEP_WORDS = 800, 400
_COMPARE: Mapping[str, Callable[[Any, Any], object]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda own, given: isinstance(given, list) and own in given,
    "nin": lambda own, given: isinstance(given, list) and own not in given,
}
_DEEPEST = 10


class Hit(NamedTuple):
    """A part of a file that matches a query.

    Attributes:
        file: Id of the file.
        filename: Its name.
        score: The share of the query's words that are in the part, from 0 to 1.
        text: The part.
        attributes: The attributes of the file in its store.
    """

    file: str
    filename: str
    score: float
    text: str
    attributes: Mapping[str, object]


class VectorSearch:
    """Finds parts of the indexed files of vector stores.

    Args:
        stores: The stores.
        files: The content of their files.
    """

    def __init__(self, stores: VectorStores, files: Files) -> None:
        self._stores = stores
        self._files = files

    async def found(
        self, project: str, stores: Sequence[str], query: str, *, most: int, filters: object = None
    ) -> list[Hit]:
        """Return at most ``most`` parts that have a word of the query, the best first.

        Raises:
            ServiceProblem: 404 for a missing store; 400 for an invalid filter.
        """
        found: list[Hit] = []
        for store in stores:
            names = self._stores.names(project, store)
            for member in self._stores.members(project, store):
                attributes = member["attributes"]
                own = attributes if isinstance(attributes, Mapping) else {}
                if member["status"] != "completed" or (filters is not None and not fits(own, filters)):
                    continue
                file = str(member["id"])
                try:
                    content = await asyncio.to_thread(self._files.content, project, file)
                except ServiceProblem:  # deleted meanwhile
                    continue
                found += [Hit(file, names.get(file, ""), score(query, text), text, own) for text in chunks(content)]
            self._stores.touch(project, store)
        best = sorted((hit for hit in found if hit.score > 0), key=lambda hit: -hit.score)
        return best[:most]


def chunks(content: bytes) -> Iterator[str]:
    """Yield the parts of a file: 800 words each, overlapping by half. A file that is not text has none."""
    if b"\0" in content or content.startswith(b"%PDF"):
        return
    text = content.decode(errors="replace")
    words = list(re.finditer(r"\S+", text))
    for first in range(0, len(words), _STEP_WORDS):
        last = min(first + _CHUNK_WORDS, len(words))
        yield text[words[first].start() : words[last - 1].end()]
        if last == len(words):
            return


def score(query: str, text: str) -> float:
    """Return the share of the query's words that are in the text."""
    requested = _words(query)
    return len(requested & _words(text)) / len(requested) if requested else 0.0


def fits(attributes: Mapping[str, object], given: object, depth: int = 0) -> bool:
    """Return whether a file's attributes match a filter: a comparison, or several under ``and`` or ``or``.

    Raises:
        ServiceProblem: 400 for an invalid filter.
    """
    kind = given.get("type") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(kind, str) or depth > _DEEPEST:
        raise invalid("filters must be a comparison or a compound of some.", "filters")
    if kind in {"and", "or"}:
        parts = given.get("filters")
        if not isinstance(parts, list):
            raise invalid(f"A filter '{kind}' has a list of filters.", "filters")
        each = [fits(attributes, part, depth + 1) for part in parts]
        return all(each) if kind == "and" else any(each)
    compare, key = _COMPARE.get(kind), given.get("key")
    if compare is None or not isinstance(key, str) or "value" not in given:
        raise invalid("A comparison has a known type, a key and a value.", "filters")
    try:
        return key in attributes and bool(compare(attributes[key], given["value"]))
    except TypeError:  # compares a number with a text
        return False


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
