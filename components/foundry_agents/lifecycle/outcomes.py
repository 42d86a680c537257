"""How the creation and the deletion of a resource ended: the same words for versions, toolboxes, stores and builds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from foundry_agents.lifecycle.ownership import Owner

T = TypeVar("T")


class Outcome(StrEnum):
    """How something came to be."""

    ADOPTED = "adopted"
    """Ours, equal and usable: no POST."""
    CREATED = "created"
    """Nothing to adopt: one POST."""
    REPOSTED = "reposted"
    """Our earlier try had failed: one POST with the next attempt number."""
    FOLLOWED = "followed"
    """An earlier run of ours is still creating it: no POST."""


@dataclass(frozen=True)
class Made(Generic[T]):
    """What was created or adopted, and how it came to be.

    Attributes:
        view: As last read; of a build, the digest of its image.
        outcome: How it came to be.
        owned: False when the service returned an existing equal version without this definition's ownership metadata:
            its own de-duplication found it. It is used, and this library never deletes it.
        owner: The owner from now on, with the stacks that it has taken over.
    """

    view: T
    outcome: Outcome
    owned: bool = True
    owner: Owner = field(default_factory=lambda: Owner(""))


class Retired(StrEnum):
    """What became of a version or vector store that its resource no longer needs."""

    DELETED = "deleted"
    TOOLBOX_DELETED = "deleted with its toolbox"
    GONE = "was already gone"
    SERVES = "kept: the endpoint's rules give it traffic"
    NOT_OURS = "kept: this stack does not own it"
    IN_USE = "kept: a version of an agent or of a toolbox uses it"
    KEPT_FOR_ROLLBACK = "kept for a rollback: a version of an agent or of a toolbox uses it"
    DEFAULT = "kept: it is the toolbox's default"
    UNPROVED = "kept"
