"""Words of the service's that grow: what this release knows, and the way through for newer ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self


class Word(str):  # noqa: SLOT000 (a newer word carries is_new)
    """A word that the service understands.

    Attributes:
        is_new: Made by ``of``: this release need not know it.
    """

    is_new: bool = False

    @classmethod
    def of(cls, word: str) -> Self:
        """A word that is newer than this release; the service then decides. A typo elsewhere is still an error."""
        made = cls(word)
        made.is_new = True
        return made


class AgentProtocol(Word):
    """A protocol that an agent speaks [sdk]; ``AgentProtocol.of("…")`` for one that is newer than this release.

    With a newer protocol the form of its version is the service's to judge, too.
    """

    A2A: Final = "a2a"
    ACTIVITY: Final = "activity"
    INVOCATIONS: Final = "invocations"
    INVOCATIONS_WS: Final = "invocations_ws"
    MCP: Final = "mcp"
    RESPONSES: Final = "responses"
    VOICE: Final = "voice"
    VOICE_CONVERSATION_ENGINE: Final = "voice_conversation_engine"


class Runtime(Word):
    """What runs a code package [docs]; ``Runtime.of("python_3_15")`` for one that is newer than this release."""

    PYTHON_3_13: Final = "python_3_13"
    PYTHON_3_14: Final = "python_3_14"
    DOTNET_10: Final = "dotnet_10"


def known(kind: type[Word]) -> tuple[str, ...]:
    """The words of a kind that this release knows."""
    return tuple(value for name, value in vars(kind).items() if name.isupper())


def new_among(words: Iterable[object]) -> list[str]:
    """The words that were made by ``of``, as plain text."""
    return sorted({str(word) for word in words if isinstance(word, Word) and word.is_new})
