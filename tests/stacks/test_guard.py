"""The stack `local` runs only on the local Azure, and no other stack runs there by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.guard import PLUGIN, REHEARSE, WrongAzure, check

LOCAL_AZURE = {"ARM_METADATA_HOSTNAME": "localhost:8443"}


def _home(folder: Path, content: bytes) -> dict[str, str]:
    """Write an azure-native plugin with this content, and return the variable for its Pulumi home."""
    plugin = folder / "plugins" / "resource-azure-native-v3.29.0" / PLUGIN
    plugin.parent.mkdir(parents=True)
    plugin.write_bytes(content)
    return {"PULUMI_HOME": str(folder)}


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1:9", "127.9.9.9", "[::1]:8443", "azure.localhost:1"])
def test_no_other_stack_runs_on_the_local_azure(stack: str, host: str) -> None:
    with pytest.raises(WrongAzure) as caught:
        check(stack, {"ARM_METADATA_HOSTNAME": host})
    assert f"ARM_METADATA_HOSTNAME is {host}" in str(caught.value)
    assert "nothing was read or changed" in str(caught.value)
    assert f"{REHEARSE}=1" in str(caught.value)


def test_a_plugin_that_is_a_script_is_refused_wherever_pulumi_would_find_it(tmp_path: Path) -> None:
    in_home = _home(tmp_path / "home", b"#!/usr/bin/env python3\n")
    on_path = tmp_path / "bin" / PLUGIN
    on_path.parent.mkdir()
    on_path.write_bytes(b"#!/bin/sh\n")
    on_path.chmod(0o755)
    for environ in (in_home, {"PATH": str(on_path.parent)}):
        with pytest.raises(WrongAzure, match="is a script and not Pulumi's plugin"):
            check("prod", environ)


def test_other_stacks_run_with_pulumis_own_plugin_on_the_real_azure(tmp_path: Path) -> None:
    environ = _home(tmp_path, b"\x7fELF") | {
        "ARM_METADATA_HOSTNAME": "management.azure.com",
        # Container Apps and Azure Arc have theirs on loopback too.
        "IDENTITY_ENDPOINT": "http://localhost:42356/msi/token",
    }
    check("prod", environ)


@pytest.mark.parametrize("environ", [{}, {"ARM_METADATA_HOSTNAME": "management.azure.com"}])
def test_the_local_stack_is_refused_on_any_other_azure(environ: dict[str, str]) -> None:
    with pytest.raises(WrongAzure, match="`make up`"):
        check("local", environ)


def test_the_local_stack_runs_on_the_local_azure() -> None:
    check("local", LOCAL_AZURE)


def test_a_rehearsal_requires_its_variable_and_state_on_this_machine() -> None:
    rehearsal = {**LOCAL_AZURE, REHEARSE: "1"}
    check("prod", {**rehearsal, "PULUMI_BACKEND_URL": "file:///tmp/state"})
    for environ in (rehearsal, {**rehearsal, "PULUMI_BACKEND_URL": "azblob://state"}, {**LOCAL_AZURE, REHEARSE: "0"}):
        with pytest.raises(WrongAzure):
            check("prod", environ)


def test_a_rehearsal_does_not_allow_the_local_stack_on_the_real_azure() -> None:
    with pytest.raises(WrongAzure):
        check("local", {REHEARSE: "1", "PULUMI_BACKEND_URL": "file:///tmp/state"})
