"""What a resource takes from the program that declares it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pulumi
from pulumi import Input, Output

_declared: WeakKeyDictionary[object, list[tuple[str, Input[str], Input[str]]]] = WeakKeyDictionary()
"""Agents of each program that this process runs; several only in tests."""


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


def refuse_a_second(resource_name: str, project_endpoint: Input[str], agent_name: Input[str]) -> None:
    """Stops a program that declares one agent twice: the two would take each other's versions away.

    Sees names that are plain text; two outputs that turn out to be the same name are not seen.

    Raises:
        pulumi.RunError: The program's fault, told without a traceback.
    """
    declared = _declared.setdefault(pulumi.runtime.get_root_resource() or pulumi, [])
    for other, endpoint, agent in declared:
        if (
            isinstance(agent, str)
            and agent == agent_name
            and (endpoint is project_endpoint or _same(endpoint, project_endpoint))
        ):
            raise pulumi.RunError(
                f'"{resource_name}" and "{other}" both declare the agent "{agent}" of one project; '
                "an agent has one declaration: give one of them another agent_name"
            )
    declared.append((resource_name, project_endpoint, agent_name))


def _same(one: Input[str], other: Input[str]) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one == other
