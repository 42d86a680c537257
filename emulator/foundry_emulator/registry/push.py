"""Pushes a packed image over the OCI distribution API, as any client does."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

if TYPE_CHECKING:
    import httpx  # the caller brings the client: importing httpx costs as much time as the rest of the emulator

from foundry_emulator.media_types import OCI_MANIFEST
from foundry_emulator.registry.pack import PackedImage


class PushError(Exception):
    """A registry refused an image."""


def push(packed: PackedImage, base_url: str, repository: str, tag: str, *, client: httpx.Client) -> str:
    """Push an image to a repository; upload only what is missing.

    Args:
        packed: The image.
        base_url: The registry, such as ``http://localhost:5000``.
        repository: The repository, such as ``acme/support``.
        tag: The tag of the image.
        client: Sends the requests.

    Returns:
        ``repository@digest``.

    Raises:
        PushError: The registry refused; the text has its response.
        httpx.TransportError: The registry could not be reached.
    """
    root = f"{base_url.rstrip('/')}/v2/{repository}"
    manifest_url = f"{root}/manifests/{tag}"
    there = client.head(manifest_url, headers={"Accept": OCI_MANIFEST})
    if there.headers.get("docker-content-digest") != packed.digest:
        for blob in (packed.layer, packed.config):
            _upload(client, root, blob)
        answer = client.put(manifest_url, content=packed.manifest, headers={"Content-Type": OCI_MANIFEST})
        _expect(answer, 201)
    return f"{repository}@{packed.digest}"


def _upload(client: httpx.Client, root: str, blob: bytes) -> None:
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    if client.head(f"{root}/blobs/{digest}").status_code == HTTPStatus.OK:
        return
    started = client.post(f"{root}/blobs/uploads/")
    _expect(started, 202)
    location = urljoin(root, started.headers["location"])
    upload = f"{location}{'&' if '?' in location else '?'}digest={quote(digest)}"
    answer = client.put(upload, content=blob, headers={"Content-Type": "application/octet-stream"})
    _expect(answer, 201)


def _expect(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        request = answer.request
        raise PushError(
            f"{request.method} {request.url.copy_with(query=None)} answered {answer.status_code} instead of {status}: "
            f"{answer.text[:500]}"
        )
