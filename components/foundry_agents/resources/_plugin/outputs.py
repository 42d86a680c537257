"""What a resource shows before it exists.

A run with targets, or a destroy that runs the program, makes nothing of what is new in the program. Pulumi then gives
the resource's inputs as its outputs: None for an input that is not known either, an identity without its principal,
properties without what Azure adds to them. Only the id is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pulumi
from pulumi import Output

T = TypeVar("T")


def once_made(value: Output[T], resource: pulumi.CustomResource) -> Output[T]:
    """Return the output, unknown as long as the resource is not made. Previews know no id of what they would make."""
    return value.apply(lambda found: resource.id.apply(lambda _id: found))


def unknown_until_made(resource: pulumi.CustomResource, outputs: Iterable[str]) -> None:
    """Make outputs of a resource unknown where the run does not make it; previews show inputs as they are."""
    if pulumi.runtime.is_dry_run():
        return
    own = vars(resource)
    for name in outputs:
        if isinstance(value := own.get(name), Output):
            own[name] = once_made(value, resource)
