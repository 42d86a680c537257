"""AgentImage: the source of an agent's image, always pinned by digest."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pulumi
from pulumi import Input, Output

from foundry_agents.grants.naming import chosen_once
from foundry_agents.image.arguments import sources_from
from foundry_agents.image.build import BuildSettings, ImageBuild
from foundry_agents.image.resolve_tag import resolved
from foundry_agents.image.sources import Cache
from foundry_agents.lifecycle.failure.image_errors import TASKS_AND_NETWORK
from foundry_agents.lifecycle.inputs.image_reference import prefix_problem, tag_problem
from foundry_agents.registry.registry import Registry
from foundry_agents.resources.remote_image_build import RemoteImageBuild

DEFAULT_CONTEXT_LIMIT_MB = 200.0
"""Agents are source code: a context over this limit usually holds a virtual environment or data by mistake [ours]."""


@dataclass(frozen=True)
class AgentImage:
    """An image that an agent can run.

    Attributes:
        reference: ``registry/repository@sha256:…``.
        depends_on: Resources that must exist before the first pull.
        registry: Its registry; the project of an agent that runs it is granted the right to pull.
        check: Check the image before a version with it is created: its digest is in the registry, it is for
            linux/amd64, and it has an entrypoint or a command.
        start: Start it on this machine's Docker daemon too, where there is one, and wait until it answers /readiness.
    """

    reference: Output[str]
    depends_on: tuple[pulumi.Resource, ...] = ()
    registry: Registry | None = None
    check: bool = True
    start: bool = False

    @classmethod
    def pinned(
        cls, reference: Input[str], *, registry: Registry | Input[str] | None = None, check: bool = True
    ) -> AgentImage:
        """Use an image that is in a registry.

        The reference is checked with the agent's other settings, so that all problems are reported together.

        Args:
            reference: ``registry/repository@sha256:…``, or ``repository@sha256:…`` together with ``registry``.
            registry: The registry of the repository: a Registry, or ``host`` or ``host/path`` of any other. The project
                of every agent that runs an image of a Registry is granted the right to pull before the first pull.
            check: Check the image before a version with it is created.

        Raises:
            pulumi.RunError: When ``registry`` is neither.
        """
        return cls._in("pinned", registry, reference, check=check)

    @classmethod
    def from_tag(
        cls, reference: Input[str], *, registry: Registry | Input[str] | None = None, check: bool = True
    ) -> AgentImage:
        """Pin the image that a tag points to now; the tag is resolved once in each preview and each update.

        A tag that has moved shows as a changed image in the preview.

        Args:
            reference: ``registry/repository:tag``, or ``repository:tag`` together with ``registry``.
            registry: The registry of the repository: a Registry, or ``host`` or ``host/path`` of any other.
            check: Check the image before a version with it is created.

        Raises:
            pulumi.RunError: When the reference does not have this form.
        """
        if isinstance(reference, str):
            _refuse("from_tag", tag_problem(reference if registry is None else f"registry/{reference}"))
        tagged = cls._in("from_tag", registry, reference, check=check)
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
        build_args: Mapping[str, str | float] | None = None,
        secrets: Mapping[str, Input[str]] | None = None,
        cache: Cache = "inline",
        builder: str | None = None,
        rebuild: str = "",
        sign_in: bool = True,
        context_limit_mb: float = DEFAULT_CONTEXT_LIMIT_MB,
        check: bool = True,
        start: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> AgentImage:
        """Build an image from a folder on this machine, with Docker or another BuildKit, and push it.

        Its tag is a hash of its sources. If the registry has an image of the same sources, from an earlier commit,
        another stack or a run that was killed, that image is used and nothing is built. A pushed image is never
        deleted.

        Args:
            name: Name of the component and, unless ``repository`` says otherwise, of the repository; its children are
                ``{name}-tag`` and, if it has to be built, ``{name}-build``.
            context: The folder that the Dockerfile may copy from; ``.dockerignore`` is honoured. ``.git``, ``.env``
                and others that are never content are left out.
            registry: Where to push: a Registry, or ``host`` or ``host/path`` of any other.
            repository: Name in the registry; by default ``name`` is taken when it is first built, and kept.
            dockerfile: The Dockerfile; default ``Dockerfile`` in the folder.
            target: Stage to build; default the last.
            build_args: Values of ``ARG``, as text or numbers; not secret, they stay in the image's history. Outputs are
                refused: the content must be known in the preview.
            secrets: Files of ``RUN --mount=type=secret`` by id. They stay secret; a changed value alone builds nothing.
            cache: ``inline`` stores the cache in the image, ``registry`` stores every stage under the tag
                ``buildcache``, ``none`` stores nothing.
            builder: Name of a buildx builder; default Docker's own.
            rebuild: Any text; another text builds unchanged sources again, for a newer base image.
            sign_in: For an Azure registry that Docker is not signed in to: give Docker a token for three hours, as
                ``az acr login`` does. It is never in Pulumi's state.
            context_limit_mb: Refuse a context of more megabytes.
            check: Check the image before a version with it is created.
            start: Start it first on this machine's Docker daemon, where there is one, with the agent's variables, and
                wait until it answers /readiness. An agent that needs its identity in Azure to start fails here.
            opts: Options of the component.

        Raises:
            pulumi.RunError: When an argument is not what is meant, folder or Dockerfile is missing, the context is over
                the limit, or a file in it can't be read or looks like a credential.
        """
        sources = sources_from(f'AgentImage.build "{name}"', locals())
        settings = BuildSettings(
            host=_host_of("build", registry),
            repository=repository or name,
            named=repository is not None,
            sources=sources,
            secrets=dict(secrets or {}),
            cache=cache,
            builder=builder,
            sign_in=sign_in,
        )
        built = ImageBuild(name, settings, opts=opts)
        ours = registry if isinstance(registry, Registry) else None
        return cls(built.reference, registry=ours, check=check, start=start)

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
        build_args: Mapping[str, str | float] | None = None,
        rebuild: str = "",
        timeout_s: float | None = None,
        poll_interval_s: float | None = None,
        context_limit_mb: float = DEFAULT_CONTEXT_LIMIT_MB,
        check: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> AgentImage:
        """Build an image in Azure from a folder on this machine, as a quick task of the registry: without Docker.

        Its tag is a hash of its sources, as with :meth:`build`: if the registry has an image of the same sources, that
        image is used, whichever way it was built.

        Args:
            name: Name of the resource ``{name}-build`` and, unless ``repository`` says otherwise, of the repository.
            context: The folder that the Dockerfile may copy from; ``.dockerignore`` is honoured. ``.git``, ``.env``
                and others that are never content are left out.
            registry: The registry that builds the image and stores it.
            repository: Name in the registry; by default ``name`` is taken when it is first built, and kept.
            dockerfile: The Dockerfile; default ``Dockerfile`` in the folder.
            target: Stage to build; default the last.
            build_args: Values of ``ARG``, as text or numbers; not secret, they stay in the image's history. Outputs are
                refused: the content must be known in the preview.
            rebuild: Any text; another text builds unchanged sources again, for a newer base image.
            timeout_s: Give up after this many seconds; default 1800.
            poll_interval_s: Pause between two reads of the build's status; default 3.
            context_limit_mb: Refuse a context of more megabytes.
            check: Check the image before a version with it is created.
            opts: Options of the resource.

        Raises:
            pulumi.RunError: When an argument is not what is meant, folder or Dockerfile is missing, the context is over
                the limit, a file in it can't be read or looks like a credential, or the registry's network does not
                admit its tasks.
        """
        if not isinstance(registry, Registry):
            _refuse(
                "remote_build",
                "registry must be an AgentRegistry or AgentRegistry.existing(…), whose tasks build; "
                "AgentImage.build(…) takes the host of any registry",
            )
        if not registry.admits_tasks:
            _refuse(
                "remote_build",
                f'"{name}": its registry "{registry.pulumi_resource_name}" has public_access=False, and '
                f"{TASKS_AND_NETWORK.format(registry_id='ID')}, and tasks_bypass_network=True on the AgentRegistry",
            )
        sources = sources_from(f'AgentImage.remote_build "{name}"', locals())
        content = sources.content(f'AgentImage.remote_build "{name}"')
        built = RemoteImageBuild(
            f"{name}-build",
            registry_id=registry.resource_id,
            login_server=registry.login_server,
            repository=repository or name,
            content=content.hash,
            revision=content.revision,
            files=content.frozen.files_hash,
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
        return cls(reference, registry=registry, check=check)

    @classmethod
    def _in(cls, way: str, registry: Registry | Input[str] | None, reference: Input[str], *, check: bool) -> AgentImage:
        """Return an image in a registry of this stack or in any other; without one, the reference includes the host."""
        if registry is None:
            return cls(Output.from_input(reference), check=check)
        whole = Output.all(_host_of(way, registry), reference).apply(lambda known: _joined(way, *known))
        return cls(whole, registry=registry if isinstance(registry, Registry) else None, check=check)


def _host_of(way: str, registry: Registry | Input[str]) -> Input[str]:
    """Return what references to a registry's images begin with.

    Raises:
        pulumi.RunError: It is not a registry.
    """
    if isinstance(registry, Registry):
        return registry.login_server
    if isinstance(registry, str):
        _refuse(way, prefix_problem(registry))
    elif not isinstance(registry, (Output, Awaitable)):
        _refuse(way, "registry must be an AgentRegistry, AgentRegistry.existing(…), or the text host or host/path")
    return registry


def _joined(way: str, host: object, reference: object) -> str:
    """Return a whole reference; the registry may have been written before the repository, too.

    Raises:
        pulumi.RunError: One of them is no text.
    """
    if not isinstance(host, str) or not isinstance(reference, str):
        raise pulumi.RunError(f"AgentImage.{way}: the registry and the reference must be text")
    return reference if reference.startswith(f"{host}/") else f"{host}/{reference}"


def _refuse(way: str, problem: str | None) -> None:
    if problem:
        raise pulumi.RunError(f"AgentImage.{way}: {problem}")
