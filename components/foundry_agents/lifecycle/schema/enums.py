"""Enum values of the service, which adds new ones: those that this release knows, and how to use a newer one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self


class EnumValue(str):  # noqa: SLOT000 (a newer value carries is_new)
    """An enum value of the service.

    Attributes:
        is_new: Made by ``of``: accepted although this release does not know it.
    """

    is_new: bool = False

    @classmethod
    def of(cls, value: str) -> Self:
        """Return a value that is newer than this release; the service then decides. Other typos are still errors."""
        made = cls(value)
        made.is_new = True
        return made


class AgentProtocol(EnumValue):
    """A protocol that an agent speaks [sdk]; ``AgentProtocol.of("…")`` for one that is newer than this release.

    The version of a newer protocol is not checked either: the service decides.
    """

    A2A: Final = "a2a"
    ACTIVITY: Final = "activity"
    INVOCATIONS: Final = "invocations"
    INVOCATIONS_WS: Final = "invocations_ws"
    MCP: Final = "mcp"
    RESPONSES: Final = "responses"
    VOICE: Final = "voice"
    VOICE_CONVERSATION_ENGINE: Final = "voice_conversation_engine"


class Runtime(EnumValue):
    """What runs a code package [docs]; ``Runtime.of("python_3_15")`` for one that is newer than this release."""

    PYTHON_3_13: Final = "python_3_13"
    PYTHON_3_14: Final = "python_3_14"
    DOTNET_10: Final = "dotnet_10"


def known(kind: type[EnumValue]) -> tuple[str, ...]:
    """Return the values of a kind that this release knows."""
    return tuple(value for name, value in vars(kind).items() if name.isupper())


def new_among(values: Iterable[object]) -> list[str]:
    """Return the values that were made by ``of``, as plain text."""
    return sorted({str(value) for value in values if isinstance(value, EnumValue) and value.is_new})
