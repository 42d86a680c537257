"""The whole local Azure, assembled from its parts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from foundry_emulator.agent_environment import AgentEnvironment
from foundry_emulator.arm import ArmStore, Urls
from foundry_emulator.arm.connections import Connections
from foundry_emulator.arm.http import ArmHttp
from foundry_emulator.arm.registry_tasks import RegistryTasks
from foundry_emulator.clock import Clock, RealClock
from foundry_emulator.control import Control
from foundry_emulator.data_folder import DataFolder, Running
from foundry_emulator.dataplane import operations
from foundry_emulator.dataplane.access import Access
from foundry_emulator.dataplane.agent_operations import AgentOperations
from foundry_emulator.dataplane.agents import Agents, VersionKey
from foundry_emulator.dataplane.code import CodeStore
from foundry_emulator.dataplane.connection_operations import ConnectionOperations
from foundry_emulator.dataplane.conversations import Conversations
from foundry_emulator.dataplane.file_operations import FileOperations
from foundry_emulator.dataplane.files import Files
from foundry_emulator.dataplane.forward import Forward
from foundry_emulator.dataplane.invocations import Invocations
from foundry_emulator.dataplane.log_stream import LogStream
from foundry_emulator.dataplane.remote_servers import RemoteServers
from foundry_emulator.dataplane.responses import Responses
from foundry_emulator.dataplane.router import Router as TrafficRouter
from foundry_emulator.dataplane.session_files import SessionFiles
from foundry_emulator.dataplane.session_homes import SessionHomes
from foundry_emulator.dataplane.session_operations import SessionOperations
from foundry_emulator.dataplane.sessions import Session, Sessions
from foundry_emulator.dataplane.toolbox_mcp import ToolboxMcp
from foundry_emulator.dataplane.toolbox_operations import ToolboxOperations
from foundry_emulator.dataplane.toolboxes import Toolboxes
from foundry_emulator.dataplane.vector_search import VectorSearch
from foundry_emulator.dataplane.vector_store_operations import VectorStoreOperations
from foundry_emulator.dataplane.vector_stores import VectorStores
from foundry_emulator.faults import FaultLayer, Faults
from foundry_emulator.identity import ARM_AUDIENCE, DEPLOYER, Identity, TokenProblem
from foundry_emulator.journal import Journal
from foundry_emulator.listener import Journaled, Listener, PortInUse, bind, port_of
from foundry_emulator.page import pages
from foundry_emulator.provisioning import Provisioner
from foundry_emulator.registry import RegistryStore
from foundry_emulator.registry.distribution import Distribution
from foundry_emulator.registry.token_service import TokenService
from foundry_emulator.runtime import EchoRuntime, ProcessRuntime, Runtime
from foundry_emulator.settings import Settings
from foundry_emulator.store import Store
from foundry_emulator.tls import certificates


class RuntimeKind(StrEnum):
    """What runs agents."""

    PROCESS = "process"
    DOCKER = "docker"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Ports:
    """The three listeners' ports on loopback; 0 takes a free one.

    Attributes:
        data: TLS: data plane and ARM.
        registry: TLS: images.
        page: Plain HTTP: page, managed identity, control API.
    """

    data: int = 8443
    registry: int = 5443
    page: int = 8442


class PortTaken(RuntimeError):
    """A port is not available; the message names the option that chooses another."""


class Emulator:
    """A local Azure in one process, on the running event loop.

    Args:
        folder: The folder of its state; the caller must have locked it.
        ports: The listeners' ports.
        runtime: What runs agents.
        settings: The settings; they may change while it runs.
        clock: The time, except for processes.
        seed: Random seed for the traffic split; None for a different one each time.

    Raises:
        PortTaken: A port is in use.
        RuntimeUnavailable: The runtime lacks something that it needs.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        ports: Ports,
        runtime: RuntimeKind,
        settings: Settings,
        clock: Clock,
        seed: int | None = None,
    ) -> None:
        make_runtime = _runtime(runtime)
        with contextlib.ExitStack() as undo:
            data = _bind(ports.data, "--port")
            undo.callback(data.close)
            registry = _bind(ports.registry, "--registry-port")
            undo.callback(registry.close)
            web = _bind(ports.page, "--page-port")
            undo.callback(web.close)
            tls = certificates(folder.tls, dt.datetime.fromtimestamp(clock.now(), tz=dt.UTC))
            undo.pop_all()
        self.urls = Urls(data_plane=f"https://localhost:{port_of(data)}", registry=f"localhost:{port_of(registry)}")
        self.page_url = f"http://localhost:{port_of(web)}"
        self.settings = settings
        self.store = Store(folder.store)
        self.journal = Journal(self.store, clock=clock.now)
        self.identity = Identity(self.store, clock=clock.now)
        self.arm = ArmStore(
            self.store,
            urls=lambda: self.urls,
            clock=clock.now,
            role_delay_s=settings.role_delay_s,
            deployment_s=lambda: settings.deployment_s,
            account_retention_s=lambda: settings.account_retention_s,
            parent_busy=lambda: settings.parent_busy,
        )
        self.registry = RegistryStore(folder.registry, self.store)
        self.faults = Faults()
        self.agents = Agents(self.store, settings=settings, clock=clock.now)
        self.sessions = Sessions(self.store, settings=settings, clock=clock.now)
        self.toolboxes = Toolboxes(self.store, clock=clock.now)
        self.files = Files(self.store, folder.files, clock=clock.now)
        self.vector_stores = VectorStores(self.store, self.files, settings=settings, clock=clock.now)
        self.connections = Connections(self.store)
        self.registry_tokens = TokenService(self.identity, self.arm, settings)
        self.tasks = RegistryTasks(
            self.arm,
            self.identity,
            settings,
            folder.tasks,
            login=lambda: self.registry_tokens.login(DEPLOYER),
            trust=tls.ca_bundle,
        )
        self.code = CodeStore(folder.code)
        self.homes = SessionHomes(folder.agents)
        trust = {"SSL_CERT_FILE": str(tls.ca_bundle), "REQUESTS_CA_BUNDLE": str(tls.ca_bundle)}
        self.provisioner = Provisioner(
            arm=self.arm,
            registry=self.registry,
            agents=self.agents,
            runtime=make_runtime(self, folder, clock, [tls.ca_bundle]),
            settings=settings,
            clock=clock,
            code=self.code,
            folder=folder.agents,
            homes=self.homes,
            environment=AgentEnvironment(
                self.connections, self.identity, token_endpoint=f"{self.page_url}/msi/token", trust=trust
            ),
        )
        self.sessions.on_end.append(self._end_session)
        self.environment = {
            "IDENTITY_ENDPOINT": f"{self.page_url}/msi/token",
            "IDENTITY_HEADER": self.identity.identity_header,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            **trust,
            "FOUNDRY_EMULATOR_ARM_ENDPOINT": self.urls.data_plane,
            "ARM_METADATA_HOSTNAME": self.urls.data_plane.removeprefix("https://"),
        }
        # Seeded on purpose: the traffic split can be repeated; no secret depends on it.
        traffic = TrafficRouter(self.sessions, random.Random(seed))  # noqa: S311
        distribution = Distribution(self.registry, self.registry_tokens)
        pair = (tls.chain, tls.key)
        self._listeners = [
            Listener(Journaled(self._cloud(traffic, clock), self.journal, _cloud_plane), data, certificate=pair),
            Listener(
                Journaled(_router(distribution.routes()), self.journal, lambda _: "registry"),
                registry,
                certificate=pair,
            ),
            Listener(Journaled(self._web(clock), self.journal, _web_plane), web),
        ]

    def running(self) -> Running:
        """Return the addresses and variables that clients need."""
        return Running(os.getpid(), self.urls.data_plane, self.urls.registry, self.page_url, self.environment)

    async def start(self) -> None:
        """Start all listeners; return when they take requests."""
        self.forget_deleted_projects()
        self.provisioner.resume()
        for listener in self._listeners:
            await listener.start()

    async def stop(self) -> None:
        """Stop the listeners, then the agents, and close the store."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
        await self.tasks.close()
        await self.provisioner.close()
        self.store.close()

    def forget_deleted_projects(self) -> None:
        """Delete what projects held that ARM no longer has: agents, toolboxes, files and vector stores, as in Azure."""
        for project in self.vector_stores.projects() | self.files.projects():
            if self.arm.project(project) is None:
                self.vector_stores.delete_of(project)
                self.files.delete_of(project)
        for project in self.toolboxes.projects():
            if self.arm.project(project) is None:
                for toolbox in self.toolboxes.of_project(project):
                    self.toolboxes.delete(toolbox)
        for agent in self.agents.all():
            if self.arm.project(agent.project) is None:
                self.sessions.delete_of(agent)
                keys = [version.key for version in agent.versions.values()]
                self.agents.delete(agent)
                for key in keys:
                    self.provisioner.end(key)

    def _end_session(self, session: Session, deleted: bool) -> None:  # noqa: FBT001  the hook's signature
        key = VersionKey(session.project, session.agent, session.version)
        self.provisioner.end_session(key, session.id)
        if deleted:
            self.homes.remove(session)

    def _cloud(self, traffic: TrafficRouter, clock: Clock) -> ASGIApp:
        """Return the application of the data plane, which faults affect, and of ARM, which they do not."""
        forward = Forward(self.agents, self.sessions, traffic, self.provisioner, self.settings)
        search = VectorSearch(self.vector_stores, self.files)
        conversations = Conversations(self.store, self.agents, self.sessions, clock=clock.now)
        served = (
            AgentOperations(self.agents, self.sessions, self.provisioner, self.code),
            SessionOperations(self.agents, self.sessions, traffic),
            SessionFiles(self.agents, self.sessions, self.homes),
            LogStream(self.agents, self.sessions, self.provisioner, self.settings, clock),
            Responses(forward, conversations),
            conversations,
            Invocations(forward),
            ConnectionOperations(self.connections),
            ToolboxOperations(self.toolboxes),
            ToolboxMcp(self.toolboxes, RemoteServers(self.connections, self.identity.token), search, self.settings),
            FileOperations(self.files, self.vector_stores),
            VectorStoreOperations(self.vector_stores, self.files, search),
        )
        table = operations.operations({name: handle for part in served for name, handle in part.handlers().items()})
        access = Access(self.arm, self.identity)
        data = FaultLayer(_router(operations.routes(table, access)), self.faults, clock=clock)
        arm = _router([*self.tasks.routes(), *ArmHttp(self.arm, self.identity).routes()])

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if _cloud_plane(scope["path"]) == "data":
                await data(scope, receive, send)
                return
            authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            with contextlib.suppress(TokenProblem):
                scope["state"]["principal"] = self.identity.verify(authorization, ARM_AUDIENCE).object_id
            await arm(scope, receive, send)
            if scope["method"] == "DELETE":
                self.forget_deleted_projects()

        return serve

    def _web(self, clock: Clock) -> ASGIApp:
        control = Control(
            settings=self.settings,
            journal=self.journal,
            faults=self.faults,
            arm=self.arm,
            agents=self.agents,
            sessions=self.sessions,
            provisioner=self.provisioner,
            toolboxes=self.toolboxes,
            clock=clock.now,
        )
        return _local_only(_router([*control.routes(), *self.identity.routes(), *pages(control)]))


def _bind(port: int, option: str) -> socket.socket:
    try:
        return bind(port)
    except PortInUse as problem:
        raise PortTaken(f"{problem}; choose another with {option}, or 0 for any free one") from None


def _runtime(kind: RuntimeKind) -> Callable[[Emulator, DataFolder, Clock, Sequence[Path]], Runtime]:
    """Return the factory of the runtime, after a check that everything it needs is available."""
    if kind is RuntimeKind.ECHO:
        return lambda _emulator, _folder, clock, _trusted: EchoRuntime(clock=clock.now)
    if kind is RuntimeKind.PROCESS:
        return lambda _emulator, folder, _clock, _trusted: ProcessRuntime(folder.images, clock=RealClock())
    # Imported late: its client costs a third of a second, and only this runtime needs it.
    from foundry_emulator.runtime.docker import DockerRuntime, daemon  # noqa: PLC0415  (see above)

    engine = daemon()
    return lambda emulator, folder, _clock, trusted: DockerRuntime(
        engine,
        owner=str(folder.path),
        registry=emulator.urls.registry,
        login=emulator.registry_tokens.login,
        trusted=trusted,
        clock=RealClock(),
    )


def _cloud_plane(path: str) -> str:
    return "data" if path.startswith(operations.PREFIX) else "arm"


def _web_plane(path: str) -> str | None:
    return "identity" if path.startswith("/msi/") else None


def _router(routes: Sequence[BaseRoute]) -> Router:
    return Router(routes, redirect_slashes=False, default=_nothing_here)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    message = f"The local Azure serves nothing at {scope['path']}."
    await JSONResponse({"error": {"code": "NotFound", "message": message}}, 404)(scope, receive, send)


def _local_only(app: ASGIApp) -> ASGIApp:
    """Refuse requests for another host's name: a web page that rebinds its name to loopback gets no token."""
    return TrustedHostMiddleware(app, allowed_hosts=["localhost", "127.0.0.1"])
