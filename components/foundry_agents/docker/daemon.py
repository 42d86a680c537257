"""Whether an image can be built on this machine: a buildx builder, or a Docker daemon that answers."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from foundry_agents.lifecycle.failure.image_errors import BuilderUnavailableError

_TIMEOUT_S = 5
_LOCAL = "unix:///var/run/docker.sock"


def require_builder(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Raise before a build for which this machine has no builder.

    Looks at what Docker's own tools look at: builders noted in the Docker folder, else the daemon of DOCKER_HOST or of
    the context in use. A builder that is noted is not called: that is for the build to find out.

    Raises:
        BuilderUnavailableError: There is none, or not the one that is asked for.
    """
    folder = docker_folder(environ)
    if problem := builder_problem(name, environ):
        raise BuilderUnavailableError(
            problem, do=f"create it with `docker buildx create --name {name}`, or leave builder=… out"
        )
    if name or _known_builders(folder):
        return
    host = _daemon(folder, environ)
    trouble = _refusal(host)
    if trouble:
        raise BuilderUnavailableError(
            f"Docker does not answer at {host} ({trouble}), and no buildx builder is known in {folder}",
            do="start Docker, or name a BuildKit with `docker buildx create --driver remote tcp://HOST:PORT`",
        )


def builder_problem(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return why no image can be built with the builder of this name; None when there is one, or none is named."""
    folder = docker_folder(environ)
    known = _known_builders(folder)
    if not name or name in known:
        return None
    return f'there is no buildx builder "{name}" in {folder}; available builders: {", ".join(known) or "none"}'


def answering_daemon(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the Docker daemon that this machine's tools use; None when nothing answers there."""
    host = _daemon(docker_folder(environ), environ)
    return None if _refusal(host) else host


def docker_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of Docker's settings."""
    return Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _known_builders(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "buildx" / "instances").glob("*") if path.is_file())


def _daemon(folder: Path, environ: Mapping[str, str]) -> str:
    if host := environ.get("DOCKER_HOST"):
        return host
    context = environ.get("DOCKER_CONTEXT") or str(_json(folder / "config.json").get("currentContext") or "default")
    if context == "default":
        return _LOCAL
    # Docker keeps each context below the hash of its name.
    digest = hashlib.sha256(context.encode()).hexdigest()
    endpoints = _json(folder / "contexts" / "meta" / digest / "meta.json").get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    return str(docker.get("Host") or _LOCAL) if isinstance(docker, dict) else _LOCAL


def _json(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(host: str) -> str | None:
    """Return why nothing answers at an address, or None. Addresses that only Docker can use count as answering."""
    url = urlsplit(host)
    try:
        if url.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_TIMEOUT_S)
                probe.connect(url.path)
        elif url.scheme == "tcp":
            socket.create_connection((url.hostname or "localhost", url.port or 2375), _TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error)
    return None
