"""What check and diff leave behind for the other calls and plugin processes of one run, and what they take from it.

What check and diff answer about inputs follows from their arguments alone: ``TableProvider.checked`` and ``compared``
are pure. But the engine calls them, for all that a program declares, before it deletes what the program no longer
declares, and it gives a dynamic provider no other sign of that. So both also record, in the memory of this process and
in its notes in Pulumi's home:

- check: which agent, toolbox or store the program declares; and the first values of what the library has chosen.
- diff: that what a resource stands for stays, is replaced, or is replaced because of another resource.

Limits:

- A record can only keep things from being deleted. What a delete needs besides: see ``lifecycle.ownership``.
- A preview calls the same methods and records the same; it deletes nothing, and its process ends with it.
- A refresh calls diff, but not check, for resources that the program may not have any more. So nothing is recorded for
  a URN that was not declared in this run.
- A replacement is checked a second time, without the state that it replaces. Then the values of the first check count,
  and they are lost where another process is asked.
- Notes that can't be written or read make later deletes stop with a warning; see ``notes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foundry_agents.lifecycle.ownership import Identity
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.resources._plugin import run_record

_CHOSEN = ("owner", "former_owners", "agent_name", "toolbox_name", "store_name")
"""Inputs that the library may have chosen, or found out when it created something."""


@dataclass(frozen=True)
class Recorded:
    """What check learns from the run.

    Attributes:
        values: The canonical inputs, with the first values of what the library has chosen.
        other: URN of another resource of this kind that declares the same agent, toolbox or store; None without one.
    """

    values: Values
    other: str | None


def record_check(values: Values, olds: Mapping[str, object], role: str) -> Recorded:
    """Record what a resource declares.

    Args:
        values: Its canonical inputs.
        olds: Its inputs in state; empty for a new resource and for the second check of a replacement.
        role: The name of the provider: a version and a rollout may declare one agent.
    """
    names, urn = texts_in(values.get("chosen")), urn_in(values)
    run_record.keep(urn, chosen=names, **{name: olds.get(name) for name in (*names, "former_owners")})
    settled = with_first_values(values, run_record.kept(urn))
    return Recorded(settled, run_record.declare(settled, role, urn))


def record_diff(
    before: Values,
    id_: str,
    olds: Mapping[str, object],
    news: Mapping[str, object],
    *,
    identity: Identity,
    role: str,
    is_replaced: bool,
    has_unknowns: bool,
) -> None:
    """Record what happens to the thing that a resource stands for.

    Args:
        before: The canonical inputs in state.
        id_: The resource's id.
        olds: Its outputs in state.
        news: Its checked inputs.
        identity: The service's own identity of what state holds.
        role: The name of the provider.
        is_replaced: The inputs make another resource.
        has_unknowns: Some inputs are not known yet: the resource may be replaced because of another one.
    """
    urn = urn_in(news)
    # Outputs are from when the thing was created, also where inputs have been written by an earlier release since.
    run_record.keep(urn, **{name: olds.get(name) for name in _CHOSEN})
    if has_unknowns:
        run_record.declare_again(before)
    if not urn or not run_record.is_declared_as(urn):
        return  # a refresh compares what the program may not have any more
    if is_replaced:
        run_record.is_replaced(urn)
    elif identity:
        run_record.claim_identity(before, role, urn)(identity)
        run_record.record_live(before, urn, id_, identity)


def with_first_values(values: Values, first: Mapping[str, object]) -> Values:
    """Return inputs with what the library chose first, whatever stack or component is called now. Pure.

    Args:
        values: Canonical inputs.
        first: Inputs that were kept when they were first seen in this run.
    """
    names = texts_in(values.get("chosen"))
    settled = {name: value for name, value in values.items() if name not in {"chosen", "former_owners"}}
    settled.update({name: first[name] for name in names if name in first})
    # Not known in a preview, where there are none: an output that state does not have.
    former = {*texts_in(first.get("former_owners")), *texts_in(values.get("former_owners"))}
    if former:
        settled["former_owners"] = sorted(former)
    return settled


def urn_in(values: Mapping[str, object]) -> str:
    """Return the resource's short URN; "" while it is not known."""
    urn = values.get("urn")
    return short_urn(urn) if isinstance(urn, str) else ""


def short_urn(urn: str) -> str:
    """Return a URN without stack and project: they are the same in the whole run, and change with a rename."""
    parts = urn.split("::", 2)
    return parts[-1] if urn.startswith("urn:pulumi:") else urn


def texts_in(value: object) -> list[str]:
    """Return the texts in a list; none for anything else, such as a value that is not known yet."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
