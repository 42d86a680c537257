"""RemoteImageBuild: an image that the tasks of an Azure registry build from a folder of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, InputError, Problem
from foundry_agents.lifecycle.inputs.remote_build import REMOTE_BUILD_FIELDS
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.remote_build import build_or_adopt
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.lifecycle.service.builds import BuildOrder, TaskRuns
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import row_of
from foundry_agents.resources._plugin.registries import image_registry
from foundry_agents.resources._plugin.table_provider import TableProvider
from foundry_agents.sources.build_context import BuildContext, ContextError

TYPE = "pulumi-python:dynamic/foundry:RemoteImageBuild"


class RemoteImageBuildProvider(TableProvider):
    """Adopts or builds. Its import path is in users' state: never move it."""

    table = REMOTE_BUILD_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Makes sure that the image of this content is in the registry."""
        values = self.values(props)
        return CreateResult(_whole(values), self.outputs(values, {"digest": _built(values)}))

    @readable_errors
    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """The same for another content; the former image stays, for a rollback."""
        del id_, olds
        values = self.values(news)
        return UpdateResult(self.outputs(values, {"digest": _built(values)}))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Gone only when the registry says that the digest is not there; else state as it is."""
        values, digest = self.values(props), str(props.get("digest") or "")
        try:
            gone = image_registry().digest_of(_whole(values), digest) is None
        except FoundryAgentsError as error:
            return self.kept(id_, props, error)
        return ReadResult("", {}) if gone else ReadResult(id_, self.outputs(values, {"digest": digest}))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Forgets the image; it stays in the registry, so that a rollback still finds it."""
        del id_, props


class RemoteImageBuild(Resource, module="foundry", name="RemoteImageBuild"):
    """An image built in Azure.

    Attributes:
        repository: Where it is, below the registry.
        digest: What it is pinned by.
    """

    repository: Output[str]
    digest: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        registry_id: Input[str],
        login_server: Input[str],
        repository: Input[str],
        content: Input[str],
        context: Input[str],
        revision: Input[str] | None = None,
        files: Input[str] | None = None,
        dockerfile: Input[str] | None = None,
        target: Input[str] | None = None,
        build_args: Input[Mapping[str, Input[str]]] | None = None,
        context_limit_mb: Input[float] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the image.

        Args:
            resource_name: Name of the resource.
            registry_id: ARM id of the registry whose tasks build.
            login_server: What references to its images begin with.
            repository: Where the image is, below the registry.
            content: 64 hexadecimal digits over all that decides the image.
            context: The folder.
            revision: Commit that goes with it.
            files: Hash of the folder's files as they were planned.
            dockerfile: Another than the folder's own.
            target: Stage to build.
            build_args: Values of ``ARG``.
            context_limit_mb: Refuse a context of more megabytes; default 200.
            timeout_s: Give up after this many seconds; default 1800.
            poll_interval_s: Pause between two looks; default 3.
            opts: Options.
        """
        props: dict[str, Any] = {
            "registry_id": registry_id,
            "login_server": login_server,
            "repository": repository,
            "content": content,
            "context": context,
            "revision": revision,
            "files": files,
            "dockerfile": dockerfile,
            "target": target,
            "build_args": build_args,
            "context_limit_mb": context_limit_mb,
            "timeout_s": timeout_s,
            "poll_interval_s": poll_interval_s,
            "urn": row_of(resource_name, TYPE, opts),
            "digest": None,
        }
        super().__init__(RemoteImageBuildProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


def _whole(values: Values) -> str:
    return f"{values['login_server']}/{values['repository']}"


def _built(values: Values) -> str:
    arguments = values.get("build_args")
    folder = Path(str(values["context"]))
    dockerfile = Path(str(values["dockerfile"])) if values.get("dockerfile") else None
    try:
        context = BuildContext.read(folder, dockerfile, limit_mb=float(str(values["context_limit_mb"])))
    except ContextError as problem:
        raise InputError("the image's settings", [Problem("context", str(problem))]) from None
    order = BuildOrder(
        login_server=str(values["login_server"]),
        name=str(values["repository"]),
        content=str(values["content"]),
        revision=str(values.get("revision") or ""),
        context=lambda: _as_planned(context, str(values.get("files") or "")),
        dockerfile=context.dockerfile_name,
        target=str(values.get("target") or ""),
        build_args=dict(arguments) if isinstance(arguments, Mapping) else {},
    )
    patience = PollSettings(float(str(values["timeout_s"])), float(str(values["poll_interval_s"])))
    runs = _runs(str(values["registry_id"]))
    return build_or_adopt(image_registry(), runs, order, patience, SystemClock(), progress_on(values.get("urn"))).view


def _as_planned(context: BuildContext, files: str) -> bytes:
    """The packed context, unless it has changed since its hash was taken: the tag would name what it is not.

    Raises:
        InputError: It has.
    """
    packed = context.packed()
    if files and context.hash({}) != files:
        detail = f"{context.folder} has changed since it was planned; run `pulumi up` again when nobody writes to it"
        raise InputError("the image's settings", [Problem("context", detail)])
    return packed


def _runs(registry_id: str) -> TaskRuns:
    from foundry_agents.azure.acr_tasks import AcrTasks  # noqa: PLC0415 (late on purpose: Azure's SDK)

    return AcrTasks(registry_id)
