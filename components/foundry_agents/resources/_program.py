"""What a resource takes from the program that declares it."""

from __future__ import annotations

import pulumi
from pulumi import Output


def owner_of_this_stack() -> str:
    """``organization/project/stack``: what versions are marked with."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


def row_of(name: str, type_token: str, opts: pulumi.ResourceOptions | None) -> Output[str]:
    """The URN under which progress is shown. The plugin is never told it, so it travels as an input."""
    urn = pulumi.create_urn(name, type_token, parent=opts.parent if opts else None)

    # The parent's URN drags a dependency on the parent along, and so on this very resource: a cycle. The text alone
    # has none.
    async def text() -> str:
        return await urn.future() or ""

    return Output(set(), text(), urn.is_known())
