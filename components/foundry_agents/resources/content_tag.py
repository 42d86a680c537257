"""ContentTag: the tag that names an image by what it was built from, and what it pointed to when it was needed.

Inputs and outputs are the rows of ``lifecycle/inputs/content_tag.py``; check and diff follow from them
(``TableProvider``). Another content updates the tag; nothing replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.docker.credentials import require_credential_store
from foundry_agents.docker.daemon import docker_folder, require_builder
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError
from foundry_agents.lifecycle.inputs.content_tag import CONTENT_TAG_FIELDS, ContentTagInputs, ContentTagOutputs
from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_agents.lifecycle.service.registries import ImageRegistry
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import row_of
from foundry_agents.resources._plugin.registries import image_registry
from foundry_agents.resources._plugin.table_provider import TableProvider

TYPE = "pulumi-python:dynamic/foundry:ContentTag"

_MAY_BE_NEW = frozenset({401, 403})
"""What registries answer for a repository that does not exist yet."""


class ContentTag(Resource, module="foundry", name="ContentTag"):
    """An image named by what it is built from.

    Attributes:
        repository: ``registry/repository``.
        tags: Its tags, whole: the content's, and the commit's where there is one.
        found: Digest that was in the registry under that tag when the content was first seen; "" when it has to be
            built.
        previous: Tag of the content before this one; None for the first.
        builds: How often an image that was built here was missing in the registry later, and is built again; "0" for
            never.
    """

    repository: Output[str]
    tags: Output[Sequence[str]]
    found: Output[str]
    previous: Output[str | None]
    builds: Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        repository: Input[str],
        content: Input[str],
        revision: Input[str] | None = None,
        builder: Input[str] | None = None,
        sign_in: Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the tag.

        Args:
            resource_name: Name of the resource.
            repository: ``registry/repository``.
            content: 64 hexadecimal digits.
            revision: Commit that the content is from.
            builder: Name of a buildx builder; None uses Docker's own.
            sign_in: Give Docker a token when it has none that the registry accepts.
            opts: Options.
        """
        props: dict[str, Any] = {
            **CONTENT_TAG_FIELDS.unset(),
            "repository": repository,
            "content": content,
            "revision": revision,
            "builder": builder,
            "sign_in": sign_in,
            "urn": row_of(resource_name, TYPE, opts),
        }
        super().__init__(ContentTagProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class ContentTagProvider(TableProvider):
    """Look a content up, once. The import path is in users' state: never move it."""

    table = CONTENT_TAG_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Find the image of this content, or make sure that one can be built and pushed."""
        inputs = CONTENT_TAG_FIELDS.read(props)
        return CreateResult(
            inputs.repository, self.state(inputs, _looked_up(inputs, CONTENT_TAG_FIELDS.read_outputs({})))
        )

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return state as it is; gone only when the registry does not have the digest any more."""
        inputs, known = CONTENT_TAG_FIELDS.read(props), CONTENT_TAG_FIELDS.read_outputs(props)
        try:
            if known.found and image_registry().digest_of(inputs.repository, known.found) is None:
                return ReadResult("", {})
        except FoundryAgentsError as error:
            return self.unread_state(id_, props, error)
        return ReadResult(id_, self.updated_state(inputs, props))

    @readable_errors
    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Do the same for another content, or for an image that is gone; a build may take its cache from the former."""
        inputs, known = CONTENT_TAG_FIELDS.read(news), CONTENT_TAG_FIELDS.read_outputs(olds)
        return UpdateResult(self.state(inputs, _looked_up(inputs, known)))

    def lost(self, olds: Mapping[str, Any]) -> str | None:
        """Return that the image is gone: one that was found by its digest, one that was built by its tag."""
        inputs, known = CONTENT_TAG_FIELDS.read(olds), CONTENT_TAG_FIELDS.read_outputs(olds)
        named = known.found or (known.tags[0].rpartition(":")[2] if known.tags else "")
        if named and image_registry().is_gone(inputs.repository, named):
            return f"{named} is not in {inputs.repository} any more: it is looked up again, and built if it is missing"
        return None

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Forget the content; the registry is left as it is, so that a rollback still finds its image."""
        del id_, props


def _looked_up(inputs: ContentTagInputs, known: ContentTagOutputs) -> ContentTagOutputs:
    """Look a content up.

    Args:
        inputs: The content.
        known: What state holds of this content, if its image is gone, or of the one before.
    """
    repository, progress = inputs.repository, progress_on(inputs.urn)
    tag, *others = tag_names(inputs.content, inputs.revision)
    before = known.tags[0] if known.tags else None
    is_same = before == f"{repository}:{tag}"
    builds = known.builds
    source = image_registry()
    found, is_refused = _found(source, repository, tag)
    if not found:
        require_builder(inputs.builder)
        require_credential_store(docker_folder())
        source.require_push(repository, sign_in=inputs.sign_in, progress=progress)
        if is_refused:  # by a sign-in that has failed for a moment, perhaps: now it has succeeded
            found, _ = _found(source, repository, tag)
    if found:
        progress(f"adopted {tag}: {found} was built from the same content, so nothing is built")
    else:
        progress(f"{tag} is not in {repository}: it is built and pushed")
        if is_same and not known.found:  # docker-build has the image in state, and would not look
            builds = str(int(builds) + 1)
    return ContentTagOutputs(
        tags=[f"{repository}:{name}" for name in (tag, *others)],
        found=found or "",
        previous=known.previous if is_same else before,
        builds=builds,
    )


def _found(source: ImageRegistry, repository: str, tag: str) -> tuple[str | None, bool]:
    """Return the digest that the tag points to, and whether the registry refuses, as some do for a new repository.

    Throttling and failures are errors: a build would replace the image that the tag has.
    """
    try:
        return source.digest_of(repository, tag), False
    except RegistryAccessError as refused:
        if refused.status not in _MAY_BE_NEW:
            raise
        return None, True
