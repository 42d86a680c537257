"""Names of regions in responses: ``swedencentral`` is `Sweden Central` in ``x-ms-region`` [recorded]."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(
    "southeast|north|south|east|west|central|africa|asia|australia|brazil|canada|europe|france|germany|india|italy|japan"
    "|korea|norway|poland|spain|sweden|switzerland|uae|uk|us|[23]"
)
_CAPITALS = frozenset({"uae", "uk", "us"})


@lru_cache(maxsize=128)
def region_name(location: str) -> str:
    """Return the name of a location; an unknown one is returned unchanged."""
    words: list[str] = _WORD.findall(location)
    if "".join(words) != location:
        return location
    return " ".join(word.upper() if word in _CAPITALS else word.capitalize() for word in words)
