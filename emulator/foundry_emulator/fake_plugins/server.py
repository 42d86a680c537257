"""The plugin's gRPC server: the SDK's own, with readable errors and a diff of inputs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

_SHOWN_AS_THEY_ARE = ("Configure", "Check", "Create", "Update", "Read", "Delete", "Invoke")
_LARGEST_MESSAGE = 400 * 1024 * 1024  # the engine's own limit


class _Servicer(ProviderServicer):
    """The SDK's servicer; errors are the provider's own texts, without a Python traceback."""

    def __init__(self, args: list[str], version: str, provider: Provider, engine_address: str) -> None:
        super().__init__(args, version, provider, engine_address=engine_address)
        for name in _SHOWN_AS_THEY_ARE:
            setattr(self, name, _clean(getattr(self, name)))

    async def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Compare inputs with inputs: the engine sends the old inputs too, but the SDK would pass the old outputs."""
        if request.HasField("old_inputs"):
            request.olds.CopyFrom(request.old_inputs)
        answer: provider_pb2.DiffResponse = await _clean(super().Diff)(request, context)
        return answer


def serve(args: list[str], version: str, provider: Provider) -> None:
    """Serve a provider on a free port of the loopback interface, and print the port, as the engine expects."""
    parser = argparse.ArgumentParser(description="Fake provider plugin, for local runs")
    parser.add_argument("engine", help="address of the Pulumi engine")
    known, _ = parser.parse_known_args(args)

    async def serving() -> None:
        sizes = [(f"grpc.max_{way}_message_length", _LARGEST_MESSAGE) for way in ("send", "receive")]
        server = grpc.aio.server(options=sizes)
        servicer = _Servicer(args, version, provider, known.engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await server.wait_for_termination()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serving())


def _clean(method: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def call(request: Any, context: Any) -> Any:
        try:
            return await method(request, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine shows it
            # The SDK wraps an error into one with a traceback in its text; the original error is its context.
            await context.abort(grpc.StatusCode.UNKNOWN, str(error.__context__ or error))

    return call
