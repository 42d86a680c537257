"""The plugin as the engine starts it: a process, a port on its first line, gRPC."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from foundry_emulator.fake_plugins.catalog import MODELLED
from foundry_emulator.fake_plugins.sdk import find

PLUGIN = Path(__file__).parents[3] / "emulator" / "plugins" / "pulumi-resource-azure-native"
NOWHERE = {
    "FOUNDRY_EMULATOR_ARM_ENDPOINT": "https://127.0.0.1:9",
    "IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token",
    "IDENTITY_HEADER": "canary",
}


@contextmanager
def plugin(**environment: str) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    kept = {
        key: value for key, value in os.environ.items() if key not in (*NOWHERE, "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    }
    process = subprocess.Popen(
        [sys.executable, str(PLUGIN), "127.0.0.1:1", "--logtostderr"], env=kept | environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def test_the_plugin_is_an_executable_that_reports_the_sdks_version() -> None:
    assert os.access(PLUGIN, os.X_OK)
    with plugin() as stub:
        info = stub.GetPluginInfo(importlib.import_module("google.protobuf.empty_pb2").Empty())
    assert info.version == importlib.metadata.version("pulumi-azure-native")


def test_outside_a_local_run_the_plugin_refuses_and_says_what_it_is() -> None:
    with plugin() as stub, pytest.raises(grpc.RpcError) as caught:
        stub.Configure(provider_pb2.ConfigureRequest())
    assert "for local runs only" in str(caught.value.details())
    assert "FOUNDRY_EMULATOR_ARM_ENDPOINT" in str(caught.value.details())


def test_errors_are_sentences_without_a_traceback_or_a_secret() -> None:
    request = provider_pb2.CreateRequest(urn="urn:pulumi:s::p::azure-native:resources:ResourceGroup::rg")
    request.properties.update({"resourceGroupName": "rg", "location": "eastus2"})
    with plugin(**NOWHERE) as stub:
        stub.Configure(provider_pb2.ConfigureRequest())
        with pytest.raises(grpc.RpcError) as caught:
            stub.Create(request)
    details = str(caught.value.details())
    assert details.startswith("The managed identity endpoint http://127.0.0.1:9/msi/token returned no token")
    assert "File " not in details
    assert "canary" not in details


def test_a_diff_compares_the_old_inputs_not_the_old_outputs() -> None:
    request = provider_pb2.DiffRequest(urn="urn:pulumi:s::p::azure-native:resources:ResourceGroup::rg")
    request.olds.update({"location": "eastus2", "name": "rg", "type": "Microsoft.Resources/resourceGroups"})
    request.old_inputs.update({"location": "eastus2", "resourceGroupName": "rg"})
    request.news.update({"location": "eastus2", "resourceGroupName": "rg"})
    with plugin(**NOWHERE) as stub:
        assert stub.Diff(request).changes == provider_pb2.DiffResponse.DIFF_NONE


@pytest.mark.parametrize("token", MODELLED)
def test_a_modelled_type_is_the_sdks_own(token: str) -> None:
    resource = find(token)
    assert resource is not None
    modelled = MODELLED[token]
    assert set(modelled.path_inputs) | modelled.immutable <= set(resource.inputs.properties)
    module = __import__(f"pulumi_azure_native.{token.split(':')[1]}", fromlist=["x"])
    source = Path(sys.modules[getattr(module, token.rpartition(":")[2]).__module__].__file__ or "").read_text()
    assert f"Uses Azure REST API version {modelled.api_version}." in source
