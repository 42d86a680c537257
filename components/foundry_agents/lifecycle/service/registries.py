"""What the core asks of registries, and of Resource Manager about them."""

from __future__ import annotations

from typing import Protocol

from foundry_agents.lifecycle.views import ImageView, Progress, PullAccess


class ImageRegistry(Protocol):
    """What is asked of registries. ``repository`` is the whole name, host first."""

    def digest_of(self, repository: str, reference: str) -> str | None:
        """Return the digest of a tag or digest; None on a definite 404."""
        ...

    def is_gone(self, repository: str, reference: str) -> bool:
        """Return whether the registry answers a definite 404. One quick try; no other answer says so."""
        ...

    def inspect(self, repository: str, digest: str) -> ImageView | None:
        """Return an image; None on a definite 404."""
        ...

    def require_push(self, repository: str, *, sign_in: bool, progress: Progress) -> None:
        """Make sure that Docker can push from this machine.

        With ``sign_in``, a token for this registry is left with Docker where Docker has none that works.

        Raises:
            RegistryAccessError: It could not.
            DockerSettingsError: The token can't be left with Docker.
        """
        ...


class RegistryAccess(Protocol):
    """What Resource Manager knows about who may pull from a registry. Reads only."""

    def pull_access(self, registry_id: str, principal_id: str) -> PullAccess:
        """Read the registry and the principal's roles on it. Raise a ServiceError or SignInError."""
        ...
