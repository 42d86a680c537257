"""Checks that the stack `local` runs only on the local Azure, and every other stack only on the real one.

The check uses two facts that no real Azure has: the metadata of Resource Manager comes from this machine
(ARM_METADATA_HOSTNAME on loopback), or the azure-native plugin is a script, where Pulumi's own is a binary.
IDENTITY_ENDPOINT on loopback is not used, because App Service, Container Apps and Azure Arc have theirs there too.

It does not detect variables that change only the data plane, or a deliberate attempt.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

LOCAL_STACK = "local"
PLUGIN = "pulumi-resource-azure-native"

REHEARSE = "FOUNDRY_AGENTS_REHEARSE"
"""If this variable is 1, any stack may run on a local Azure, as a rehearsal. Its state must be in a folder of this
machine, so that it can't mix with the state of the real stack."""


class WrongAzure(Exception):
    """This stack must not run on the Azure of this environment; nothing was declared."""


def check(stack: str, environ: Mapping[str, str] = os.environ) -> None:
    """Check that the stack may run on the Azure of this environment.

    Raises:
        WrongAzure: It may not.
    """
    facts = list(_facts_of_a_local_azure(environ))
    if stack == LOCAL_STACK:
        if not facts:
            raise WrongAzure(
                f"stack `{LOCAL_STACK}` runs only on the local Azure, and this environment does not use one\n"
                "  State: nothing was read or changed\n"
                '  Do: run `make up`, or `eval "$(make -s env)"` before `pulumi`'
            )
        return
    if not facts or _is_a_rehearsal(environ):
        return
    raise WrongAzure(
        f"stack `{stack}` is for the real Azure, and this environment uses the local Azure\n"
        f"  Why: {'; '.join(facts)}\n"
        "  State: nothing was read or changed\n"
        f"  Do: use a new shell without those variables; or, to rehearse this stack here, set {REHEARSE}=1 and "
        "PULUMI_BACKEND_URL=file://…"
    )


def _facts_of_a_local_azure(environ: Mapping[str, str]) -> Iterator[str]:
    host = environ.get("ARM_METADATA_HOSTNAME", "")
    if _is_loopback(host):
        yield f"ARM_METADATA_HOSTNAME is {host}"
    for plugin in _plugins(environ):
        if _is_a_script(plugin):
            yield f"{plugin} is a script and not Pulumi's plugin"


def _is_a_rehearsal(environ: Mapping[str, str]) -> bool:
    return environ.get(REHEARSE) == "1" and environ.get("PULUMI_BACKEND_URL", "").startswith("file://")


def _is_loopback(host: str) -> bool:
    name = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")


def _plugins(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield every azure-native plugin that Pulumi would find: on PATH, or installed in its home."""
    on_path = shutil.which(PLUGIN, path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME", "/nonexistent")) / ".pulumi")
    yield from sorted((home / "plugins").glob(f"resource-azure-native-v*/{PLUGIN}"))


def _is_a_script(plugin: Path) -> bool:
    try:
        with plugin.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False
