"""Settings that change how the local Azure behaves, at start and while it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class SettingsProblem(ValueError):
    """A setting is unknown or has an invalid value; nothing was changed."""


class Dedup(StrEnum):
    """When a create that repeats the latest version returns that version (service-contract 3, [docs])."""

    OFF = "off"
    DEFINITION = "definition"  # equal definitions are enough
    ALL = "all"  # definition, description and metadata must be equal


class Failure(BaseModel):
    """The error of a failed version.

    Attributes:
        code: The service's error code.
        message: The text that the version shows.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    code: str
    message: str


class Step(BaseModel):
    """One scripted status of a version.

    Attributes:
        status: ``creating``, ``active`` or ``failed``.
        for_s: Seconds until the next step; the last step stays.
        polls: How often the version must be read before the next step can start; ``creating`` only.
        error: The error of a failed step.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    status: Literal["creating", "active", "failed"]
    for_s: Seconds = 0.0
    polls: int = Field(default=0, ge=0)
    error: Failure | None = None

    @model_validator(mode="after")
    def _polls_require_creating(self) -> Step:
        if self.polls and self.status != "creating":
            raise PydanticCustomError("polls", "polls requires status 'creating'")
        return self


class Script(BaseModel):
    """The statuses of the next new version of a matching agent, instead of the real ones.

    Attributes:
        agent: Regular expression that the whole name of the agent must match.
        steps: The steps in order; at least one.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    agent: re.Pattern[str] = re.compile(".*")
    steps: list[Step] = Field(min_length=1)


class Settings(BaseModel):
    """The settings; every uncertain point of service-contract 10.4 that the emulator models is one of them.

    Attributes:
        provisioning_s: Minimum seconds that a new version stays ``creating``. The service takes 20 to 300.
        readiness_timeout_s: Seconds that a started agent has until ``/readiness`` returns 200.
        invoke_timeout_s: Seconds that an agent has until it starts to answer a call.
        dedup: What a create is compared by to detect that it repeats the latest version.
        dedup_failed: A create that repeats a *failed* latest version also returns that version; uncertain.
        session_idle_s: Seconds after its last call at which any session is idle; None uses the version's
            ``session_configuration.idle_timeout_seconds``, else the service's default of 900.
        role_delay_s: Seconds until a role assignment takes effect.
        deployment_s: Seconds that a model deployment takes; meanwhile its account accepts no other one [docs].
        account_retention_s: Seconds for which a deleted account reserves its name and can be recovered. Azure's are
            172800 [docs]; the default is none, so that a stack can be created again at once.
        parent_busy: How often the delete of a connection, and of a project that a connection was deleted from, is
            refused before it succeeds, as Azure does for some seconds [observed].
        check_pull: The image must exist, and the project's identity must be allowed to pull it. Turn it off only to
            replay recordings, whose images no local registry has.
        registry_tokens: The registry requires tokens and checks roles, as Azure's does. Off by default: any program
            on this machine may push and pull without a login. Other machines have no access in either case.
        agent_identities: A new agent has the identities that responses show. Off, it has none, like an agent
            that was created before agent identities existed [recorded].
        identity_per_version: Each version has its own instance identity. Off, as in the service, all versions
            share one [recorded][docs].
        session_processes: Each session has its own process, with its own home and id. Off, one process serves all
            sessions of a version, which starts faster and needs less memory.
        tasks_allowed: The subscription may run the tasks of registries. Off, uploads and runs are refused with
            ``TasksOperationsNotAllowed``, as for free, trial and student subscriptions [observed].
        buildkit: Address of the BuildKit that builds for a registry's tasks, such as ``tcp://127.0.0.1:1234``. When
            it is empty, their runs fail.
        buildctl: BuildKit's client, by name on PATH or by path.
        log_idle_s: Seconds without a line after which a log stream ends; the service's 2 minutes [docs].
        indexing_s: Seconds that a file in a vector store is ``in_progress``.
        mcp_strict: The MCP endpoints of toolboxes lack what the service lacks [docs]: ``ping`` and ``prompts/list``.
        mcp_separator: The text between a server's label and its tool's name: ``.`` [docs]; ``___`` was [observed] too.
        mcp_timeout_s: Seconds that an MCP server of a toolbox has to answer.
        scripts: Scripted status transitions; each is used once.
    """

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    provisioning_s: Seconds = 1.0
    readiness_timeout_s: Seconds = 60.0
    invoke_timeout_s: Seconds = 120.0
    dedup: Dedup = Field(default=Dedup.ALL, strict=False)
    dedup_failed: bool = False
    session_idle_s: Seconds | None = None
    role_delay_s: Seconds = 0.0
    deployment_s: Seconds = 0.0
    account_retention_s: Seconds = 0.0
    parent_busy: int = Field(default=0, ge=0)
    check_pull: bool = True
    registry_tokens: bool = False
    agent_identities: bool = True
    identity_per_version: bool = False
    session_processes: bool = False
    tasks_allowed: bool = True
    buildkit: str = ""
    buildctl: str = "buildctl"
    log_idle_s: Seconds = 120.0
    indexing_s: Seconds = 0.5
    mcp_strict: bool = True
    mcp_separator: str = Field(default=".", pattern=r"\A[._-]{1,8}\z")
    mcp_timeout_s: Seconds = 30.0
    scripts: list[Script] = Field(default_factory=list)

    def change(self, changes: Mapping[str, object]) -> None:
        """Apply all ``changes``, or none.

        Raises:
            SettingsProblem: A name is unknown or a value is invalid; the message lists every problem, by name and
                without the value.
        """
        try:
            given = Settings.model_validate(dict(changes))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            texts = (_problem(one["loc"], _TEXTS.get(one["type"], one["msg"])) for one in problems)
            raise SettingsProblem("; ".join(texts)) from None
        for name in given.model_fields_set:
            setattr(self, name, getattr(given, name))

    def document(self) -> dict[str, object]:
        """Return the settings as JSON."""
        return self.model_dump(mode="json")

    def take_script(self, agent: str) -> Script | None:
        """Remove and return the script for a new version of ``agent``; None when there is none."""
        for position, script in enumerate(self.scripts):
            if script.agent.fullmatch(agent):
                return self.scripts.pop(position)
        return None


_TEXTS = {
    "model_type": "must be an object",
    "string_pattern_mismatch": "must be 1 to 8 of the characters . _ -",
    "too_short": "must have at least one entry",
}
"""Where the validator's own text would name a class or a pattern."""


def _problem(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]) if location else ""
    if name not in Settings.model_fields:
        return f"unknown setting {name!r}; the settings are {', '.join(Settings.model_fields)}"
    where = name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:])
    return f"{where}: {message[:1].lower()}{message[1:]}"
