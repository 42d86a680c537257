"""The typed settings of a stack; every problem of its file is reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import pulumi

import foundry_agents as fa
from stacks.agent_settings import AgentSettings
from stacks.image_settings import SOURCES
from stacks.reading import read

KEYS = (
    "agents",
    "fingerprintKey",
    "location",
    "models",
    "production",
    "project",
    "projectName",
    "promote",
    "promoteFrom",
    "registry",
    "registryName",
    "tags",
    "telemetry",
)

_T = TypeVar("_T")

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STACK = re.compile(r"[\w.-]+(/[\w.-]+/[\w.-]+)?", re.ASCII)


class SettingsError(Exception):
    """The configuration can't be used; the message lists each problem with its path in the stack's file."""


@dataclass(frozen=True)
class ExistingProject:
    """An existing project; see FoundryProject.existing.

    Attributes:
        endpoint: URL of its data plane.
        principal_id: Object id of its identity.
        resource_id: Its ARM id.
    """

    endpoint: str
    principal_id: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True)
class ExistingRegistry:
    """An existing registry; see AgentRegistry.existing.

    Attributes:
        login_server: Host of its images.
        resource_id: Its ARM id.
        grants: Assign the pull role to the project's identity. False if someone else does.
    """

    login_server: str
    resource_id: str
    grants: bool = True


@dataclass(frozen=True)
class Settings:
    """The settings of one stack.

    Attributes:
        location: Azure region; empty if the project exists.
        agents: Settings by agent name; with the defaults of production in a production stack.
        project_name: Name of the Foundry project in its account; None takes ``agents-{stack}``.
        registry_name: Name of the container registry; None generates one.
        project: An existing project; None creates one.
        registry: An existing registry; None creates one, unless the project exists and all agents are source code.
        models: Models to deploy in the project's account.
        telemetry: Application Insights for the traces of agents; None sends no traces.
        tags: Tags for everything that the stack creates.
        production: Protect what the stack creates, and give its agents the defaults of production.
        promote_from: The stack whose digests this one runs, ``organization/project/stack``.
        promote: Promote them now; otherwise keep what this stack published last.
        fingerprint_key: Secret key for fingerprints.
    """

    location: str
    agents: Mapping[str, AgentSettings]
    project_name: str | None = None
    registry_name: str | None = None
    project: ExistingProject | None = None
    registry: ExistingRegistry | None = None
    models: tuple[fa.ModelDeployment, ...] = ()
    telemetry: fa.AppInsights | None = None
    tags: Mapping[str, str] | None = None
    production: bool = False
    promote_from: str | None = None
    promote: bool = True
    fingerprint_key: pulumi.Output[str] | None = None


def load(config: pulumi.Config | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the stack's configuration.

    Raises:
        SettingsError: Settings are missing, misspelt or of the wrong type; the message lists all of them.
    """
    reader = _Reader(config or pulumi.Config(), environ)
    settings = reader.settings()
    refuse(reader.problems)
    return settings


def refuse(problems: Sequence[str]) -> None:
    """Raise one error for all problems of the stack's file.

    Raises:
        SettingsError: There is at least one problem.
    """
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [problem.replace("\n", "\n  ") for problem in sorted(problems)]
        raise SettingsError("\n  ".join([f"{count} in stacks/Pulumi.{pulumi.get_stack()}.yaml", *lines]))


class _Reader:
    """Reads the configuration key by key and collects the problems."""

    def __init__(self, config: pulumi.Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self.environ = environ
        self.problems: list[str] = []

    def settings(self) -> Settings:
        self._refuse_unknown_keys()
        project = self._part(ExistingProject, "project")
        registry = self._part(ExistingRegistry, "registry")
        if registry is not None and registry.grants and project is not None and project.principal_id is None:
            self.problems.append(
                "project.principal_id is required for the pull role; if someone else assigns it, set `grants: false` "
                "under registry"
            )
        self._refuse_settings_of_what_exists()
        location = self.config.get("location") or ""
        if not location and not self._has("project"):
            self.problems.append("location is required, for example eastus2")
        production = self._flag("production", default=False)
        promote_from = self._promote_from()
        agents = self._agents(promoted=self._has("promoteFrom"), production=production)
        if self._has("project") and not self._has("registry") and not all(one.code for one in agents.values()):
            self.problems.append(
                "registry is required with an existing project: the registry that the project pulls from"
            )
        if project is not None and project.resource_id is None:
            self._refuse_rights_on_the_project(agents.values())
        return Settings(
            location,
            agents,
            project_name=self.config.get("projectName"),
            registry_name=self.config.get("registryName"),
            project=project,
            registry=registry,
            models=self._models(),
            telemetry=self._telemetry(),
            tags=self._tags(),
            production=production,
            promote_from=promote_from,
            promote=self._flag("promote", default=True),
            fingerprint_key=self._fingerprint_key(),
        )

    def _refuse_unknown_keys(self) -> None:
        """Report unknown keys of this project in the stack's file; most are misspelt."""
        prefix = f"{self.config.name}:"
        keys = [key.removeprefix(prefix) for key in pulumi.runtime.get_config_env() if key.startswith(prefix)]
        self.problems.extend(f"{key} is not a setting; settings: {', '.join(KEYS)}" for key in keys if key not in KEYS)

    def _refuse_settings_of_what_exists(self) -> None:
        only_for_new = {"project": ("projectName", "models", "telemetry"), "registry": ("registryName",)}
        for whole, settings in only_for_new.items():
            self.problems.extend(
                f"{key} and {whole} exclude each other: {key} is for a new {whole}, and this one exists"
                for key in settings
                if self._has(whole) and self._has(key)
            )

    def _refuse_rights_on_the_project(self, agents: Collection[AgentSettings]) -> None:
        uses = {
            "invoked_by": any(agent.invoked_by for agent in agents),
            "tools": any(agent.tools and agent.grant_toolbox_role for agent in agents),
        }
        used = " and ".join(key for key, is_used in uses.items() if is_used)
        if used:
            self.problems.append(f"project.resource_id is required for {used}: roles are assigned on the project")

    def _has(self, key: str) -> bool:
        return bool(self.config.get(key))

    def _object(self, key: str) -> object:
        try:
            return self.config.get_object(key)
        except pulumi.ConfigTypeError:  # its message contains the value, which may be secret
            return ""

    def _part(self, kind: type[_T], key: str) -> _T | None:
        return read(kind, key, self._object(key), self.problems) if self._has(key) else None

    def _flag(self, key: str, *, default: bool) -> bool:
        given = self.config.get(key)
        if given not in {None, "true", "false"}:
            self.problems.append(f"{key} must be true or false")
        return default if given is None else given == "true"

    def _tags(self) -> Mapping[str, str] | None:
        if not self._has("tags"):
            return None
        tags = self._object("tags")
        if isinstance(tags, dict) and all(isinstance(value, str) for value in tags.values()):
            return tags
        self.problems.append("tags must be a map with text values")
        return None

    def _models(self) -> tuple[fa.ModelDeployment, ...]:
        """Read the models from a map by the name of the deployment, so that names are unique."""
        if not self._has("models"):
            return ()
        raw_models = self._object("models")
        if not isinstance(raw_models, dict):
            self.problems.append("models must be a map with the name of each deployment as key")
            return ()
        models = []
        for name, raw in raw_models.items():
            path = f"models.{name}"
            if isinstance(raw, dict) and "name" in raw:
                self.problems.append(f"{path}.name is not a setting: the key {name} is the name")
            named = {**raw, "name": name} if isinstance(raw, dict) else {"name": name} if raw is None else raw
            models.append(read(fa.ModelDeployment, path, named, self.problems))
        return tuple(model for model in models if model is not None)

    def _telemetry(self) -> fa.AppInsights | None:
        raw = self._object("telemetry") if self._has("telemetry") else False
        if isinstance(raw, bool):
            return fa.AppInsights() if raw else None
        if isinstance(raw, dict):
            return read(fa.AppInsights, "telemetry", raw, self.problems)
        self.problems.append("telemetry must be true, or a map of settings")
        return None

    def _fingerprint_key(self) -> pulumi.Output[str] | None:
        key = "fingerprintKey"
        if not self._has(key):
            return None
        if not pulumi.runtime.is_config_secret(f"{self.config.name}:{key}"):
            self.problems.append(f"{key} must be a secret: pulumi config set --secret {key}")
        return self.config.require_secret(key)

    def _promote_from(self) -> str | None:
        """Return the full name of the stack before; a short name is a stack of this organization and project."""
        given = self.config.get("promoteFrom")
        if not given:
            if self._has("promote"):
                self.problems.append("promote requires promoteFrom")
            return None
        here = (pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        if not _STACK.fullmatch(given):
            self.problems.append("promoteFrom must be the name of a stack: dev, or organization/project/dev")
            return None
        whole = given if "/" in given else "/".join([*here[:2], given])
        if whole == "/".join(here):
            self.problems.append("promoteFrom names this stack itself; name the stack before it")
        return whole

    def _agents(self, *, promoted: bool, production: bool) -> Mapping[str, AgentSettings]:
        raw_agents = self._object("agents")
        if not isinstance(raw_agents, dict) or not raw_agents:
            self.problems.append("agents is required: a map with the name of each agent as key")
            return {}
        secret = pulumi.runtime.is_config_secret(f"{self.config.name}:agents")
        agents: dict[str, AgentSettings] = {}
        for name, raw in raw_agents.items():
            path = f"agents.{name}"
            if isinstance(raw, dict):
                self._check_source(path, raw, promoted=promoted)
            agent = read(AgentSettings, path, raw, self.problems)
            if agent is None:
                continue
            self.problems.extend(agent.problems(path))
            if production:
                self.problems.extend(agent.production_problems(path))
                agent = agent.with_production_defaults()
            agent = self._with_variables(path, agent)
            agents[name] = agent.with_secret_environment() if secret else agent
        return agents

    def _check_source(self, path: str, raw: Mapping[str, object], *, promoted: bool) -> None:
        """Report an agent without exactly one source."""
        given = [f"{path}.{source}" for source in SOURCES if raw.get(source) is not None]
        if len(given) > 1:
            self.problems.append(f"{' and '.join(given)} exclude each other: set only one of them")
        if not given and not promoted:
            self.problems.append(
                f"{path}.image is required: repository@sha256:…; or set {', '.join(SOURCES[1:-1])} or {SOURCES[-1]} "
                "instead, or promoteFrom for the stack"
            )

    def _with_variables(self, path: str, agent: AgentSettings) -> AgentSettings:
        """Return a copy with the values of the environment variables that the file names."""
        if agent.image is not None:
            agent = replace(agent, image=self._expanded(f"{path}.image", agent.image))
        if agent.tag is not None:
            agent = replace(agent, tag=self._expanded(f"{path}.tag", agent.tag))
        if agent.build is None:
            return agent
        secrets = {
            name: self._secret(f"{path}.build.secrets.{name}", variable)
            for name, variable in agent.build.secrets.items()
        }
        return replace(agent, build=replace(agent.build, secrets=secrets))

    def _secret(self, path: str, variable: object) -> pulumi.Output[str]:
        """Return the value of a variable as a secret.

        The message does not show the text of the file, because it may be the secret itself.
        """
        value = self.environ.get(variable) if isinstance(variable, str) else None
        if value is None:
            self.problems.append(f"{path} must be the name of an environment variable that is set")
        return pulumi.Output.secret(value or "")

    def _expanded(self, path: str, text: str) -> str:
        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self.environ:
                self.problems.append(f"{path} names the environment variable {name}, which is not set")
            return self.environ.get(name, "")

        return _VARIABLE.sub(value_of, text)
