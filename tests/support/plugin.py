"""The plugin process as the engine drives it: started as a process, spoken to over gRPC."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # protobuf ships no types
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]  # protobuf ships no types
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]  # protobuf ships no types
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from tests.support.checkout import CHECKOUT

UNKNOWN = rpc.UNKNOWN
"""What an unknown value is on the wire."""

_SIGNATURE = rpc._special_sig_key
_SECRET = rpc._special_secret_sig
_PROVIDER = "__provider"

Bag = Mapping[str, object]
"""A property bag; secrets are Secret."""


@dataclass(frozen=True)
class Secret:
    """A value that the plugin marked as secret."""

    value: object


@dataclass(frozen=True)
class Line:
    """One line on the screen.

    Attributes:
        text: What it says.
        urn: The row it is on.
        stays: It is still there when the run has ended.
    """

    text: str
    urn: str
    stays: bool


@dataclass(frozen=True)
class Checked:
    """The answer of check: what was understood, and property and reason of every failure."""

    inputs: dict[str, Any]
    failures: list[tuple[str, str]]


@dataclass(frozen=True)
class Diffed:
    """The answer of diff."""

    changes: bool
    replaces: list[str]
    delete_before_replace: bool


@dataclass(frozen=True)
class State:
    """Id and outputs as they go into state; the id is empty for a resource that is gone.

    Attributes:
        inputs: What a read said of the inputs; None when nothing.
    """

    id: str
    outs: dict[str, Any]
    inputs: dict[str, Any] | None = None


class ProviderError(Exception):
    """What a call failed with, as the engine shows it."""


@dataclass
class Plugin:
    """A running plugin process.

    Attributes:
        process: The process; who starts it also stops it.
        lines: Every progress line so far.
        engine: Address of its fake engine.
        patience_s: How long a call may take before it counts as hanging.
    """

    process: subprocess.Popen[bytes]
    lines: list[Line] = field(default_factory=list)
    engine: str = ""
    patience_s: float = 60
    _stub: provider_pb2_grpc.ResourceProviderStub | None = None

    def check(self, provider: ResourceProvider | str, news: Bag, olds: Bag | None = None) -> Checked:
        """Check of new inputs."""
        request = provider_pb2.CheckRequest(olds=_struct(provider, olds or {}), news=_struct(provider, news))
        answer = self._call("Check", request)
        return Checked(_dict(answer.inputs), [(failure.property, failure.reason) for failure in answer.failures])

    def diff(self, provider: ResourceProvider | str, olds: Bag, news: Bag, id_: str = "support:1") -> Diffed:
        """Diff of new inputs against what is in state."""
        request = provider_pb2.DiffRequest(id=id_, olds=_struct(provider, olds), news=_struct(provider, news))
        answer = self._call("Diff", request)
        changes = {provider_pb2.DiffResponse.DIFF_SOME: True, provider_pb2.DiffResponse.DIFF_NONE: False}
        return Diffed(changes[answer.changes], list(answer.replaces), answer.deleteBeforeReplace)

    def create(self, provider: ResourceProvider | str, props: Bag) -> State:
        """Create from checked inputs."""
        answer = self._call("Create", provider_pb2.CreateRequest(properties=_struct(provider, props)))
        return State(answer.id, _dict(answer.properties))

    def read(self, provider: ResourceProvider | str, id_: str, props: Bag) -> State:
        """Read of what is in state."""
        answer = self._call("Read", provider_pb2.ReadRequest(id=id_, properties=_struct(provider, props)))
        inputs = _dict(answer.inputs) if answer.HasField("inputs") else None
        return State(answer.id, _dict(answer.properties), inputs)

    def update(self, provider: ResourceProvider | str, id_: str, olds: Bag, news: Bag) -> State:
        """Update of what is in state to checked inputs."""
        request = provider_pb2.UpdateRequest(id=id_, olds=_struct(provider, olds), news=_struct(provider, news))
        return State(id_, _dict(self._call("Update", request).properties))

    def delete(self, provider: ResourceProvider | str, id_: str, props: Bag) -> None:
        """Delete of what is in state."""
        self._call("Delete", provider_pb2.DeleteRequest(id=id_, properties=_struct(provider, props)))

    @property
    def peak_mb(self) -> float:
        """The most memory that the process has had, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def kill(self) -> None:
        """End the process as kill -9 does."""
        self.process.kill()
        self.process.wait()

    def _call(self, method: str, request: object) -> Any:
        assert self._stub is not None
        try:
            return getattr(self._stub, method)(request, timeout=self.patience_s)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNKNOWN:
                raise AssertionError(f"{method}: {error.code().name} {error.details()}") from None
            raise ProviderError(error.details()) from None


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def Log(self, request: engine_pb2.LogRequest, context: object) -> empty_pb2.Empty:  # noqa: N802 (name on the wire)
        del context
        self._lines.append(Line(request.message, request.urn, not request.ephemeral))
        return empty_pb2.Empty()


@cache
def _home() -> str:
    """Return a Pulumi home for all plugin processes of these tests."""
    folder = tempfile.mkdtemp(prefix="pulumi-home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def running(
    env: Mapping[str, str] | None = None, *, beside: Plugin | None = None, folder: Path | None = None
) -> Iterator[Plugin]:
    """Start a plugin process with a fake engine, and stop it at the end by its process id.

    Args:
        env: Variables of the process, added to PATH and what Python needs; it does not inherit others.
        beside: Another process of the same run: both get the same engine.
        folder: The program's folder; by default this process's.
    """
    lines: list[Line] = []
    engine = grpc.server(ThreadPoolExecutor(max_workers=4))
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(lines), engine)
    address = beside.engine if beside else f"127.0.0.1:{engine.add_insecure_port('127.0.0.1:0')}"
    engine.start()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.dynamic", address],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PULUMI_HOME": _home(),
            # There is no `pulumi` above this process whose command line would say it.
            "FOUNDRY_AGENTS_RUN": "up",
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "components")]),
            **(env or {}),
        },
        cwd=folder,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Plugin(
                process,
                beside.lines if beside else lines,
                address,
                _stub=provider_pb2_grpc.ResourceProviderStub(channel),
            )
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        engine.stop(grace=None).wait()


def blob(provider: ResourceProvider | str) -> str:
    """Return the provider as it stands in state."""
    return provider if isinstance(provider, str) else serialize_provider(provider)


def _struct(provider: ResourceProvider | str, bag: Bag) -> Struct:
    made = Struct()
    made.update({_PROVIDER: blob(provider), **{key: _on_wire(value) for key, value in bag.items()}})
    return made


def _on_wire(value: object) -> object:
    if isinstance(value, Secret):
        # Pulumi unwraps secrets before it calls a dynamic provider.
        return _on_wire(value.value)
    if isinstance(value, Mapping):
        return {key: _on_wire(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_on_wire(inner) for inner in value]
    return value


def _dict(struct: Struct) -> dict[str, Any]:
    bag = {key: _off_wire(value) for key, value in MessageToDict(struct).items()}
    bag.pop(_PROVIDER, None)
    return bag


def _off_wire(value: object) -> object:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return Secret(_off_wire(value["value"]))
        return {key: _off_wire(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_off_wire(inner) for inner in value]
    return value
