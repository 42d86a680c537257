"""Where Resource Manager is: the public cloud, or the one that describes itself at ARM_METADATA_HOSTNAME."""

from __future__ import annotations

import pytest
import requests

from foundry_agents.azure.arm import PUBLIC, ResourceManager, described_by, resource_manager
from foundry_agents.lifecycle.failure.service_errors import UnreachableError
from tests.support.bench import Bench


def test_without_the_variable_it_is_the_public_cloud() -> None:
    assert resource_manager({}) == PUBLIC


def test_a_cloud_that_describes_itself_is_asked_once(on_azure: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", on_azure.azure.env["REQUESTS_CA_BUNDLE"])
    described_by.cache_clear()
    found = resource_manager(on_azure.azure.env)
    urls = on_azure.azure.emulator.urls
    assert found == ResourceManager(urls.data_plane, "https://management.azure.com/.default", urls.registry)
    monkeypatch.delattr(requests, "get")
    assert resource_manager(on_azure.azure.env) is found


def test_a_host_that_describes_no_cloud_is_named() -> None:
    with pytest.raises(UnreachableError, match="ARM_METADATA_HOSTNAME=localhost:1 does not describe a cloud"):
        resource_manager({"ARM_METADATA_HOSTNAME": "localhost:1"})
