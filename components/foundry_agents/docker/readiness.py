"""Starts an image on this machine's Docker daemon and asks it whether it is ready, as the platform will."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import docker
import docker.errors
import requests
from docker.models.containers import Container

from foundry_agents.docker.daemon import answering_daemon
from foundry_agents.lifecycle.failure.deployment_errors import WaitTimeoutError
from foundry_agents.lifecycle.failure.image_errors import UnsuitableImageError
from foundry_agents.lifecycle.inputs.image_reference import PORT
from foundry_agents.lifecycle.polling import Clock, PollSettings, Until, poll
from foundry_agents.lifecycle.views import Progress

READY_IN_S = 60.0
"""Seconds that the container gets; the platform's own patience is not documented."""

_POLL_S = 0.5
_ASK_TIMEOUT_S = 2
_SHOWN_LINES = 12
_OK = 200
_READY = "ready"


def start_and_ask(reference: str, environment: Mapping[str, str], clock: Clock, progress: Progress) -> None:
    """Start the image with the agent's variables and wait until ``GET /readiness`` answers 200.

    Without a daemon, or when the daemon can't pull, the check is skipped with a message. The agent's identity and what
    else the platform adds are missing here: an agent that needs them to start fails this check, and not in Azure.

    Raises:
        UnsuitableImageError: It ended before it was ready, or was not ready in time; carries the last lines it wrote.
    """
    host = answering_daemon()
    if host is None:
        progress("image not started here: no Docker daemon answers")
        return
    daemon = docker.from_env(environment={**os.environ, "DOCKER_HOST": host})
    try:
        with _running(daemon, reference, environment) as container:
            why = _not_ready(container, clock)
            if why:
                lines = container.logs(tail=_SHOWN_LINES).decode(errors="replace").strip().splitlines()
                wrote = "; last lines: " + " | ".join(lines) if lines else "; it wrote nothing"
                raise UnsuitableImageError(reference, [f"{why}{wrote}"], do="fix the reported error", off="start=False")
    except docker.errors.APIError as error:  # above all an image that the daemon can't pull
        progress(f"image not started here: {error.explanation or type(error).__name__}")
        return
    finally:
        daemon.close()
    progress("image started here and answered /readiness")


@contextmanager
def _running(daemon: docker.DockerClient, reference: str, environment: Mapping[str, str]) -> Iterator[Container]:
    """Yield a container of the image with its port published on the loopback; remove it afterwards."""
    container = daemon.containers.run(
        reference,
        detach=True,
        environment={**environment, "PORT": str(PORT)},
        ports={f"{PORT}/tcp": ("127.0.0.1", 0)},
        platform="linux/amd64",
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def _not_ready(container: Container, clock: Clock) -> str | None:
    """Return why the container is not ready; None when it is."""

    def read() -> str:
        container.reload()
        if container.status == "exited":
            return f"it ended with code {container.attrs['State']['ExitCode']} before it was ready"
        return _READY if _ready(container) else ""

    ready = Until[str]("the container", "ready", done=bool, describe=lambda seen: seen or "not ready")
    try:
        ended = poll(read, ready, clock, PollSettings(READY_IN_S, _POLL_S))
    except WaitTimeoutError:
        return f"it did not answer GET /readiness on port {PORT} with 200 within {READY_IN_S:.0f} s"
    return None if ended == _READY else ended


def _ready(container: Container) -> bool:
    published = container.ports.get(f"{PORT}/tcp") or []
    if not published:
        return False
    url = f"http://127.0.0.1:{published[0]['HostPort']}/readiness"
    try:
        return requests.get(url, timeout=_ASK_TIMEOUT_S).status_code == _OK
    except requests.RequestException:
        return False
