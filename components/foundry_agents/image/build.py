"""ImageBuild: build an image from a folder, once for each content, and push it to a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker_build as docker_build
from pulumi import Input, Output, ResourceOptions

from foundry_agents.docker.daemon import builder_problem
from foundry_agents.grants.naming import chosen_once
from foundry_agents.image.sources import Cache, Content, Sources
from foundry_agents.lifecycle.inputs.image_reference import tag_names
from foundry_agents.resources.content_tag import ContentTag

_CACHE_TAG = "buildcache"


@dataclass(frozen=True)
class BuildSettings:
    """Sources, builder and target of a build; each as AgentImage.build describes it.

    Attributes:
        host: The registry's host, and a path where it has one.
        repository: Name in the registry.
        named: The program chose that name.
    """

    host: Input[str]
    repository: str
    named: bool
    sources: Sources
    secrets: Mapping[str, Input[str]]
    cache: Cache
    builder: str | None
    sign_in: bool


class ImageBuild(pulumi.ComponentResource):
    """A tag that names the content, and a build if the registry has no image of it.

    Args:
        name: Name of the component; its children are ``{name}-tag`` and ``{name}-build``.
        settings: Sources, builder and target.

    Attributes:
        reference: ``registry/repository@sha256:…``.

    Raises:
        pulumi.RunError: When the context is not usable.
    """

    reference: Output[str]

    def __init__(self, name: str, settings: BuildSettings, *, opts: ResourceOptions | None = None) -> None:
        super().__init__("foundry-agents:index:ImageBuild", name, None, opts)
        content = settings.sources.content(f'AgentImage.build "{name}"')
        tag = ContentTag(
            f"{name}-tag",
            repository=Output.concat(settings.host, "/", settings.repository),
            content=content.hash,
            revision=content.revision,
            builder=settings.builder,
            sign_in=settings.sign_in,
            opts=ResourceOptions(parent=self) if settings.named else _once(settings, self),
        )

        def digest(found: object) -> Input[str]:
            if isinstance(found, str):
                return found or _build(f"{name}-build", settings, content, tag, self).digest
            # In a preview it is unknown whether the registry has a new content: the build is shown as possible.
            if problem := builder_problem(settings.builder or ""):
                pulumi.log.warn(f"{problem}: the update fails unless the registry has the image", self)
            tags = [Output.concat(tag.repository, ":", each) for each in tag_names(content.hash, content.revision)]
            return _build(f"{name}-build", settings, content, tag, self, tags).digest

        digests = tag.found.apply(digest, run_with_unknowns=True)
        self.reference = Output.concat(tag.repository, "@", digests)
        self.register_outputs({"reference": self.reference})


def _once(settings: BuildSettings, parent: pulumi.Resource) -> ResourceOptions:
    """Return options that keep a repository which the program did not name, as long as the registry is the same.

    The input holds both. Only another host replaces the tag, and then with the program's current repository.
    """
    kept = ResourceOptions(parent=parent, replacement_trigger=settings.host)
    return ResourceOptions.merge(kept, chosen_once({"repository": None}))


def _build(  # noqa: PLR0917 (the parts of a build)
    name: str,
    settings: BuildSettings,
    content: Content,
    tag: ContentTag,
    parent: pulumi.Resource,
    tags: Sequence[Output[str]] | None = None,
) -> docker_build.Image:
    cache_from, cache_to = _caches(settings, tag)
    return docker_build.Image(
        name,
        context=docker_build.BuildContextArgs(location=content.frozen.folder.as_posix()),
        dockerfile=docker_build.DockerfileArgs(location=content.frozen.dockerfile.as_posix()),
        target=settings.sources.target,
        tags=tag.tags if tags is None else tags,
        platforms=[docker_build.Platform.LINUX_AMD64],
        push=True,
        # It would build nothing: in a preview of a change, the tags and the cache to read are not known.
        build_on_preview=False,
        build_args=settings.sources.build_args or None,
        secrets={key: Output.secret(value) for key, value in settings.secrets.items()} or None,
        # A renewed token does not change the image.
        ignore_secrets_in_diff_calculation=sorted(settings.secrets) or None,
        cache_from=cache_from,
        cache_to=cache_to,
        builder=docker_build.BuilderConfigArgs(name=settings.builder) if settings.builder else None,
        # Deleting it would delete the manifest, and a rollback needs its image. An image that was deleted in the
        # registry is built again, which docker-build does for no other reason than a changed input. A preview that
        # looks a content up has no count yet, and an unknown one would show a replacement.
        opts=ResourceOptions(
            parent=parent,
            retain_on_delete=True,
            replacement_trigger=tag.builds.apply(lambda count: count or "0") if tags is None else None,
        ),
    )


def _caches(
    settings: BuildSettings, tag: ContentTag
) -> tuple[Input[list[docker_build.CacheFromArgs]] | None, list[docker_build.CacheToArgs] | None]:
    if settings.cache == "none":
        return None, None
    if settings.cache == "inline":
        inline = docker_build.CacheToInlineArgs()  # type: ignore[no-untyped-call]  # generated without types
        # The cache in the image of the previous content.
        before = tag.previous.apply(lambda ref: [_from(ref)] if ref else [])
        return before, [docker_build.CacheToArgs(inline=inline)]
    ref = Output.concat(tag.repository, f":{_CACHE_TAG}")
    to = docker_build.CacheToRegistryArgs(ref=ref, mode=docker_build.CacheMode.MAX)
    return [_from(ref)], [docker_build.CacheToArgs(registry=to)]


def _from(ref: Input[str]) -> docker_build.CacheFromArgs:
    return docker_build.CacheFromArgs(registry=docker_build.CacheFromRegistryArgs(ref=ref))
