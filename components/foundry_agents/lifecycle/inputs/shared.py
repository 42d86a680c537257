"""Rows that several resources have, by what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_agents.lifecycle.inputs import rules
from foundry_agents.lifecycle.schema.fields import OnChange, Rows, row
from foundry_agents.lifecycle.schema.parsers import flag, non_empty, text
from foundry_agents.lifecycle.schema.shapes import Items


@dataclass(frozen=True, kw_only=True)
class OfProject(Rows):
    """Inputs that identify the project."""

    project_endpoint: str = row(
        rules.project_endpoint,
        "The project's data plane, `https://….services.ai.azure.com/api/projects/NAME`; take it from the project's "
        "output, never build it from names.",
        "sdk: no token over plain http",
        required=True,
        empty="",
        identity=True,
    )


@dataclass(frozen=True, kw_only=True)
class OfAgent(OfProject):
    """Inputs that identify the agent."""

    agent_name: str = row(
        rules.agent_name,
        "Name of the agent in its project: 1 to 63 letters, digits, hyphens.",
        "sdk, azd",
        required=True,
        empty="",
        identity=True,
    )


@dataclass(frozen=True, kw_only=True)
class Described(Rows):
    """What a user says about a version."""

    description: str = row(text(most=512), "At most 512 characters.", "service", empty="")
    metadata: Mapping[str, str] | None = row(
        rules.metadata,
        "Up to 12 pairs of your own; name up to 64, value up to 512 characters.",
        "sdk",
    )


@dataclass(frozen=True, kw_only=True)
class OnRow(Rows):
    """Where progress messages go."""

    urn: str = row(
        text(), "Resource on which progress is shown; set for you.", "ours", on_change=OnChange.IGNORE, empty=""
    )


@dataclass(frozen=True, kw_only=True)
class Owned(OnRow):
    """Which stack manages what the resource stands for."""

    owner: str = row(
        rules.owner,
        "The stack that manages the agent, `organization/project/stack`; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
        required=True,
        empty="",
    )
    former_owners: Sequence[str] = row(
        Items(non_empty, "owners", ordered=False),
        "Owners whose agents, toolboxes or stores this stack has taken over (`take_over`); `no owner until 3` stands "
        "for versions without an owner up to number 3; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
        empty=(),
    )
    chosen: Sequence[str] = row(
        Items(non_empty, "names of inputs", ordered=False),
        "Inputs that the library has chosen, such as an agent's name after its component. They keep their first "
        "value, whatever the stack and the component are called now; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
        empty=(),
    )


@dataclass(frozen=True, kw_only=True)
class ForceDelete(Rows):
    """The input that says what a delete does with active sessions."""

    force_delete: bool = row(
        flag,
        "Delete even if sessions are active, and end them.",
        "sdk: force on delete",
        # Deletes see what is in state, so a change must get there; it sends nothing.
        on_change=OnChange.UPDATE,
        default=False,
    )
