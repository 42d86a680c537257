"""Quick builds of a registry's tasks: an uploaded context becomes an image, built by a BuildKit that the settings name.

[modelled] after the SDK's operations; there is no recording. A run starts at once, and its log names the image first.
A registry without public access refuses its own tasks, unless ``networkRuleBypassAllowedForTasks`` is on [docs].
Runs are in memory: a restart loses them. Without a BuildKit every run fails and says so.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import secrets
import shutil
import tarfile
import uuid
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from foundry_emulator.arm.arm_store import ArmStore
from foundry_emulator.arm.documents import Json, parsed, section, text
from foundry_emulator.arm.errors import ArmError, not_modelled
from foundry_emulator.arm.resource_id import parse
from foundry_emulator.identity import ARM_AUDIENCE, Identity, TokenProblem
from foundry_emulator.settings import Settings

_REGISTRY = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{registry}"
)
_BLOBS = "/tasks-storage/{container}/{blob}"  # the form of an address in a storage emulator: account, container, blob
_LARGEST_CONTEXT = 300 * 1024 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(slots=True)
class _Run:
    id: str
    registry: str
    folder: Path
    status: str = "Queued"
    message: str = ""
    images: list[str] = field(default_factory=list)
    denied: bool = False

    @property
    def log(self) -> Path:
        return self.folder / "log"


class RegistryTasks:
    """Upload addresses, runs, and the blobs that both need.

    Args:
        arm: The registries.
        identity: Verifies tokens.
        settings: The address of the BuildKit.
        folder: The folder of contexts and logs.
        login: Returns user name and password for the registry.
        trust: File with the authority of the registry's certificate.
    """

    def __init__(
        self,
        arm: ArmStore,
        identity: Identity,
        settings: Settings,
        folder: Path,
        *,
        login: Callable[[], Mapping[str, str]],
        trust: Path,
    ) -> None:
        self._arm = arm
        self._identity = identity
        self._settings = settings
        self._folder = folder
        self._login = login
        self._trust = trust
        self._rights: dict[str, str] = {}
        self._runs: dict[str, _Run] = {}
        self._building: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Return the routes of the operations and of the blobs."""
        return [
            Route(f"{_REGISTRY}/listBuildSourceUploadUrl", self._arm_call(self._upload_url), methods=["POST"]),
            Route(f"{_REGISTRY}/scheduleRun", self._arm_call(self._schedule), methods=["POST"]),
            Route(f"{_REGISTRY}/runs", self._arm_call(self._list), methods=["GET"]),
            Route(f"{_REGISTRY}/runs/{{run}}", self._arm_call(self._get), methods=["GET"]),
            Route(f"{_REGISTRY}/runs/{{run}}/listLogSasUrl", self._arm_call(self._log_url), methods=["POST"]),
            Route(_BLOBS, self._put_blob, methods=["PUT"]),
            Route(_BLOBS, self._get_blob, methods=["GET"]),
        ]

    async def close(self) -> None:
        """Stop running builds."""
        for task in self._building:
            task.cancel()
        await asyncio.gather(*self._building, return_exceptions=True)

    def _arm_call(self, answer: Callable[[Request, str], Awaitable[Json]]) -> Callable[[Request], Awaitable[Response]]:
        """Return an operation on an existing registry, for callers with the right to write it."""

        async def serve(request: Request) -> Response:
            headers = {"x-ms-request-id": str(uuid.uuid4())}
            try:
                principal = self._identity.verify(request.headers.get("authorization"), ARM_AUDIENCE)
                path = _REGISTRY.format(**request.path_params)
                rid = parse(path)
                registry = self._arm.get(rid)
                self._arm.access.check_write(principal.object_id, rid, "scheduleRun", registry)
                return JSONResponse(await answer(request, rid.name), headers=headers)
            except TokenProblem as problem:
                error = ArmError(401, problem.code, problem.message)
            except ArmError as refused:
                error = refused
            return JSONResponse(error.body(), error.status, headers=headers)

        return serve

    def _require_tasks(self, request: Request, registry: str) -> None:
        if not self._settings.tasks_allowed:
            raise ArmError(
                400,
                "TasksOperationsNotAllowed",
                f"ACR Tasks requests for the registry {registry} and {request.path_params['subscription']} are not "
                "permitted. Please file an Azure support request at http://aka.ms/azuresupport for assistance.",
            )

    async def _upload_url(self, request: Request, registry: str) -> Json:
        self._require_tasks(request, registry)
        name = f"{uuid.uuid4().hex}.tar.gz"
        return {"relativePath": f"source/{name}", "uploadUrl": self._address("source", name)}

    async def _schedule(self, request: Request, registry: str) -> Json:
        self._require_tasks(request, registry)
        order = parsed(await request.body())
        if not isinstance(order, dict) or text(order, "type") != "DockerBuildRequest":
            raise not_modelled("a run other than DockerBuildRequest")
        _check(order)
        source = self._blob(text(order, "sourceLocation"))
        if not source.is_file():
            raise ArmError(400, "InvalidSourceLocation", "sourceLocation names no context that was uploaded.")
        run = _Run(f"ca{len(self._runs) + 1}", registry, self._folder / "runs" / uuid.uuid4().hex)
        run.folder.mkdir(parents=True)
        names = order.get("imageNames")
        host = f"{self._arm.urls().registry}/{registry.lower()}"
        run.images = [f"{host}/{name}" for name in names] if isinstance(names, list) else []
        run.log.write_text(f"Building {', '.join(run.images)}\n", encoding="utf-8")
        self._runs[run.id] = run
        run.denied = _is_closed_to_tasks(self._arm.get(parse(_REGISTRY.format(**request.path_params))))
        task = asyncio.create_task(self._build(run, source, order))
        self._building.add(task)
        task.add_done_callback(self._building.discard)
        return self._shown(run)

    async def _list(self, request: Request, registry: str) -> Json:
        del request
        return {"value": [self._shown(run) for run in reversed(self._runs.values()) if run.registry == registry]}

    async def _get(self, request: Request, registry: str) -> Json:
        return self._shown(self._run(request, registry))

    async def _log_url(self, request: Request, registry: str) -> Json:
        return {"logLink": self._address("logs", self._run(request, registry).id)}

    def _run(self, request: Request, registry: str) -> _Run:
        run = self._runs.get(request.path_params["run"])
        if run is None or run.registry != registry:
            raise ArmError(404, "RunNotFound", f"The run '{request.path_params['run']}' was not found.")
        return run

    def _shown(self, run: _Run) -> Json:
        properties: Json = {"runId": run.id, "status": run.status, "runType": "QuickBuild"}
        if run.message:
            properties["runErrorMessage"] = run.message
        return {"name": run.id, "type": "Microsoft.ContainerRegistry/registries/runs", "properties": properties}

    async def _build(self, run: _Run, source: Path, order: Mapping[str, object]) -> None:
        run.status = "Running"
        try:
            _require_admission(run)
            context = run.folder / "context"
            await asyncio.to_thread(unpack_context, source, context)
            code = await self._buildctl(run, context, order)
            run.status = "Failed" if code else "Succeeded"
            run.message = f"buildctl ended with {code}" if code else ""
        except _NotBuilt as problem:
            run.status, run.message = "Failed", str(problem)
            _say(run, str(problem))
        except (OSError, EOFError, zlib.error, tarfile.TarError) as problem:
            run.status, run.message = "Failed", f"The context can't be read: {problem}"
            _say(run, run.message)
        finally:
            shutil.rmtree(run.folder / "context", ignore_errors=True)

    async def _buildctl(self, run: _Run, context: Path, order: Mapping[str, object]) -> int:
        program = shutil.which(self._settings.buildctl)
        if not self._settings.buildkit or program is None:
            raise _NotBuilt("The local Azure has no BuildKit: its settings buildkit and buildctl name one.")
        docker = run.folder / "docker"
        docker.mkdir()
        pair = base64.b64encode("{username}:{password}".format(**self._login()).encode()).decode()
        settings = json.dumps({"auths": {self._arm.registry_host: {"auth": pair}}})
        (docker / "config.json").write_text(settings, encoding="utf-8")
        dockerfile = Path(str(order.get("dockerFilePath") or "Dockerfile"))
        output = f'type=image,push=true,"name={",".join(run.images)}"'
        arguments = [
            *("--addr", self._settings.buildkit, "build", "--progress", "plain"),
            *("--frontend", "dockerfile.v0", "--opt", "platform=linux/amd64"),
            *("--opt", f"filename={dockerfile.name}", "--local", f"dockerfile={context / dockerfile.parent}"),
            *("--local", f"context={context}", "--output", output),
            *_options(order),
        ]
        with run.log.open("ab") as log:
            # The client, not BuildKit, asks the registry for tokens.
            variables = {"DOCKER_CONFIG": str(docker), "HOME": str(run.folder), "SSL_CERT_FILE": str(self._trust)}
            process = await asyncio.create_subprocess_exec(program, *arguments, env=variables, stdout=log, stderr=log)
            try:
                return await process.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                raise

    # Blobs, each at an address that itself grants access.

    def _address(self, container: str, name: str) -> str:
        key = f"{container}/{name}"
        self._rights.setdefault(key, secrets.token_urlsafe(24))
        return f"{self._arm.urls().data_plane}/tasks-storage/{key}?sig={self._rights[key]}"

    def _blob(self, key: str) -> Path:
        container, _, name = key.partition("/")
        if container == "logs":
            run = self._runs.get(name)
            return run.log if run else self._folder / "nothing"
        return self._folder / "source" / Path(name).name

    def _allowed(self, request: Request) -> str | None:
        key = f"{request.path_params['container']}/{request.path_params['blob']}"
        given, right = request.query_params.get("sig", ""), self._rights.get(key)
        return key if right is not None and secrets.compare_digest(given.encode(), right.encode()) else None

    async def _put_blob(self, request: Request) -> Response:
        key = self._allowed(request)
        if key is None or not key.startswith("source/"):
            return _storage_error(403, "AuthenticationFailed")
        body = await request.body()
        if len(body) > _LARGEST_CONTEXT:
            return _storage_error(413, "RequestBodyTooLarge")
        path = self._blob(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(path.write_bytes, body)
        return Response(status_code=201, headers={"ETag": '"0x1"', "x-ms-request-server-encrypted": "true"})

    async def _get_blob(self, request: Request) -> Response:
        key = self._allowed(request)
        if key is None:
            return _storage_error(403, "AuthenticationFailed")
        path = self._blob(key)
        if not path.is_file():
            return _storage_error(404, "BlobNotFound")
        whole = path.read_bytes()
        requested = _RANGE.fullmatch(request.headers.get("x-ms-range", "") or request.headers.get("range", ""))
        first = int(requested[1]) if requested else 0
        part = whole[first : int(requested[2]) + 1 if requested and requested[2] else None]
        headers = {
            "ETag": f'"0x{len(whole):x}"',
            "x-ms-blob-type": "AppendBlob",
            "Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(whole)}",
        }
        return Response(part, 206 if requested else 200, headers=headers, media_type="text/plain")


class _NotBuilt(Exception):
    pass


def _require_admission(run: _Run) -> None:
    """Refuse a run that its own registry does not admit."""
    if run.denied:
        raise _NotBuilt(
            "failed to login: Error response from daemon: Get https://registry/v2/: denied: client with IP '192.0.2.1' "
            f"is not allowed access to {run.registry}. Refer https://aka.ms/acr/firewall to grant access."
        )


def _is_closed_to_tasks(registry: Json) -> bool:
    properties = section(registry, "properties")
    is_private = text(properties, "publicNetworkAccess").lower() == "disabled"
    return is_private and properties.get("networkRuleBypassAllowedForTasks") is not True


def unpack_context(source: Path, context: Path) -> None:
    """Unpack a build context as the tasks do, with its exact times."""
    with tarfile.open(source, mode="r:gz") as archive:
        # Links may point anywhere, as in Azure: they are for the image. Nothing is written through one.
        archive.extractall(context, filter="tar")
        # Python restores times as floats. BuildKit compares nanoseconds to find out what it has received before.
        for entry in sorted(archive, key=lambda one: one.name, reverse=True):
            seconds, _, fraction = entry.pax_headers.get("mtime", str(entry.mtime)).partition(".")
            time = int(seconds) * 10**9 + int(f"{fraction:0<9.9}")
            with contextlib.suppress(OSError):
                os.utime(context / entry.name, ns=(time, time), follow_symlinks=False)


def _check(order: Mapping[str, object]) -> None:
    """Refuse inputs that would fail later, without a response to report it in."""
    dockerfile = PurePosixPath(text(order, "dockerFilePath"))
    if dockerfile.is_absolute() or ".." in dockerfile.parts:
        raise ArmError(400, "InvalidDockerFilePath", "dockerFilePath must lead to a file in the context.")
    arguments = order.get("arguments") or []
    if not isinstance(arguments, list) or not all(
        isinstance(argument, dict) and {"name", "value"} <= argument.keys() for argument in arguments
    ):
        raise ArmError(400, "InvalidArguments", "arguments must be a list of objects with a name and a value.")


def _options(order: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    if order.get("target"):
        found += ["--opt", f"target={order['target']}"]
    arguments = order.get("arguments")
    for argument in arguments if isinstance(arguments, list) else []:
        found += ["--opt", f"build-arg:{argument['name']}={argument['value']}"]
    return found


def _say(run: _Run, line: str) -> None:
    with run.log.open("a", encoding="utf-8") as log:
        log.write(f"{line}\n")


def _storage_error(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
    return Response(body, status, headers={"x-ms-error-code": code}, media_type="application/xml")
