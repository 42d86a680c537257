"""The digest behind a tag, asked of the registry in previews too."""

from __future__ import annotations

import pulumi
import pulumi_docker


def resolved(reference: str) -> str:
    """``registry/repository@sha256:…`` for ``registry/repository:tag``.

    Asks Pulumi's Docker provider, which signs in with Docker's own credentials.

    Raises:
        pulumi.RunError: The registry has no such tag, or does not say.
    """
    try:
        found = pulumi_docker.get_registry_image(name=reference).sha256_digest
    except Exception as error:  # noqa: BLE001 (an invoke's failure has no class of its own)
        raise pulumi.RunError(
            f'AgentImage.from_tag: "{reference}" has no digest that could be read\n'
            f"  Service said: {_said(error)}\n"
            "  Do: push the tag, correct its name, or sign in with `docker login`. AgentImage.pinned(…) needs none; "
            "AgentImage.build(…) and AgentImage.remote_build(…) make the image"
        ) from None
    return f"{reference.rpartition(':')[0]}@{found}"


def _said(error: Exception) -> str:
    return " ".join(str(error).split())
