"""ContentTag: the tag that names an image by what it was built from, and what it pointed to when it was needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.docker.daemon import require_builder
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, RegistryAccessError
from foundry_agents.lifecycle.inputs.content_tag import CONTENT_TAG_FIELDS
from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.lifecycle.service.registries import ImageRegistry
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import row_of
from foundry_agents.resources._plugin.registries import image_registry
from foundry_agents.resources._plugin.table_provider import TableProvider

TYPE = "pulumi-python:dynamic/foundry:ContentTag"

_COMPUTED = ("tags", "found", "previous")


class ContentTagProvider(TableProvider):
    """Looks a content up, once. Its import path is in users' state: never move it."""

    table = CONTENT_TAG_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Finds the image of this content, or makes sure that one can be built and pushed."""
        values = self.values(props)
        return CreateResult(_id(values), self.outputs(values, _looked_up(values, previous=None)))

    @readable_errors
    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """The same for another content; the former tag is what a build may take its cache from."""
        del id_
        values = self.values(news)
        tags = olds.get("tags")
        previous = str(tags[0]) if isinstance(tags, Sequence) and tags else None
        return UpdateResult(self.outputs(values, _looked_up(values, previous=previous)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Gone only when the registry says that the digest it pointed to is not there; else state as it is."""
        values = self.values(props)
        found = str(props.get("found") or "")
        try:
            if found and image_registry().digest_of(str(values["repository"]), found) is None:
                return ReadResult("", {})
        except FoundryAgentsError as error:
            return self.kept(id_, props, error)
        return ReadResult(id_, self.outputs(values, {key: props.get(key) for key in _COMPUTED}))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Forgets the content; the registry is left as it is, so that a rollback still finds its image."""
        del id_, props


class ContentTag(Resource, module="foundry", name="ContentTag"):
    """An image named by what it is built from.

    Attributes:
        repository: ``registry/repository``.
        tags: Its tags, whole: the content's, and the commit's where there is one.
        found: Digest that was in the registry under that tag when the content was first seen; "" when it has to be
            built.
        previous: Tag of the content before this one; None for the first.
    """

    repository: Output[str]
    tags: Output[Sequence[str]]
    found: Output[str]
    previous: Output[str | None]

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
        """Declares the tag.

        Args:
            resource_name: Name of the resource.
            repository: ``registry/repository``.
            content: 64 hexadecimal digits.
            revision: Commit that goes with it.
            builder: Name of a buildx builder; None takes Docker's.
            sign_in: Leave a token with Docker when it has none that the registry takes.
            opts: Options.
        """
        props: dict[str, Any] = {
            "repository": repository,
            "content": content,
            "revision": revision,
            "builder": builder,
            "sign_in": sign_in,
            "urn": row_of(resource_name, TYPE, opts),
            # Declared so that a preview shows them as not known yet.
            **dict.fromkeys(_COMPUTED),
        }
        super().__init__(ContentTagProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


def _looked_up(values: Values, *, previous: str | None) -> dict[str, object]:
    repository, content = str(values["repository"]), str(values["content"])
    progress = progress_on(values.get("urn"))
    tag, *others = tag_names(content, str(values.get("revision") or ""))
    source = image_registry()
    found = _found(source, repository, tag)
    if found:
        progress(f"adopted {tag}: {found} was built from the same content, so nothing is built")
    else:
        require_builder(str(values.get("builder") or ""))
        source.require_push(repository, sign_in=bool(values["sign_in"]), progress=progress)
        progress(f"{tag} is new to {repository}: it is built and pushed")
    return {"tags": [f"{repository}:{name}" for name in (tag, *others)], "found": found or "", "previous": previous}


def _found(source: ImageRegistry, repository: str, tag: str) -> str | None:
    """The digest behind the tag; None also where the registry refuses, as some do for a repository that is new.

    Whether this machine may push is asked next, and that answer counts.
    """
    try:
        return source.digest_of(repository, tag)
    except RegistryAccessError as refused:
        if refused.status is None:
            raise
        return None


def _id(values: Values) -> str:
    return str(values["repository"])
