"""AgentImage: where an agent's image comes from, always as a digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pulumi
from pulumi import Input, Output

from foundry_agents.grants.naming import chosen_once
from foundry_agents.image.build import BuildSettings, ImageBuild
from foundry_agents.image.resolve_tag import resolved
from foundry_agents.image.sources import Sources
from foundry_agents.lifecycle.inputs.image_reference import tag_problem
from foundry_agents.registry.registry import Registry
from foundry_agents.resources.remote_image_build import RemoteImageBuild

DEFAULT_CONTEXT_LIMIT_MB = 200.0
"""Agents are source code: a context beyond this usually holds a virtual environment or data by mistake [ours]."""


@dataclass(frozen=True)
class AgentImage:
    """An image that an agent can run.

    Attributes:
        reference: ``registry/repository@sha256:…``.
        depends_on: What must be there before the first pull.
        registry: The registry that it is in; the project of an agent that runs it gets the right to pull.
        check: Look at the image before a version with it is posted: that its digest is in the registry, that it is for
            linux/amd64, and that it says what to start.
        start: Start it on this machine's Docker daemon too, where there is one, and wait until it answers /readiness.
    """

    reference: Output[str]
    depends_on: tuple[pulumi.Resource, ...] = ()
    registry: Registry | None = None
    check: bool = True
    start: bool = False

    @classmethod
    def pinned(cls, reference: Input[str], *, registry: Registry | None = None, check: bool = True) -> AgentImage:
        """An image that is in a registry already.

        The form of the reference is checked with the agent's other settings, so that all problems are told at once.

        Args:
            reference: ``registry/repository@sha256:…``, or ``repository@sha256:…`` together with ``registry``.
            registry: The registry that the repository is in. The project of every agent that runs the image gets the
                right to pull, before the first pull.
            check: Look at it before a version with it is posted.
        """
        return cls._in(registry, reference, check=check)

    @classmethod
    def from_tag(cls, reference: Input[str], *, registry: Registry | None = None, check: bool = True) -> AgentImage:
        """The image that a tag points to now: looked up once in each preview and each update, and pinned.

        A tag that has moved shows as a changed image in the preview.

        Args:
            reference: ``registry/repository:tag``, or ``repository:tag`` together with ``registry``.
            registry: The registry that the repository is in.
            check: Look at the image before a version with it is posted.

        Raises:
            pulumi.RunError: The reference has not this form.
        """
        if isinstance(reference, str):
            _refuse("from_tag", tag_problem(reference if registry is None else f"registry/{reference}"))
        tagged = cls._in(registry, reference, check=check)
        return replace(tagged, reference=tagged.reference.apply(resolved))

    @classmethod
    def build(
        cls,
        name: str,
        *,
        context: str | Path,
        registry: Registry | Input[str],
        repository: str | None = None,
        dockerfile: str | Path | None = None,
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        secrets: Mapping[str, Input[str]] | None = None,
        cache: Literal["inline", "registry", "none"] = "inline",
        builder: str | None = None,
        rebuild: str = "",
        build_on_preview: bool = False,
        sign_in: bool = True,
        context_limit_mb: float = DEFAULT_CONTEXT_LIMIT_MB,
        check: bool = True,
        start: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> AgentImage:
        """An image built from a folder on this machine, with Docker or another BuildKit, and pushed.

        It is named by what it is built from. A content that is in the registry already, from an earlier commit, another
        stack or a run that was killed, is taken as it is: nothing is built. What is pushed is never deleted.

        Args:
            name: Name of the component and, unless ``repository`` says otherwise, of the repository; its children are
                ``{name}-tag`` and, while there is something to build, ``{name}-build``.
            context: The folder that the Dockerfile may copy from; ``.dockerignore`` is honoured.
            registry: Where to push: an Registry, or ``host`` or ``host/path`` of any other.
            repository: Name in the registry; None takes ``name``, once.
            dockerfile: Another than the ``Dockerfile`` in the folder.
            target: Stage to build; None takes the last.
            build_args: Values of ``ARG``; not secret, they stay in the image's history.
            secrets: Files of ``RUN --mount=type=secret`` by id. Kept secret; a changed value alone builds nothing.
            cache: ``inline`` keeps what is needed in the image, ``registry`` keeps every stage under the tag
                ``buildcache``, ``none`` nothing.
            builder: Name of a buildx builder; None takes Docker's.
            rebuild: Any text; another text builds anew what has not changed itself, for a newer base image.
            build_on_preview: Build, and throw away, in previews too.
            sign_in: For a registry of Azure that Docker is not signed in to: leave a token of three hours with Docker,
                as ``az acr login`` does. It is never in Pulumi's state.
            context_limit_mb: Refuse a context of more megabytes.
            check: Look at the image before a version with it is posted.
            start: Start it first on this machine's Docker daemon, where there is one, with the agent's variables, and
                wait until it answers /readiness. An agent that needs its identity in Azure to start fails here.
            opts: Options of the component.

        Raises:
            pulumi.RunError: No such folder, no Dockerfile, or a context over the limit.
        """
        host = registry.login_server if isinstance(registry, Registry) else registry
        settings = BuildSettings(
            host=host,
            repository=repository or name,
            named=repository is not None,
            sources=Sources(
                context=Path(context),
                dockerfile=None if dockerfile is None else Path(dockerfile),
                target=target,
                build_args=dict(build_args or {}),
                rebuild=rebuild,
                context_limit_mb=context_limit_mb,
            ),
            secrets=dict(secrets or {}),
            cache=cache,
            builder=builder,
            build_on_preview=build_on_preview,
            sign_in=sign_in,
        )
        built = ImageBuild(name, settings, opts=opts)
        ours = registry if isinstance(registry, Registry) else None
        return replace(cls._in(ours, built.reference, check=check, whole=True), start=start)

    @classmethod
    def remote_build(
        cls,
        name: str,
        *,
        context: str | Path,
        registry: Registry,
        repository: str | None = None,
        dockerfile: str | Path | None = None,
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        rebuild: str = "",
        timeout_s: float | None = None,
        poll_interval_s: float | None = None,
        context_limit_mb: float = DEFAULT_CONTEXT_LIMIT_MB,
        check: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> AgentImage:
        """An image that Azure builds from a folder on this machine, as a quick build of the registry: no Docker.

        It is named by what it is built from, as by :meth:`build`: a content that is in the registry already is taken as
        it is, whichever way it was built.

        Args:
            name: Name of the resource ``{name}-build`` and, unless ``repository`` says otherwise, of the repository.
            context: The folder that the Dockerfile may copy from; ``.dockerignore`` is honoured.
            registry: Whose tasks build, and where the image goes.
            repository: Name in the registry; None takes ``name``, once.
            dockerfile: Another than the ``Dockerfile`` in the folder.
            target: Stage to build; None takes the last.
            build_args: Values of ``ARG``; not secret, they stay in the image's history.
            rebuild: Any text; another text builds anew what has not changed itself, for a newer base image.
            timeout_s: Give up after this many seconds; default 1800.
            poll_interval_s: Pause between two looks at the run; default 3.
            context_limit_mb: Refuse a context of more megabytes.
            check: Look at the image before a version with it is posted.
            opts: Options of the resource.

        Raises:
            pulumi.RunError: No such folder, no Dockerfile, or a context over the limit.
        """
        sources = Sources(
            context=Path(context),
            dockerfile=None if dockerfile is None else Path(dockerfile),
            target=target,
            build_args=dict(build_args or {}),
            rebuild=rebuild,
            context_limit_mb=context_limit_mb,
        )
        content = sources.content(f'AgentImage.remote_build "{name}"')
        built = RemoteImageBuild(
            f"{name}-build",
            registry_id=registry.resource_id,
            login_server=registry.login_server,
            repository=repository or name,
            content=content.hash,
            revision=content.revision,
            files=content.files,
            context=str(sources.context),
            dockerfile=None if dockerfile is None else str(dockerfile),
            target=target,
            build_args=sources.build_args or None,
            context_limit_mb=context_limit_mb,
            timeout_s=timeout_s,
            poll_interval_s=poll_interval_s,
            opts=pulumi.ResourceOptions.merge(opts, chosen_once({"repository": repository})),
        )
        reference = Output.concat(registry.login_server, "/", built.repository, "@", built.digest)
        return cls._in(registry, reference, check=check, whole=True)

    @classmethod
    def _in(cls, registry: Registry | None, reference: Input[str], *, check: bool, whole: bool = False) -> AgentImage:
        """An image in a registry of this stack or in any other; ``whole``: the reference has its host already."""
        if registry is not None and not whole:
            reference = Output.concat(registry.login_server, "/", reference)
        return cls(Output.from_input(reference), registry=registry, check=check)


def _refuse(way: str, problem: str | None) -> None:
    if problem:
        raise pulumi.RunError(f"AgentImage.{way}: {problem}")
