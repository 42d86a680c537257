"""What a resource reads from the program that declares it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pulumi
from pulumi import Input, Output

_declared: WeakKeyDictionary[object, list[tuple[str, str, Input[str], Input[str]]]] = WeakKeyDictionary()
"""Agents, toolboxes and vector stores of each program that this process runs; several only in tests."""


def owner_of_this_stack() -> str:
    """Return ``organization/project/stack``: the owner in the metadata of versions."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


def row_of(name: str, type_token: str, opts: pulumi.ResourceOptions | None) -> Output[str]:
    """Return the URN under which progress is shown. Pulumi does not pass it to the plugin, so it is an input."""
    urn = pulumi.create_urn(name, type_token, parent=opts.parent if opts else None)

    # The parent's URN depends on the parent, and so on this resource itself: a cycle. Its text has no dependency.
    async def text() -> str:
        return await urn.future() or ""

    return Output(set(), text(), urn.is_known())


def reject_duplicate(
    resource_name: str,
    project_endpoint: Input[str],
    name: Input[str],
    *,
    kind: str = "agent",
    name_input: str = "agent_name",
) -> None:
    """Stop a program that declares one agent (or toolbox …) twice: each would delete the other's versions.

    Compares names that are plain text; two outputs that turn out to be the same name are not found here.

    Raises:
        pulumi.RunError: It is declared twice; reported without a traceback.
    """
    declared = _declared.setdefault(pulumi.runtime.get_root_resource() or pulumi, [])
    for other, other_kind, endpoint, other_name in declared:
        if (
            other_kind == kind
            and isinstance(other_name, str)
            and other_name == name
            and (endpoint is project_endpoint or _same(endpoint, project_endpoint))
        ):
            article = "an" if kind[0] in "aeiou" else "a"
            raise pulumi.RunError(
                f'"{resource_name}" and "{other}" both declare the {kind} "{name}" of one project; '
                f"{article} {kind} has one declaration: give one of them another {name_input}"
            )
    declared.append((resource_name, kind, project_endpoint, name))


def _same(one: Input[str], other: Input[str]) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one == other
