"""A local Azure inside a test: ``with LocalAzure(tmp_path) as azure: ...``."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import uvloop

from foundry_emulator.arm.arm_store import SUBSCRIPTION_ID
from foundry_emulator.arm.resource_id import parse
from foundry_emulator.arm.roles import REPOSITORY_READER
from foundry_emulator.clock import Clock, RealClock
from foundry_emulator.data_folder import DataFolder
from foundry_emulator.dataplane.access import AUDIENCE
from foundry_emulator.emulator import Emulator, Ports, RuntimeKind
from foundry_emulator.identity import DEPLOYER
from foundry_emulator.journal import Entry
from foundry_emulator.registry import pack, push
from foundry_emulator.settings import Settings

T = TypeVar("T")
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class SeededProject:
    """A project with a registry that it may pull from.

    Attributes:
        name: The project's name.
        endpoint: Its data plane endpoint.
        id: Its ARM id.
        principal_id: Its identity, which pulls images.
        registry_id: ARM id of the registry.
        registry: The registry's name.
        login_server: The host of image references.
    """

    name: str
    endpoint: str
    id: str
    principal_id: str
    registry_id: str
    registry: str
    login_server: str


class Control:
    """The control API of a running local Azure.

    Args:
        page: Base URL of its plain listener.
    """

    def __init__(self, page: str) -> None:
        self._client = httpx.Client(base_url=page, trust_env=False, timeout=30)

    def state(self) -> dict[str, Any]:
        """Counts and lists, see `foundry_emulator.control.Control.state`."""
        return self._ask("GET", "/_control/state")

    def set(self, **settings: object) -> dict[str, Any]:
        """Change settings, see `foundry_emulator.settings.Settings`; return all settings."""
        return self._ask("POST", "/_control/settings", settings)

    def fault(self, **rule: object) -> dict[str, Any]:
        """Add a fault, see `foundry_emulator.faults.Fault`; return it."""
        faults = self._ask("POST", "/_control/faults", rule)["faults"]
        fault: dict[str, object] = faults[0] if isinstance(faults, list) else {}
        return fault

    def faults(self) -> list[dict[str, object]]:
        """Return the active faults, with how often they fired."""
        faults = self._ask("GET", "/_control/faults")["faults"]
        return faults if isinstance(faults, list) else []

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._client.delete("/_control/faults").raise_for_status()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._client.request(method, path, json=body)
        if answer.is_error:
            raise ValueError(answer.text)
        document: dict[str, object] = answer.json()
        return document


class LocalAzure:
    """A local Azure in a thread of this process, on free ports; a context manager.

    Args:
        data_dir: The folder of its state; the same folder again is a restart.
        runtime: ``echo``, ``process`` or ``docker``.
        provisioning_s: Minimum seconds that a new version stays ``creating``.
        settings: All settings; they replace ``provisioning_s``.
        clock: The time.
        seed: Random seed for the traffic split.
        ports: The ports; any free ones by default.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        runtime: str = "echo",
        provisioning_s: float = 0.0,
        settings: Settings | None = None,
        clock: Clock | None = None,
        seed: int | None = 0,
        ports: Ports | None = None,
    ) -> None:
        self._folder = DataFolder(data_dir)
        self._runtime = RuntimeKind(runtime)
        self._settings = settings or Settings(provisioning_s=provisioning_s)
        self._clock = clock or RealClock()
        self._seed = seed
        self._ports = ports or Ports(0, 0, 0)
        self._begun: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="local-azure", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._emulator: Emulator | None = None
        self._control: Control | None = None
        self._trust: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        self._folder.lock()
        self._thread.start()
        try:
            self._begun.result(_START_S)
        except BaseException:
            self._folder.unlock()
            raise
        self._folder.describe(self.emulator.running())
        self._control = Control(self.emulator.page_url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._control is not None:
            self._control.close()
        if self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._folder.unlock()

    @property
    def emulator(self) -> Emulator:
        """The emulator itself; use it through `run` only."""
        if self._emulator is None:
            raise RuntimeError("the local Azure is not running; use it in a with statement")
        return self._emulator

    @property
    def control(self) -> Control:
        """The control API."""
        if self._control is None:
            raise RuntimeError("the local Azure is not running; use it in a with statement")
        return self._control

    @property
    def env(self) -> dict[str, str]:
        """The variables that clients need; `IDENTITY_HEADER` is a secret."""
        return dict(self.emulator.environment)

    @property
    def data_plane(self) -> str:
        """Base URL of data plane and ARM."""
        return self.emulator.urls.data_plane

    @property
    def page(self) -> str:
        """Base URL of page, tokens and control."""
        return self.emulator.page_url

    def project_endpoint(self, name: str) -> str:
        """Return the data plane endpoint of a project, whether it exists or not."""
        return f"{self.data_plane}/api/projects/{name}"

    def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` on the local Azure's own thread and return its result."""
        if self._loop is None:
            raise RuntimeError("the local Azure is not running; use it in a with statement")

        async def call() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_START_S)

    def journal(self, *, plane: str | None = None, writes: bool = False, since: int = 0) -> list[Entry]:
        """Entries of the journal, oldest first."""
        return self.run(lambda: list(self.emulator.journal.entries(plane=plane, writes=writes, since=since)))

    def token(self, principal_id: str = DEPLOYER, audience: str = AUDIENCE) -> str:
        """Return a token of a principal; by default the deployer's, for the data plane."""
        return self.run(lambda: self.emulator.identity.token(principal_id, audience))

    def trust(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this local Azure alone."""
        if self._trust is None:
            self._trust = ssl.create_default_context(cafile=self._folder.tls / "ca.pem")
        return self._trust

    def client(self, project: str, *, principal_id: str = DEPLOYER) -> httpx.Client:
        """Return an HTTP client of a project's data plane, with a token and ``api-version=v1``."""
        return httpx.Client(
            base_url=self.project_endpoint(project),
            verify=self.trust(),
            trust_env=False,
            timeout=30,
            headers={"authorization": f"Bearer {self.token(principal_id)}"},
            params={"api-version": "v1"},
        )

    def seed_project(self, name: str, *, registry: str = "", pull_role: bool = True) -> SeededProject:
        """Create a resource group, account, project and registry, and assign the project the pull role.

        For tests that don't run Pulumi. The registry is called ``{name}registry``, without hyphens, unless
        ``registry`` names it.
        """
        group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{name}"
        account = f"{group}/providers/Microsoft.CognitiveServices/accounts/{name}-account"
        project = f"{account}/projects/{name}"
        registry = registry or f"{name}registry".replace("-", "")
        registry_id = f"{group}/providers/Microsoft.ContainerRegistry/registries/{registry}"
        self.put(group, {"location": "swedencentral"})
        self.put(
            account,
            {
                "location": "swedencentral",
                "kind": "AIServices",
                "sku": {"name": "S0"},
                "identity": {"type": "SystemAssigned"},
                "properties": {"allowProjectManagement": True, "customSubDomainName": f"{name}-account"},
            },
        )
        self.put(project, {"location": "swedencentral", "identity": {"type": "SystemAssigned"}, "properties": {}})
        self.put(registry_id, {"location": "swedencentral", "sku": {"name": "Basic"}, "properties": {}})
        view = self.run(lambda: self.emulator.arm.project(name))
        if view is None:
            raise RuntimeError(f"ARM does not show the project {name} that was just created")
        if pull_role:
            self.grant(view.principal_id, REPOSITORY_READER, registry_id)
        return SeededProject(
            name=name,
            endpoint=view.endpoint,
            id=view.id,
            principal_id=view.principal_id,
            registry_id=registry_id,
            registry=registry,
            login_server=f"{self.emulator.urls.registry}/{registry}",
        )

    def put(self, resource_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create or replace an ARM resource."""
        document, _ = self.run(lambda: self.emulator.arm.put(parse(resource_id), body))
        return document

    def get(self, resource_id: str) -> dict[str, Any]:
        """Return an ARM resource as Resource Manager shows it."""
        return self.run(lambda: self.emulator.arm.get(parse(resource_id)))

    def request_of(self, resource_id: str) -> dict[str, Any]:
        """Return the last request body of an ARM resource, without what Azure adds."""
        return self.run(lambda: self.emulator.arm.request_of(parse(resource_id)))

    def delete(self, resource_id: str) -> None:
        """Delete an ARM resource and everything below it, agents included."""

        def work() -> None:
            self.emulator.arm.delete(parse(resource_id))
            self.emulator.forget_deleted_projects()

        self.run(work)

    def grant(self, principal_id: str, role: str, scope: str) -> str:
        """Assign a role (GUID) at a scope; return the assignment's id, for `delete`."""
        assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        definition = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        self.put(
            assignment,
            {
                "properties": {
                    "roleDefinitionId": definition,
                    "principalId": principal_id,
                    "principalType": "ServicePrincipal",
                }
            },
        )
        return assignment

    def push_image(
        self, project: SeededProject, repository: str = "agent", files: Mapping[str, str] | None = None
    ) -> str:
        """Pack ``files`` (name to text; ``main.py`` is the entrypoint) into an image and push it.

        Returns:
            The reference, pinned by digest.
        """
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (files or {"main.py": ""}).items():
                (Path(folder) / name).write_text(text)
            return self.push_folder(project, Path(folder), repository)

    def push_folder(self, project: SeededProject, folder: Path, repository: str = "agent") -> str:
        """Pack a folder into an image and push it; return the reference, pinned by digest."""
        name = f"{project.registry}/{repository}"
        registry = self.emulator.urls.registry
        with httpx.Client(verify=self.trust(), trust_env=False, timeout=30) as client:
            pinned = push(pack(folder), f"https://{registry}", name, "latest", client=client)
        return f"{registry}/{pinned}"

    def wait_until(self, holds: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
        """Return as soon as ``holds`` returns True.

        Raises:
            TimeoutError: It did not within ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the condition was still false after {timeout_s:g} s")
            time.sleep(0.005)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            emulator = Emulator(
                self._folder,
                ports=self._ports,
                runtime=self._runtime,
                settings=self._settings,
                clock=self._clock,
                seed=self._seed,
            )
            await emulator.start()
        except BaseException as problem:  # noqa: BLE001  it belongs to the thread that waits
            self._begun.set_exception(problem)
            return
        self._emulator, self._loop, self._ended = emulator, asyncio.get_running_loop(), asyncio.Event()
        self._begun.set_result(None)
        await self._ended.wait()
        await emulator.stop()
