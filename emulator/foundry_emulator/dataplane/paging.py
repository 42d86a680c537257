"""Pages of a list (service-contract 1.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from foundry_emulator.dataplane.problem import invalid

Item = TypeVar("Item")


class Shape(Enum):
    """The envelope of a list; the three kinds differ in the recordings."""

    LIST = "agents and versions"  # `object`; that an empty page has no ids is [modelled] on sessions
    SESSIONS = "sessions"  # no `object`, and no ids when empty [recorded]
    TOOLBOXES = "toolboxes"  # `object`, and ids "" when empty [recorded]


_DEFAULT_LIMIT, _MAX_LIMIT = 20, 100


def order_of(query: Mapping[str, str], default: str) -> str:
    """``order`` of the query: ``asc`` or ``desc`` by creation."""
    order = query.get("order", default)
    if order not in {"asc", "desc"}:
        raise invalid(f"order must be asc or desc, not '{order}'.", "order")
    return order


def page(
    items: Sequence[Item],
    query: Mapping[str, str],
    *,
    find: Callable[[str], int | None],
    id_of: Callable[[Item], str],
    show: Callable[[Item], object],
    most: int = _MAX_LIMIT,
    shape: Shape = Shape.LIST,
) -> dict[str, object]:
    """Return one page of ``items``, which are already in the requested order.

    Args:
        items: All items.
        query: ``limit``, ``after`` and ``before`` of the request.
        find: Returns the position of the item with that id, deleted or not; None for an unknown id.
        id_of: Returns an item's id, the cursor.
        show: Returns an item as JSON.
        most: The highest valid ``limit``.
        shape: The envelope.

    Returns:
        The body. An empty page has no ``last_id``, or an empty one, else the SDK would ask forever; [recorded].

    Raises:
        ServiceProblem: 400 for a limit outside 1 to ``most`` or an unknown cursor, [modelled].
    """
    limit = _limit(query.get("limit"), most)
    start, end = 0, len(items)
    after, before = query.get("after"), query.get("before")
    if after:
        place = _place(find, after, "after")
        start = place + 1 if place < end and id_of(items[place]) == after else place
    if before:
        end = _place(find, before, "before")
    backwards = bool(before) and not after
    shown = items[max(start, end - limit) : end] if backwards else items[start : min(end, start + limit)]
    body: dict[str, object] = {"data": [show(item) for item in shown]}
    if shown or shape is Shape.TOOLBOXES:
        body["first_id"] = id_of(shown[0]) if shown else ""
        body["last_id"] = id_of(shown[-1]) if shown else ""
    body["has_more"] = len(shown) < end - start
    if shape is not Shape.SESSIONS:
        body["object"] = "list"
    return body


def listed(
    oldest_first: Sequence[Mapping[str, object]],
    query: Mapping[str, str],
    *,
    most: int = _MAX_LIMIT,
    shape: Shape = Shape.LIST,
) -> dict[str, object]:
    """Return one page of documents with an ``id`` each, newest first unless ``order`` says otherwise.

    Raises:
        ServiceProblem: As `page`; an invalid ``order`` too.
    """
    items = list(oldest_first)
    if order_of(query, "desc") == "desc":
        items.reverse()
    ids = [str(item["id"]) for item in items]
    return page(
        items,
        query,
        find=lambda cursor: ids.index(cursor) if cursor in ids else None,
        id_of=lambda item: str(item["id"]),
        show=lambda item: item,
        most=most,
        shape=shape,
    )


def _limit(text: str | None, most: int) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        raise invalid(f"limit must be an integer from 1 to {most}, not '{text}'.", "limit")
    return int(text)


def _place(find: Callable[[str], int | None], cursor: str, name: str) -> int:
    place = find(cursor)
    if place is None:
        raise invalid(f"'{cursor}' is not an item of this list.", name)
    return place
