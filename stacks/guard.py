"""Keeps stacks and Azures apart: the stack `local` goes to an Azure on this machine, every other one to the real one.

What is looked at are facts that no real Azure has: Resource Manager described by this machine (ARM_METADATA_HOSTNAME
on loopback), and an azure-native plugin that is a script, where Pulumi's is a binary. IDENTITY_ENDPOINT on loopback is
no such fact: App Service, Container Apps and Azure Arc have theirs there too.

What this does not guard against: variables that lead only the data plane elsewhere, and somebody who means it.
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
"""Set to 1, any stack may run on a local Azure: a rehearsal. Only with state in a folder of this machine, so that it
can't get into the state of the real stack."""


class WrongAzure(Exception):
    """This stack must not run on the Azure that the environment leads to; nothing was declared."""


def check(stack: str, environ: Mapping[str, str] = os.environ) -> None:
    """Compares the stack with the Azure that the environment leads to.

    Raises:
        WrongAzure: They don't go together.
    """
    facts = list(_facts_of_a_local_azure(environ))
    if stack == LOCAL_STACK:
        if not facts:
            raise WrongAzure(
                f"stack `{LOCAL_STACK}` runs on the local Azure only, and nothing here leads to one\n"
                "  State: nothing was read or changed\n"
                '  Do: `make up`, or `eval "$(make -s env)"` before plain `pulumi`'
            )
        return
    if not facts or _is_a_rehearsal(environ):
        return
    raise WrongAzure(
        f"stack `{stack}` is for the real Azure, and this environment leads to one on this machine\n"
        f"  Why: {'; '.join(facts)}\n"
        "  State: nothing was read or changed\n"
        f"  Do: a new shell without those variables; or, to rehearse this stack here, {REHEARSE}=1 with "
        "PULUMI_BACKEND_URL=file://…"
    )


def _facts_of_a_local_azure(environ: Mapping[str, str]) -> Iterator[str]:
    host = environ.get("ARM_METADATA_HOSTNAME", "")
    if _is_loopback(host):
        yield f"ARM_METADATA_HOSTNAME is {host}"
    for plugin in _plugins(environ):
        if _is_a_script(plugin):
            yield f"{plugin} is not Pulumi's plugin but a script"


def _is_a_rehearsal(environ: Mapping[str, str]) -> bool:
    return environ.get(REHEARSE) == "1" and environ.get("PULUMI_BACKEND_URL", "").startswith("file://")


def _is_loopback(host: str) -> bool:
    name = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")


def _plugins(environ: Mapping[str, str]) -> Iterator[Path]:
    """Every azure-native plugin that Pulumi would find: on PATH, or among those installed in its home."""
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
