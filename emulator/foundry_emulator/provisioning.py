"""Provisioning: pulls, starts and probes each new version, from ``creating`` to ``active`` or ``failed``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from foundry_emulator.agent_environment import AgentEnvironment
from foundry_emulator.arm import ArmStore, ProjectView
from foundry_emulator.clock import Clock
from foundry_emulator.dataplane.agents import Agents, VersionKey
from foundry_emulator.dataplane.code import CodeStore, code_hash_of
from foundry_emulator.dataplane.definition import image_of
from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.dataplane.session_homes import SessionHomes, safe_name
from foundry_emulator.registry import PulledImage, PullRefusal, RegistryStore, check_pull
from foundry_emulator.runtime import Code, Instance, Runtime, StartFailed, Workload
from foundry_emulator.settings import Script, Settings

K = TypeVar("K")
T = TypeVar("T")
_log = logging.getLogger(__name__)
_IMAGE_ERROR, _PROVISIONING_ERROR = "ImageError", "ProvisioningError"


class _Served(NamedTuple):
    """A version and the session that a process serves; "" for one that serves all sessions."""

    version: VersionKey
    session_id: str


class Provisioner:
    """Runs versions: each new one until it is ready or fails, each active one when it is first called.

    A version that was ``creating`` when the local Azure stopped continues at the next start (`resume`). The next
    call of an active one starts it again, from the image that was pulled then.

    Args:
        arm: Roles and projects.
        registry: Images.
        agents: The agents whose statuses it sets.
        runtime: What runs them.
        settings: Durations and scripts.
        clock: The time for ``provisioning_s`` and scripts.
        code: The zips of code agents.
        folder: The parent of the workloads' folders.
        homes: The homes of sessions.
        environment: Builds the environment of processes.
    """

    def __init__(
        self,
        *,
        arm: ArmStore,
        registry: RegistryStore,
        agents: Agents,
        runtime: Runtime,
        settings: Settings,
        clock: Clock,
        code: CodeStore,
        folder: Path,
        homes: SessionHomes,
        environment: AgentEnvironment,
    ) -> None:
        self._arm = arm
        self._registry = registry
        self._agents = agents
        self._runtime = runtime
        self._settings = settings
        self._clock = clock
        self._code = code
        self._folder = folder
        self._homes = homes
        self._environment = environment
        self._provisioning: dict[VersionKey, asyncio.Task[None]] = {}
        self._starting: dict[_Served, asyncio.Task[Instance]] = {}
        self._instances: dict[_Served, Instance] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._polls: dict[VersionKey, _Polls] = {}

    def resume(self) -> None:
        """Continue with every version that is ``creating``."""
        for agent in self._agents.all():
            for version in agent.versions.values():
                if version.status == "creating":
                    self.begin(version.key)

    def begin(self, key: VersionKey) -> None:
        """Start to provision a new version; return at once."""
        script = self._settings.take_script(key.agent)
        steps = self._provision(key) if script is None else self._follow(key, script)
        task = asyncio.get_running_loop().create_task(steps, name=f"provision {key}")
        self._provisioning[key] = task
        task.add_done_callback(lambda done: _forget(self._provisioning, key, done))

    def polled(self, key: VersionKey) -> None:
        """Count a read of a ``creating`` version, for a script that waits for it."""
        polls = self._polls.get(key)
        if polls is not None:
            polls.count()

    def end(self, key: VersionKey) -> None:
        """Stop the processes of a deleted version; return at once, they may take seconds to end."""
        task = self._provisioning.pop(key, None)
        if task is not None:
            task.cancel()
        for served in [served for served in [*self._starting, *self._instances] if served.version == key]:
            self._end(served)

    def end_session(self, key: VersionKey, session_id: str) -> None:
        """Stop the process of one session; return at once."""
        if session_id:
            self._end(_Served(key, session_id))

    def log_folder(self, key: VersionKey, session_id: str) -> Path:
        """Return the folder of a session's ``stdout.log`` and ``stderr.log``."""
        folder = self._folder / key.project / key.agent / key.version
        own = folder / "sessions" / safe_name(session_id)
        return own if session_id and (self._settings.session_processes or own.is_dir()) else folder

    async def instance(self, key: VersionKey, session_id: str = "") -> Instance:
        """Return the instance that serves a session of an active version; start one if there is none.

        Args:
            key: The version.
            session_id: The session; "" for a call without one.

        Raises:
            StartFailed: It cannot be started (again).
        """
        served = _Served(key, session_id if self._settings.session_processes else "")
        instance = self._instances.get(served)
        if instance is not None and instance.alive:
            return instance
        task = self._starting.get(served)
        if task is None:
            if instance is not None:
                self._aside(self._instances.pop(served).stop())
            task = asyncio.get_running_loop().create_task(self._start(served), name=f"start {served}")
            self._starting[served] = task
            task.add_done_callback(lambda done: _forget(self._starting, served, done))
        try:
            # Shielded: a caller that leaves must not stop the start for the others.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if task.cancelled() and caller is not None and not caller.cancelling():
                raise StartFailed(_PROVISIONING_ERROR, "The version or the session was deleted.") from None
            raise

    def running(self) -> int:
        """Return the number of running instances."""
        return sum(instance.alive for instance in self._instances.values())

    async def close(self) -> None:
        """Stop everything and wait for it."""
        tasks = [*self._provisioning.values(), *self._starting.values()]
        for task in tasks:
            task.cancel()
        for instance in self._instances.values():
            self._aside(instance.stop())
        self._instances.clear()
        await asyncio.gather(*tasks, *self._stopping, return_exceptions=True)
        await self._runtime.close()

    def _end(self, served: _Served) -> None:
        task = self._starting.pop(served, None)
        if task is not None:
            task.cancel()
        instance = self._instances.pop(served, None)
        if instance is not None:
            self._aside(instance.stop())

    async def _provision(self, key: VersionKey) -> None:
        try:
            await self._clock.sleep(self._settings.provisioning_s)
            await self.instance(key)
        except StartFailed as failure:
            self._agents.set_status(key, "failed", {"code": failure.code, "message": failure.message})
        except Exception:  # noqa: BLE001  whatever the cause, the version must not stay `creating` forever
            _log.exception("provisioning %s failed", key)
            self._agents.set_status(
                key,
                "failed",
                {"code": _PROVISIONING_ERROR, "message": "The local Azure failed; its log has the traceback."},
            )
        else:
            self._agents.set_status(key, "active")
            if self._settings.session_processes:
                self._end(_Served(key, ""))  # it only had to show that the version gets ready

    async def _follow(self, key: VersionKey, script: Script) -> None:
        try:
            for step in script.steps:
                if step.polls:
                    self._polls[key] = _Polls(step.polls)
                self._agents.set_status(key, step.status, step.error.model_dump() if step.error else None)
                await self._clock.sleep(step.for_s)
                if step.polls:
                    await self._polls[key].passed.wait()
        finally:
            self._polls.pop(key, None)

    async def _start(self, served: _Served) -> Instance:
        key, session_id = served
        agent, project = self._agents.find(key.project, key.agent), self._arm.project(key.project)
        if agent is None or project is None:
            raise StartFailed(_PROVISIONING_ERROR, "The agent or its project was deleted.")
        try:
            definition = agent.version(key.version).definition
        except ServiceProblem:
            raise StartFailed(_PROVISIONING_ERROR, "The version was deleted.") from None
        digest = code_hash_of(definition)
        environment = self._environment.of(project, agent, key.version, session_id)
        folder = self.log_folder(key, session_id)
        instance = await self._runtime.start(
            Workload(
                agent=key.agent,
                version=key.version,
                image=self._pull(key, project, image_of(definition) or "") if digest is None else None,
                code=None if digest is None else self._code_of(definition, digest),
                environment=environment.variables,
                private=environment.private,
                secrets=environment.secrets,
                folder=folder,
                home=self._homes.at(key.project, key.agent, session_id) if session_id else folder / "home",
                readiness_timeout_s=self._settings.readiness_timeout_s,
                cpu=str(definition["cpu"]),
                memory=str(definition["memory"]),
                puller=project.principal_id,
            )
        )
        self._instances[served] = instance
        return instance

    def _pull(self, key: VersionKey, project: ProjectView, reference: str) -> PulledImage | None:
        if not self._settings.check_pull:
            return None
        pulled = check_pull(self._arm, self._registry, project, reference)
        if isinstance(pulled, PullRefusal):
            # The service tells the caller little; the log of the local Azure says more.
            _log.warning("%s: image %s was not pulled: %s", key, reference, pulled.reason)
            raise StartFailed(_IMAGE_ERROR, pulled.message)
        return pulled

    def _code_of(self, definition: Mapping[str, object], digest: str) -> Code:
        configuration = definition["code_configuration"]
        words = configuration.get("entry_point") if isinstance(configuration, Mapping) else None
        return Code(self._code.path(digest), digest, tuple(words) if isinstance(words, list) else ())

    def _aside(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(_quiet(work))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


class _Polls:
    """Reads that a script waits for."""

    def __init__(self, left: int) -> None:
        self._left = left
        self.passed = asyncio.Event()

    def count(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self.passed.set()


def _forget(tasks: dict[K, asyncio.Task[T]], key: K, done: asyncio.Task[T]) -> None:
    """Remove an ended task, but not the task of a version that was deleted and created again meanwhile."""
    if tasks.get(key) is done:
        del tasks[key]


async def _quiet(work: Coroutine[object, object, None]) -> None:
    with contextlib.suppress(ProcessLookupError):
        await work
