"""Registries over the OCI distribution API: digests, platforms of an image, and whether a push would be accepted."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from foundry_agents.azure.registry_http import NOT_FOUND, OK, RegistryHttp, start_of
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.image_manifests import ImageReader, NotAnImageError
from foundry_agents.lifecycle.views import ImageView, Progress

MIB = 1024 * 1024
MOST_OF_A_MANIFEST = 4 * MIB
"""What registries have to accept at least [oci], and what they accept at most in practice."""
MOST_OF_A_CONFIG = 8 * MIB
"""More than any image's configuration has [ours]."""

QUICK_S = 5.0
"""How long a preview waits for a registry that does not answer, in seconds [ours]."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class RegistryClient:
    """Any registry, as ``ImageRegistry`` describes it.

    Args:
        folder: Docker's folder of settings; None takes this user's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._http = RegistryHttp(folder)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def digest_of(self, repository: str, reference: str) -> str | None:
        """Return the digest of a tag or digest; None on a definite 404."""
        with self._http.read(repository, f"manifests/{reference}", method="HEAD") as answer:
            if answer.status_code == NOT_FOUND:
                return None
            named = answer.headers.get("docker-content-digest", "")
        if _DIGEST.fullmatch(named):
            return named
        # The header is optional [oci]; the bytes have the same digest.
        try:
            raw = self._bytes(repository, f"manifests/{reference}", MOST_OF_A_MANIFEST)
        except NotAnImageError as problem:
            raise self._http.unreadable(repository, f"manifests/{reference}", str(problem)) from None
        return f"sha256:{hashlib.sha256(raw).hexdigest()}" if raw is not None else None

    def is_gone(self, repository: str, reference: str) -> bool:
        """Return whether the registry answers a definite 404. One quick try; no other answer says so."""
        try:
            with self._http.read(repository, f"manifests/{reference}", method="HEAD", timeout_s=QUICK_S) as answer:
                return answer.status_code != OK
        except FoundryAgentsError:
            return False

    def inspect(self, repository: str, digest: str) -> ImageView | None:
        """Return an image; None on a definite 404."""
        return ImageReader(
            manifest=lambda of: self._verified(repository, "manifests", of, MOST_OF_A_MANIFEST),
            blob=lambda of: self._verified(repository, "blobs", of, MOST_OF_A_CONFIG),
        ).view(digest)

    def require_push(self, repository: str, *, sign_in: bool, progress: Progress) -> None:
        """Start an upload with Docker's credentials and cancel it again.

        Raises:
            RegistryAccessError: The registry does not accept it, and a token of Azure did not help or is not allowed.
            DockerSettingsError: The token can't be left with Docker.
        """
        self._http.require_push(repository, sign_in=sign_in, progress=progress)

    def _verified(self, repository: str, kind: str, digest: str, most: int) -> bytes | None:
        """Return the bytes of a digest; None on a definite 404.

        Raises:
            RegistryAccessError: They have another digest: something else answered, such as a proxy's page.
        """
        below = f"{kind}/{digest}"
        raw = self._bytes(repository, below, most)
        algorithm, _, named = digest.partition(":")
        if raw is not None and hashlib.new(algorithm, raw).hexdigest() != named:
            raise self._http.unreadable(repository, below, "the response is not what the digest names")
        return raw

    def _bytes(self, repository: str, below: str, most: int) -> bytes | None:
        with self._http.read(repository, below) as answer:
            if answer.status_code == NOT_FOUND:
                return None
            raw = start_of(answer, most)
        if raw is None:
            raise self._http.unreadable(repository, below, "the response broke off")
        if len(raw) > most:
            raise NotAnImageError(f"it is not a container image: {below} has more than {most // MIB} MiB")
        return raw


@lru_cache(maxsize=1)
def registry_client() -> RegistryClient:
    """Return the registries, with the credentials of this machine; one client per process."""
    return RegistryClient()
