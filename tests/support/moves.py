"""Cases 84 to 92: names, targets, options and processes change in any order; nothing that is declared is ever lost.

`python -m tests.support.moves --steps 10000` makes as many moves.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, field
from typing import Any

from tests.support.engine_model import ROLLOUT, VERSION, Declared, Service, Stack

HOSTS = ("localhost", "127.0.0.1")
"""Two names of one project."""

IMAGE = "acme.azurecr.io/support@sha256:" + "0" * 64
NAMES = ("alpha", "beta")


@dataclass(eq=False)
class Agent:
    """An agent as a program declares it.

    Attributes:
        component: What it is called in Pulumi; its name in the project is chosen after that.
        name: Its name in the project, where the program says it.
        word: A variable: another one is another version.
        before: What the component was called, where it was renamed with aliases.
        instance: The instance of the provider.
        host: The name that its project is called by.
        alone: A version without a rollout that keeps it.
        chosen: The name that it had when it was made; what it is called later makes no difference.
    """

    component: str
    name: str | None = None
    word: str = "Hello"
    before: frozenset[str] = frozenset()
    instance: str = "default"
    host: str = HOSTS[0]
    chosen: str = ""

    def urns(self, component: str) -> tuple[str, str]:
        """Of version and rollout."""
        return tuple(f"urn:pulumi:s::p::agent${kind}::{component}-{kind}" for kind in ("version", "rollout"))  # type: ignore[return-value]

    def declared(self, owner: str) -> list[Declared]:
        """Return its two resources, as HostedAgent makes them."""
        version, rollout = self.urns(self.component)
        former = [self.urns(name) for name in sorted(self.before)]
        where = {"project_endpoint": f"https://{self.host}/api/projects/p"}

        def of_version(_outputs: Any) -> dict[str, Any]:
            return {
                **where,
                "agent_name": self.name or self.component,
                "image": IMAGE,
                "environment": {"WORD": self.word},
                "protocols": {"responses": "2.0.0"},
                "kept_by_rollout": True,
                "owner": owner,
                "chosen": ["owner", *([] if self.name else ["agent_name"])],
                "urn": version,
            }

        def of_rollout(outputs: Any) -> dict[str, Any]:
            seen = outputs[version]
            return {
                **where,
                "agent_name": seen["agent_name"],
                "version": seen["version"],
                "owner": seen["owner"],
                "protocols": ["responses"],
                "keep_versions": 2.0,
                "urn": rollout,
            }

        return [
            Declared(version, VERSION, of_version, frozenset(urns[0] for urns in former), self.instance),
            Declared(rollout, ROLLOUT, of_rollout, frozenset(urns[1] for urns in former), self.instance),
        ]


@dataclass(eq=False)
class Counts:
    """What a series of moves came to.

    Attributes:
        moves: How many runs there were.
        refused: How many of them were refused, with nothing lost.
        losses: What was lost, each with the moves that led there.
    """

    moves: int = 0
    refused: int = 0
    losses: list[str] = field(default_factory=list)


class Life:
    """One stack through moves that a seed chooses."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.service = Service()
        self.stack = Stack(dict.fromkeys(HOSTS, self.service))
        self.owner = "acme/agents/dev"
        self.agents = [Agent(name) for name in NAMES]
        self.known: dict[str, str] = {}
        self.fresh: Agent | None = None
        self.scenario: list[str] = [f"seed {seed}"]
        self.seed = seed
        self.counts = Counts()

    def live(self, moves: int) -> Counts:
        """Make this many moves, and destroy the stack at the end."""
        self._plain_up("up")
        for _ in range(moves):
            self._move()
            self.counts.moves += 1
            self._judge()
            if self.counts.losses:
                return self.counts
        self._plain_up("the last up")
        self.stack.destroy()
        self.scenario.append("destroy")
        if self.stack.errors or self.service.versions:
            self._lost(f"after the destroy there is {sorted(self.service.versions)}, {self.stack.errors}")
        return self.counts

    def _move(self) -> None:
        move = self.chance.choice(
            [
                self._change,
                self._rename_with_alias,
                self._rename_without_alias,
                self._rename_stack,
                self._second_host,
                self._other_instance,
                self._limited,
                self._limited,
                self._limited_destroy,
                self._refresh,
                self._killed,
                self._replace,
                self._unread_notes,
                self._leave_and_return,
                self._several_at_once,
            ]
        )
        move()

    def _edit(self) -> str:
        """Change the program, and note how."""
        agent = self.chance.choice(self.agents)
        edit = self.chance.randrange(6)
        if edit == 0:
            agent.word = self.chance.choice(["Hello", "Howdy", "Ahoy"])
            return f"{agent.component} says {agent.word}"
        if edit == 1:
            return self._rename(agent)
        if edit == 2 and self._owner_can_be_found(agent):
            self.fresh, agent.name, agent.before = agent, agent.chosen or agent.name, frozenset()
            was, agent.component = agent.component, f"c{self.chance.randrange(10**6)}"
            return f"{was} is renamed to {agent.component} without an alias, agent_name={agent.name}"
        if edit == 3 and self.fresh is None:
            self.owner = f"acme/agents/dev{self.chance.randrange(10**6)}"
            return f"the stack is renamed to {self.owner}"
        if edit == 4:
            agent.host = HOSTS[HOSTS.index(agent.host) - 1]
            return f"the project of {agent.component} is called by {agent.host}"
        agent.instance = self.chance.choice(["default", "mine", "other"])
        return f"{agent.component} is on instance {agent.instance}"

    def _rename(self, agent: Agent) -> str:
        agent.before |= {agent.component}
        was, agent.component = agent.component, f"c{self.chance.randrange(10**6)}"
        return f"{was} is renamed to {agent.component} with an alias"

    def _owner_can_be_found(self, agent: Agent) -> bool:
        """Note the owner of a resource that is new in state: the current name of the stack.

        After a rename of the stack such an agent is refused, with `take_over` as the way out. That is no loss, and no
        move here: the stack gets the agent's owner for its name again.
        """
        if self.fresh not in {None, agent}:
            return False
        version = next((each for each in self.stack.state if each.urn == agent.urns(agent.component)[0]), None)
        if version is not None:
            self.owner = version.outputs["owner"]
        return version is not None or self.fresh is agent

    def _program(self) -> list[Declared]:
        return [each for agent in self.agents for each in agent.declared(self.owner)]

    def _up(self, what: str, **options: Any) -> bool:
        self.scenario.append(f"{what}: up {options}" if options else f"{what}: up")
        done = self.stack.up(self._program(), **options)
        if self.stack.errors:
            self.scenario.append(f"  -> {self.stack.errors[0]}")
            self.counts.refused += 1
        return done

    def _plain_up(self, what: str) -> None:
        if not self._up(what):
            self._lost(f"a plain up failed: {self.stack.errors}")
            return
        for agent in self.agents:
            version = next(each for each in self.stack.state if each.urn == agent.urns(agent.component)[0])
            agent.chosen = version.outputs["agent_name"]
            agent.before, self.fresh = frozenset(), None
            self.known[agent.chosen] = self.service.guids[agent.chosen]
            routes = {route.version: route.percent for route in self.service.routes.get(agent.chosen, ())}
            if routes != {version.outputs["version"]: 100}:
                self._lost(f"{agent.chosen} serves {routes}, state says {version.outputs['version']}")
        left = set(self.service.versions) - {agent.chosen for agent in self.agents}
        if left:
            self._lost(f"left over: {left}")

    def _change(self) -> None:
        self._plain_up(self._edit())

    def _several_at_once(self) -> None:
        self._plain_up(", ".join(self._edit() for _ in range(3)))

    def _rename_with_alias(self) -> None:
        self._plain_up(self._rename(self.chance.choice(self.agents)))

    def _rename_without_alias(self) -> None:
        agent = self.chance.choice(self.agents)
        if not self._owner_can_be_found(agent):
            return
        self.fresh, agent.name, agent.before = agent, agent.chosen, frozenset()
        agent.component = f"c{self.chance.randrange(10**6)}"
        self._plain_up(f"a component of {agent.name} is renamed to {agent.component} without an alias")

    def _rename_stack(self) -> None:
        if self.fresh is not None:
            return
        self._plain_up("before the stack is renamed")
        self.owner = f"acme/agents/dev{self.chance.randrange(10**6)}"
        before = len(self.service.calls)
        self._plain_up(f"the stack is renamed to {self.owner}")
        writes = [call for call in self.service.calls[before:] if not call.startswith(("get_", "list_"))]
        if writes:
            self._lost(f"renaming the stack wrote {writes}")

    def _second_host(self) -> None:
        agent = self.chance.choice(self.agents)
        agent.host = HOSTS[HOSTS.index(agent.host) - 1]
        self._plain_up(f"the project of {agent.component} is called by {agent.host}")

    def _other_instance(self) -> None:
        agent = self.chance.choice(self.agents)
        agent.instance = self.chance.choice(["default", "mine", "other"])
        agent.word = self.chance.choice(["Hello", "Howdy", "Ahoy"])
        self._plain_up(f"{agent.component} moves to instance {agent.instance} and says {agent.word}")

    def _some_urns(self) -> frozenset[str]:
        urns = sorted({each.urn for each in self.stack.state} | {each.urn for each in self._program()})
        return frozenset(self.chance.sample(urns, self.chance.randint(1, len(urns) - 1)))

    def _limited(self) -> None:
        what, some = self._edit(), self._some_urns()
        if self.chance.random() < 0.5:
            self._up(what, targets=some)
        else:
            self._up(what, excludes=some)

    def _limited_destroy(self) -> None:
        some = self._some_urns()
        self.scenario.append(f"destroy --target {sorted(some)}")
        if not self.stack.destroy(targets=some):
            self.counts.refused += 1

    def _refresh(self) -> None:
        self.scenario.append("refresh")
        self.stack.refresh()

    def _killed(self) -> None:
        self._up(self._edit(), kill_after=self.chance.randrange(4))

    def _replace(self) -> None:
        agent = self.chance.choice(self.agents)
        # A forced replacement is checked without the state: it has no owner either.
        if self._owner_can_be_found(agent):
            self._up("forced", replaces=frozenset({self.chance.choice(agent.urns(agent.component))}))

    def _unread_notes(self) -> None:
        self._up(self._edit(), notes=False)

    def _leave_and_return(self) -> None:
        """Remove an agent from the program, deploy, and declare it again."""
        self._plain_up("before one leaves")
        if self.counts.losses:
            return
        leaving = self.chance.choice(self.agents)
        self.agents.remove(leaving)
        self.known.pop(leaving.chosen, None)
        self._plain_up(f"{leaving.component} leaves the program")
        self.agents.append(leaving)
        self._plain_up(f"{leaving.component} comes back")

    def _judge(self) -> None:
        """Whatever was declared when a run last succeeded, and still is, is there and has its identity."""
        for agent in self.agents:
            guid = self.known.get(agent.chosen)
            if guid and (agent.chosen not in self.service.versions or self.service.guids[agent.chosen] != guid):
                self._lost(f"{agent.chosen} is gone or is another")

    def _lost(self, what: str) -> None:
        self.counts.losses.append("\n".join([*self.scenario[-12:], f"LOST: {what}"]))


def moved(*, lives: int, moves: int, first_seed: int = 0) -> Counts:
    """Make this many series of this many moves."""
    total = Counts()
    for seed in range(first_seed, first_seed + lives):
        counts = Life(seed).live(moves)
        total.moves += counts.moves
        total.refused += counts.refused
        total.losses += counts.losses
    return total


MOVES_OF_A_LIFE = 20


def main() -> None:
    """Make this many moves and print what was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.moves", description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first life")
    given = parser.parse_args()
    counts = moved(lives=max(1, given.steps // MOVES_OF_A_LIFE), moves=MOVES_OF_A_LIFE, first_seed=given.seed)
    for loss in counts.losses[:3]:
        print(loss, end="\n\n")
    print(f"{counts.moves} moves, {counts.refused} refused, {len(counts.losses)} losses")


if __name__ == "__main__":
    main()
