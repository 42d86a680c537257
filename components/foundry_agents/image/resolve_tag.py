"""Resolve a tag to a digest; in previews, too."""

from __future__ import annotations

import pulumi
import pulumi_docker

from foundry_agents.lifecycle.inputs.image_reference import tag_problem


def resolved(reference: object) -> str:
    """Return ``registry/repository@sha256:…`` for ``registry/repository:tag``.

    Pulumi's Docker provider looks it up; it signs in with Docker's own credentials.

    Raises:
        pulumi.RunError: When the reference has another form, or the registry has no such tag or can't be read.
    """
    # An Output is known only here; a text was checked when it was declared.
    if not isinstance(reference, str):
        raise pulumi.RunError("AgentImage.from_tag: the reference must be text")
    if problem := tag_problem(reference):
        raise pulumi.RunError(f"AgentImage.from_tag: {problem}")
    try:
        found = pulumi_docker.get_registry_image(name=reference).sha256_digest
    except Exception as error:  # noqa: BLE001 (an invoke's failure has no class of its own)
        raise pulumi.RunError(
            f'AgentImage.from_tag: the digest of "{reference}" could not be read\n'
            f"  Service said: {_said(error)}\n"
            "  Do: push the tag, correct its name, or sign in with `docker login`. AgentImage.pinned(…) needs no tag; "
            "AgentImage.build(…) and AgentImage.remote_build(…) build the image"
        ) from None
    return f"{reference.rpartition(':')[0]}@{found}"


def _said(error: Exception) -> str:
    return " ".join(str(error).split())
