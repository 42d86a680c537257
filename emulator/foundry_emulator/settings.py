"""What can be changed about the local Azure's behaviour, at start and while it runs."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum


class SettingsProblem(ValueError):
    """A setting that can't be; nothing was changed."""


class Dedup(StrEnum):
    """When a create that repeats the latest version answers with that version (service-contract 3, [docs])."""

    OFF = "off"
    DEFINITION = "definition"  # equal definitions are enough
    ALL = "all"  # definition, description and metadata must be equal


@dataclass(frozen=True, slots=True)
class Step:
    """One scripted status of a version: how long it lasts, and what it fails with.

    Attributes:
        status: ``creating``, ``active`` or ``failed``.
        for_s: seconds until the next step; the last step stays.
        polls: how often the version is read in this step before the next one can come; of ``creating`` only.
        error: ``{"code", "message"}`` of a failed step.
    """

    status: str
    for_s: float = 0.0
    polls: int = 0
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """The statuses that the next new version of a matching agent goes through, instead of the true ones.

    Attributes:
        agent: regular expression that the agent's whole name must match.
        steps: in order; at least one.
    """

    agent: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class Settings:
    """The switches; every uncertain point of service-contract 10.4 that is built is one of them.

    Attributes:
        provisioning_s: seconds a new version is ``creating`` at least. The service takes 20 to 300.
        readiness_timeout_s: seconds a started agent has until ``/readiness`` answers 200.
        invoke_timeout_s: seconds an agent has until it begins to answer a call.
        dedup: what a create that repeats the latest version is compared by.
        dedup_failed: a create that repeats a *failed* latest version answers with it too; uncertain.
        session_idle_s: seconds after its last call at which any session is idle; None takes the version's
            ``session_configuration.idle_timeout_seconds``, else the service's default of 900.
        role_delay_s: seconds until a role assignment takes effect.
        deployment_s: seconds that a model deployment is being made; its account takes no other meanwhile [docs].
        account_retention_s: seconds for which a deleted account keeps its name and can be taken back. Azure's are
            172800 [docs]; none by default, so that a stack can go up again at once.
        parent_busy: how often the delete of a connection, and of a project that a connection was deleted from, is
            refused before it goes through, as Azure does for some seconds [observed].
        check_pull: the image must exist and the project's identity must be allowed to pull it. Off only to
            replay recordings, whose images no local registry has.
        registry_tokens: the registry asks for tokens and looks at roles, as Azure's does. Off by default: whoever is on
            this machine may push and pull without, so that tools need no login here; other machines reach neither.
        agent_identities: a new agent has the identities that answers show. Off, it has none, as agents of
            before have none [recorded].
        identity_per_version: each version has an instance identity of its own. Off, as the service has it, all versions
            share one [recorded][docs].
        session_processes: each session is served by a process of its own, with its own home and id; off, one
            process serves all sessions of a version, which starts faster and needs less memory.
        buildkit: address of the BuildKit that builds for a registry's tasks, such as ``tcp://127.0.0.1:1234``; empty,
            their runs fail.
        buildctl: BuildKit's client, by name on PATH or by path.
        log_idle_s: seconds without a line after which a log stream ends; the service's 2 minutes [docs].
        indexing_s: seconds that a file in a vector store is ``in_progress``.
        mcp_strict: toolboxes' MCP endpoints lack what the service lacks [docs]: ``ping`` and ``prompts/list``.
        mcp_separator: between a server's label and its tool's name: ``.`` [docs]; ``___`` was [observed] too.
        mcp_timeout_s: seconds that an MCP server behind a toolbox has to answer.
        scripts: scripted status transitions, used up one by one.
    """

    provisioning_s: float = 1.0
    readiness_timeout_s: float = 60.0
    invoke_timeout_s: float = 120.0
    dedup: Dedup = Dedup.ALL
    dedup_failed: bool = False
    session_idle_s: float | None = None
    role_delay_s: float = 0.0
    deployment_s: float = 0.0
    account_retention_s: float = 0.0
    parent_busy: int = 0
    check_pull: bool = True
    registry_tokens: bool = False
    agent_identities: bool = True
    identity_per_version: bool = False
    session_processes: bool = False
    buildkit: str = ""
    buildctl: str = "buildctl"
    log_idle_s: float = 120.0
    indexing_s: float = 0.5
    mcp_strict: bool = True
    mcp_separator: str = "."
    mcp_timeout_s: float = 30.0
    scripts: list[Script] = field(default_factory=list)

    def update(self, changes: Mapping[str, object]) -> None:
        """Applies ``changes``, all or none.

        Raises:
            SettingsProblem: an unknown name or an unfit value; the message names it.
        """
        read = {name: _reader(name)(name, value) for name, value in changes.items()}
        for name, value in read.items():
            setattr(self, name, value)

    def document(self) -> dict[str, object]:
        """The settings as JSON."""
        return {
            "provisioning_s": self.provisioning_s,
            "readiness_timeout_s": self.readiness_timeout_s,
            "invoke_timeout_s": self.invoke_timeout_s,
            "dedup": self.dedup.value,
            "dedup_failed": self.dedup_failed,
            "session_idle_s": self.session_idle_s,
            "role_delay_s": self.role_delay_s,
            "deployment_s": self.deployment_s,
            "account_retention_s": self.account_retention_s,
            "parent_busy": self.parent_busy,
            "check_pull": self.check_pull,
            "registry_tokens": self.registry_tokens,
            "agent_identities": self.agent_identities,
            "identity_per_version": self.identity_per_version,
            "session_processes": self.session_processes,
            "buildkit": self.buildkit,
            "buildctl": self.buildctl,
            "log_idle_s": self.log_idle_s,
            "indexing_s": self.indexing_s,
            "mcp_strict": self.mcp_strict,
            "mcp_separator": self.mcp_separator,
            "mcp_timeout_s": self.mcp_timeout_s,
            "scripts": [
                {
                    "agent": script.agent,
                    "steps": [
                        {"status": step.status, "for_s": step.for_s, "polls": step.polls, "error": step.error}
                        for step in script.steps
                    ],
                }
                for script in self.scripts
            ],
        }

    def take_script(self, agent: str) -> Script | None:
        """The script for a new version of ``agent``, which is then used up."""
        for position, script in enumerate(self.scripts):
            if re.fullmatch(script.agent, agent):
                return self.scripts.pop(position)
        return None


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise SettingsProblem(f"{name} must be a number of seconds >= 0, not {value!r}")
    return float(value)


def _seconds_or_none(name: str, value: object) -> float | None:
    return None if value is None else _seconds(name, value)


def _times(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingsProblem(f"{name} must be an integer >= 0, not {value!r}")
    return value


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsProblem(f"{name} must be true or false, not {value!r}")
    return value


def _separator(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[._-]{1,8}", value):
        raise SettingsProblem(f"{name} must be 1 to 8 of the characters . _ -, not {value!r}")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsProblem(f"{name} must be text, not {value!r}")
    return value


def _dedup(name: str, value: object) -> Dedup:
    if not isinstance(value, str) or value not in set(Dedup):
        raise SettingsProblem(f"{name} must be one of {', '.join(Dedup)}, not {value!r}")
    return Dedup(value)


def _step(name: str, value: object) -> Step:
    if not isinstance(value, Mapping) or value.get("status") not in {"creating", "active", "failed"}:
        raise SettingsProblem(f'{name} must be {{"status": "creating|active|failed", ...}}, not {value!r}')
    error = value.get("error")
    if error is not None and not (
        isinstance(error, Mapping) and isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    ):
        raise SettingsProblem(f'{name}.error must be {{"code", "message"}}, not {error!r}')
    return Step(
        status=str(value["status"]),
        for_s=_seconds(f"{name}.for_s", value.get("for_s", 0)),
        polls=_polls(f"{name}.polls", value.get("polls", 0), str(value["status"])),
        error=None if error is None else {"code": error["code"], "message": error["message"]},
    )


def _polls(name: str, value: object, status: str) -> int:
    times = _times(name, value)
    if times and status != "creating":
        raise SettingsProblem(f"{name} must be of a step 'creating', not of {status!r}")
    return times


def _scripts(name: str, value: object) -> list[Script]:
    if not isinstance(value, list):
        raise SettingsProblem(f"{name} must be a list, not {value!r}")
    scripts = []
    for position, entry in enumerate(value):
        where = f"{name}[{position}]"
        steps = entry.get("steps") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(steps, list) or not steps:
            raise SettingsProblem(f'{where} must be {{"agent": regex, "steps": [...]}}, not {entry!r}')
        agent = entry.get("agent", ".*")
        try:
            re.compile(agent)
        except (re.error, TypeError) as problem:
            raise SettingsProblem(f"{where}.agent is no regular expression: {problem}") from None
        read = tuple(_step(f"{where}.steps[{at}]", step) for at, step in enumerate(steps))
        scripts.append(Script(agent=agent, steps=read))
    return scripts


_READERS: Mapping[str, Callable[[str, object], object]] = {
    "provisioning_s": _seconds,
    "readiness_timeout_s": _seconds,
    "invoke_timeout_s": _seconds,
    "dedup": _dedup,
    "dedup_failed": _switch,
    "session_idle_s": _seconds_or_none,
    "role_delay_s": _seconds,
    "deployment_s": _seconds,
    "account_retention_s": _seconds,
    "parent_busy": _times,
    "check_pull": _switch,
    "registry_tokens": _switch,
    "agent_identities": _switch,
    "identity_per_version": _switch,
    "session_processes": _switch,
    "buildkit": _text,
    "buildctl": _text,
    "log_idle_s": _seconds,
    "indexing_s": _seconds,
    "mcp_strict": _switch,
    "mcp_separator": _separator,
    "mcp_timeout_s": _seconds,
    "scripts": _scripts,
}


def _reader(name: str) -> Callable[[str, object], object]:
    if name not in _READERS:
        known = ", ".join(field.name for field in fields(Settings))
        raise SettingsProblem(f"there is no setting {name!r}; known: {known}")
    return _READERS[name]
