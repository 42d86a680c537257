"""The engine as a process of this machine: which command it runs, and which plugin processes it has started.

A dynamic provider is not sent the command, nor the options that limit a run to a part of the stack. The engine's own
command line says both, and only the user who started it can change that. What can't be read is reported as not
known, and then nothing is deleted.

Importing psutil takes a hundredth of a second, so this module is imported by deletes alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

import psutil

from foundry_agents.resources._plugin.notes import address

RUN = "FOUNDRY_AGENTS_RUN"
"""Environment variable, ``up`` or ``destroy``: what this run is, for an engine that another program has built in. The
engine's own command line, where there is one, has precedence."""

UP = frozenset({"up", "update", "watch"})
DESTROY = frozenset({"destroy", "down", "dn"})
_OTHERS = frozenset({"preview", "pre", "refresh", "import"})

_LAUNCHER = "pulumi-resource-pulumi-python"
"""The script that the engine starts a plugin process of dynamic providers with."""

_FORCES = "--replace"
"""The option that replaces a resource without reading its state."""

_LIMITS = ("--target", "--exclude")
"""How the options begin that limit a run: ``--target``, ``--target-dependents``, ``--exclude-protected`` …"""

_LIMITING_VARIABLES = ("PULUMI_OPTION_TARGET", "PULUMI_OPTION_EXCLUDE")
"""How the variables begin that stand for such options."""

_SHORT_LIMITS = {"t": "--target", "x": "--exclude"}
_SHORT_WITH_VALUE = frozenset("sCcmpv")
"""Letters of options that take a value: the rest of the argument, or the next one, is that value."""

_LONG_WITH_VALUE = frozenset(
    {
        "--color",
        "--config",
        "--config-file",
        "--cwd",
        "--exec-agent",
        "--exec-kind",
        "--log-level",
        "--message",
        "--parallel",
        "--plan",
        "--policy-pack",
        "--policy-pack-config",
        "--profiling",
        "--replace",
        "--save-plan",
        "--secrets-provider",
        "--stack",
        "--tracing",
        "--verbose",
    }
)
"""Options whose value may be the next argument."""


@dataclass(frozen=True)
class Command:
    """What the engine was asked to do.

    Attributes:
        verb: ``up`` or ``destroy``; "" for any other or an unknown one.
        limited: The option that limits it to a part of the stack; "" without one.
        forced: Some resources are replaced without their state.
    """

    verb: str = ""
    limited: str = ""
    forced: bool = False


@dataclass(frozen=True)
class Neighbour:
    """Another plugin process of this run.

    Attributes:
        process: Its id.
        home: The variables that say where it keeps its notes; None when they can't be read.
    """

    process: int
    home: Mapping[str, str] | None


@dataclass(frozen=True)
class Engine:
    """The engine that has started this process.

    Attributes:
        command: What it was asked to do.
        neighbours: The other processes of dynamic providers that it has started.
        unseen: Why it is not known what it does; "" when it is.
        seen: Its process was found, and so are the neighbours.
    """

    command: Command
    neighbours: Sequence[Neighbour] = ()
    unseen: str = ""
    seen: bool = True


def engine() -> Engine:
    """Find the engine among the processes of this machine. Takes some hundredths of a second: for deletes alone."""
    try:
        pulumi = _above(psutil.Process().parents())
        if pulumi is None:
            return _unseen("no process of `pulumi` is above this one")
        command = command_of(_arguments(pulumi)[1:], os.environ)
        below = [(each, _arguments(each)) for each in pulumi.children(recursive=True)]
    except psutil.Error as error:
        return _unseen(f"the process of `pulumi` can't be read ({type(error).__name__})")
    neighbours = [
        Neighbour(each.pid, _home_of(each))
        for each, started_as in below
        if each.pid != os.getpid() and _is_plugin(started_as)
    ]
    if not command.verb:
        return replace(_unseen("its command line names neither", command), neighbours=neighbours, seen=True)
    return Engine(command, neighbours)


def _above(ancestors: Sequence[psutil.Process]) -> psutil.Process | None:
    """Return the engine among the processes above: who started the launcher of plugins, else `pulumi` by name."""
    for number, each in enumerate(ancestors[:-1]):
        if any(_LAUNCHER in argument for argument in _arguments(each)):
            return ancestors[number + 1]
    return next((each for each in ancestors if _is_pulumi(_arguments(each))), None)


def command_of(arguments: Sequence[str], variables: Mapping[str, str]) -> Command:
    """Read a command line of `pulumi`.

    Args:
        arguments: Without the program's own name.
        variables: The environment, which may stand for options.
    """
    verbs: list[str] = []
    limited = ""
    for option, word in _words(arguments):
        if word in UP | DESTROY | _OTHERS:
            verbs.append(word)
        limited = limited or option
    limited = limited or next(
        (name for name, value in variables.items() if name.startswith(_LIMITING_VARIABLES) and _is_on(value)), ""
    )
    forced = any(argument.partition("=")[0] == _FORCES for argument in arguments)
    forced = forced or _is_on(variables.get("PULUMI_OPTION_REPLACE", ""))
    # Two of them: one is the value of an option, and which one can't be seen.
    (verb,) = verbs if len(verbs) == 1 else ("",)
    known = "up" if verb in UP else "destroy" if verb in DESTROY else ""
    return Command(known, limited, forced)


def _words(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return each argument as a limiting option or as a word; values of options are neither."""
    is_value = False
    for argument in arguments:
        if is_value:
            is_value = False
        elif argument.startswith("--"):
            name, _, value = argument.partition("=")
            if name.startswith(_LIMITS) and value.lower() not in {"false", "0"}:
                yield name, ""
            is_value = not value and name in _LONG_WITH_VALUE
        elif argument.startswith("-") and len(argument) > 1:
            for position, letter in enumerate(argument[1:], 2):
                if letter in _SHORT_LIMITS:
                    yield _SHORT_LIMITS[letter], ""
                    break
                if letter in _SHORT_WITH_VALUE:
                    is_value = position == len(argument)
                    break
        else:
            yield "", argument


def _is_on(value: str) -> bool:
    return value.lower() not in {"", "false", "0"}


def _unseen(why: str, command: Command | None = None) -> Engine:
    """Return an engine whose verb is not known: the user may set it; options are read all the same."""
    said = os.environ.get(RUN, "").lower()
    known = command or command_of((), os.environ)
    if said in {"up", "destroy"}:
        return Engine(replace(known, verb=said), seen=False)
    return Engine(known, unseen=why, seen=False)


def _arguments(process: psutil.Process) -> Sequence[str]:
    with suppress(psutil.Error):  # it has just ended, or is of another user: no plugin of this run
        return list(process.cmdline())
    return []


def _home_of(process: psutil.Process) -> Mapping[str, str] | None:
    with suppress(psutil.Error, OSError):
        return home_in(process.environ())
    return None


def home_in(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that say where a process keeps its notes."""
    return {name: variables[name] for name in ("PULUMI_HOME", "HOME", "USERPROFILE") if name in variables}


def _is_pulumi(arguments: Sequence[str]) -> bool:
    return bool(arguments) and PurePath(arguments[0]).name.lower().removesuffix(".exe") == "pulumi"


def _is_plugin(arguments: Sequence[str]) -> bool:
    return "pulumi.dynamic" in arguments and bool(arguments) and arguments[-1] == address()
