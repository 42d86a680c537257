"""What a stack's configuration says, typed, with every problem reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import pulumi

KEYS = ("agents", "location", "registryName")

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SettingsError(Exception):
    """The configuration can't be used; the text names each problem by its path in the stack's file."""


@dataclass(frozen=True)
class AgentSettings:
    """One agent of the stack.

    Attributes:
        image: ``repository@sha256:…`` in the stack's registry. ``${NAME}`` takes a variable of the environment, which
            is how a build hands its digest over.
        cpu: Cores; see HostedAgent.
        memory: Gibibytes; see HostedAgent.
        environment: Variables of the container; secret when anything under ``agents`` is a secret in the file.
        description: At most 512 characters.
        force_delete: On destroy end active sessions instead of refusing. For stacks that come and go.
        timeout_s: Give up waiting for a version after this many seconds.
        pull_role_budget_s: For how long after it was granted a pull role may not be in effect; see HostedAgent.
    """

    image: str
    cpu: str = "1"
    memory: str = "2Gi"
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    description: str | None = None
    force_delete: bool = False
    timeout_s: float | None = None
    pull_role_budget_s: float | None = None


@dataclass(frozen=True)
class Settings:
    """One stack.

    Attributes:
        location: Azure region.
        agents: Settings by agent name.
        registry_name: Name of the container registry; None makes one.
    """

    location: str
    agents: Mapping[str, AgentSettings]
    registry_name: str | None = None


def load(config: pulumi.Config | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads the stack's configuration.

    Raises:
        SettingsError: Something is missing, misspelt or of the wrong type; all of it is named.
    """
    config = config or pulumi.Config()
    problems = [f"{key} is not a setting; settings: {', '.join(KEYS)}" for key in _unknown_keys(config.name)]
    location = config.get("location") or ""
    if not location:
        problems.append("location is required, for example eastus2")
    try:
        raw_agents = config.get_object("agents")
    except pulumi.ConfigTypeError:  # its text holds the value, which may be secret
        raw_agents = None
    secret = pulumi.runtime.is_config_secret(f"{config.name}:agents")
    agents: dict[str, AgentSettings] = {}
    if not isinstance(raw_agents, dict) or not raw_agents:
        problems.append("agents is required: settings by agent name")
    else:
        for name, raw in raw_agents.items():
            if (agent := _agent(f"agents.{name}", raw, environ, problems)) is not None:
                agents[name] = _kept_secret(agent) if secret else agent
    if problems:
        file = f"Pulumi.{pulumi.get_stack()}.yaml"
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise SettingsError("\n".join([f"{count} in stacks/{file}", *(f"  {problem}" for problem in sorted(problems))]))
    return Settings(location, agents, registry_name=config.get("registryName"))


def _unknown_keys(project: str) -> list[str]:
    """Keys of the stack's file under this project's name that nothing reads: most are misspelt."""
    prefix = f"{project}:"
    keys = [key.removeprefix(prefix) for key in pulumi.runtime.get_config_env() if key.startswith(prefix)]
    return sorted(key for key in keys if key not in KEYS)


def _kept_secret(agent: AgentSettings) -> AgentSettings:
    """Pulumi says only that some value under ``agents`` is secret, not which: so every variable is kept as one."""
    return replace(agent, environment={name: pulumi.Output.secret(value) for name, value in agent.environment.items()})


_KINDS: Mapping[str, tuple[type, ...]] = {
    "image": (str,),
    "cpu": (str, int, float),
    "memory": (str,),
    "environment": (dict,),
    "description": (str,),
    "force_delete": (bool,),
    "timeout_s": (int, float),
    "pull_role_budget_s": (int, float),
}


def _agent(path: str, raw: object, environ: Mapping[str, str], problems: list[str]) -> AgentSettings | None:
    if not isinstance(raw, dict):
        problems.append(f"{path} must be a map of settings")
        return None
    before = len(problems)
    known = {row.name for row in fields(AgentSettings)}
    problems.extend(
        f"{path}.{key} is not a setting; settings: {', '.join(sorted(known))}" for key in raw if key not in known
    )
    for key, kinds in _KINDS.items():
        if raw.get(key) is not None and not _is_a(raw[key], kinds):
            problems.append(f"{path}.{key} must be {_words(kinds)}")
    image = raw.get("image")
    if image is None:
        problems.append(f"{path}.image is required: repository@sha256:…")
    if len(problems) > before:
        return None
    given = {key: value for key, value in raw.items() if value is not None}
    given["image"] = _expanded(f"{path}.image", str(image), environ, problems)
    if "cpu" in given:
        given["cpu"] = str(given["cpu"])
    return AgentSettings(**given)


def _is_a(raw: object, kinds: tuple[type, ...]) -> bool:
    # In Python true is also the number 1; in a settings file it is not.
    return isinstance(raw, kinds) and (bool in kinds or not isinstance(raw, bool))


def _words(kinds: tuple[type, ...]) -> str:
    words = {str: "text", int: "a number", float: "a number", bool: "true or false", dict: "a map"}
    return " or ".join(dict.fromkeys(words[kind] for kind in kinds))


def _expanded(path: str, text: str, environ: Mapping[str, str], problems: list[str]) -> str:
    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environ:
            problems.append(f"{path} names the environment variable {name}, which is not set")
        return environ.get(name, "")

    return _VARIABLE.sub(value_of, text)
