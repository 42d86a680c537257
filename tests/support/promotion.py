"""One digest is promoted through the stages of one program: a scenario of a test and of figures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.environments import POLICIES, Environments, contract, digest
from tests.support.harness import Project

CALLER, STRANGER = "00000000-0000-0000-0000-00000000ca11", "00000000-0000-0000-0000-00000000bad1"


@dataclass(frozen=True)
class Promoted:
    """What was seen on the way.

    Attributes:
        shared_names: Names that two stages have written to.
        promotion: The preview of the second stage when the first has a new digest.
        held: The same preview with promotion switched off.
        digests: What each stage runs in the end, the first stage's first.
        violations: What the policy pack reports of the last stage.
        published: What the consumer reads, and what the last stage publishes.
        callers: Whether the consumer's app, and another caller, may call the agent.
        projects: The consumer, and the stages from last to first: the order in which they can be destroyed.
    """

    shared_names: set[tuple[str, str]]
    promotion: str
    held: str
    digests: list[str]
    violations: str
    published: tuple[object, object]
    callers: tuple[bool, bool]
    projects: tuple[Project, ...]


@dataclass(frozen=True)
class TakenDown:
    """What was seen when all of it went.

    Attributes:
        changed: How many previews of unchanged stages show a change.
        protected: What `pulumi destroy` says of the last stage, which is production.
        left: Agents, ARM resources (roles are among them) and running agents in the end.
    """

    changed: int
    protected: str
    left: tuple[int, int, int]


def promoted_through(environments: Environments, stages: Sequence[str]) -> Promoted:
    """Deploy the stages, promote a second digest through all of them, and let another project read and call."""
    stacks = _stacks(environments, stages)
    first, *_, last = stacks
    ups = [environments.watched(stack, *(POLICIES if stack is last else ())) for stack in stacks]

    first.config["agents"]["support"]["image"] = f"support@{environments.push('second')}"
    first.write_config()
    first.up().succeeded()
    promotion = stacks[1].preview().succeeded().output
    held = _held(stacks[1])
    for stack in stacks[1:]:
        stack.up().succeeded()
    digests = [digest(stack) for stack in stacks]

    consumer = environments.consumer(stages[-1], CALLER)
    consumer.up().succeeded()
    support = contract(last)["agents"]["support"]
    published = (consumer.outputs(), {name: support[name] for name in ("responses_url", "version")})
    callers = (environments.may_call(CALLER, stages[-1]), environments.may_call(STRANGER, stages[-1]))
    return Promoted(
        shared_names=_shared([writes for _, writes in ups]),
        promotion=promotion,
        held=held,
        digests=digests,
        violations=ups[-1][0].output,
        published=published,
        callers=callers,
        projects=(consumer, *reversed(stacks)),
    )


def taken_down(environments: Environments, projects: Sequence[Project]) -> TakenDown:
    """Preview once more and destroy: first the consumer, then the stages from last to first."""
    _, *stacks = projects
    changed = sum(not _is_unchanged(stack.preview().succeeded().output) for stack in stacks)
    last = stacks[0]
    protected = last.destroy().failed().output
    last.run("state", "unprotect", "--all", "--yes", "--stack", last.stack).succeeded()
    for project in projects:
        project.destroy().succeeded()
    state = environments.azure.control.state()
    return TakenDown(changed, protected, (state["agents"], state["arm_resources"], state["instances"]))


def _stacks(environments: Environments, stages: Sequence[str]) -> list[Project]:
    image = f"support@{environments.push('first')}"
    made = [environments.add(stages[0], {"image": image})]
    for before, stage in itertools.pairwise(stages):
        # One step without a bake time: production's own would be waited for.
        rollout = {"rollout": {"steps": [50]}} if stage == stages[-1] else {}
        made.append(environments.add(stage, rollout, promoteFrom=before, production=stage == stages[-1]))
    return made


def _is_unchanged(preview: str) -> bool:
    return preview.rstrip().rpartition("Resources:\n")[2].strip() == "11 unchanged"


def _held(stack: Project) -> str:
    stack.config["promote"] = False
    stack.write_config()
    seen = stack.preview().succeeded().output
    stack.config["promote"] = True
    stack.write_config()
    return seen


def _shared(written: Sequence[Sequence[str]]) -> set[tuple[str, str]]:
    names = [_names(paths) for paths in written]
    return set().union(*(one & other for one, other in itertools.combinations(names, 2)))


def _names(paths: Sequence[str]) -> set[tuple[str, str]]:
    """Return everything that has a name of its own, as kind and name."""
    kinds = {"resourcegroups", "accounts", "projects", "registries", "roleassignments"}
    words = [path.strip("/").split("/") for path in paths]
    return {(kind.lower(), name) for path in words for kind, name in itertools.pairwise(path) if kind.lower() in kinds}
