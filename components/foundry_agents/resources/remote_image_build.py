"""RemoteImageBuild: an image that the tasks of an Azure registry build from a folder of this machine.

Inputs and outputs are the rows of ``lifecycle/inputs/remote_build.py``; check and diff follow from them
(``TableProvider``). Another content updates the image; nothing replaces it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, InputError, Problem
from foundry_agents.lifecycle.inputs.remote_build import REMOTE_BUILD_FIELDS, RemoteBuildInputs, RemoteBuildOutputs
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.remote_build import build_or_adopt
from foundry_agents.lifecycle.service.builds import BuildOrder, TaskRuns
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import row_of
from foundry_agents.resources._plugin.registries import image_registry
from foundry_agents.resources._plugin.table_provider import TableProvider
from foundry_agents.sources.build_context import BuildContext
from foundry_agents.sources.frozen_context import ARCHIVED_DOCKERFILE, PLACE, freeze, frozen_before
from foundry_agents.sources.reading import ContextError

TYPE = "pulumi-python:dynamic/foundry:RemoteImageBuild"


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
        """Declare the image.

        Args:
            resource_name: Name of the resource.
            registry_id: ARM id of the registry whose tasks build.
            login_server: What references to its images begin with.
            repository: Where the image is, below the registry.
            content: Hash of whatever decides the image, 64 hexadecimal digits.
            context: The folder.
            revision: Commit that the content is from.
            files: Hash of the folder's files as they were planned.
            dockerfile: Path of a Dockerfile other than the folder's own.
            target: Stage to build.
            build_args: Values of ``ARG``.
            context_limit_mb: Refuse a context of more megabytes; default 200.
            timeout_s: Give up after this many seconds; default 1800.
            poll_interval_s: Pause between two reads; default 3.
            opts: Options.
        """
        props: dict[str, Any] = {
            **REMOTE_BUILD_FIELDS.unset(),
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
        }
        super().__init__(RemoteImageBuildProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class RemoteImageBuildProvider(TableProvider):
    """Adopt or build an image. The import path is in users' state: never move it."""

    table = REMOTE_BUILD_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make sure that the image of this content is in the registry."""
        inputs = REMOTE_BUILD_FIELDS.read(props)
        return CreateResult(inputs.reference, self.state(inputs, _built(inputs)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return state as it is; gone only when the registry does not have the digest any more."""
        inputs, known = REMOTE_BUILD_FIELDS.read(props), REMOTE_BUILD_FIELDS.read_outputs(props)
        try:
            gone = image_registry().digest_of(inputs.reference, known.digest) is None
        except FoundryAgentsError as error:
            return self.unread_state(id_, props, error)
        return ReadResult("", {}) if gone else ReadResult(id_, self.state(inputs, known))

    @readable_errors
    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Do the same for another content; the previous image stays, for a rollback."""
        inputs = REMOTE_BUILD_FIELDS.read(news)
        return UpdateResult(self.state(inputs, _built(inputs)))

    def lost(self, olds: Mapping[str, Any]) -> str | None:
        """Return that the image is not in the registry any more."""
        inputs, known = REMOTE_BUILD_FIELDS.read(olds), REMOTE_BUILD_FIELDS.read_outputs(olds)
        if known.digest and image_registry().is_gone(inputs.reference, known.digest):
            return f"{known.digest} is not in {inputs.reference} any more: it is looked up again, and built if missing"
        return None

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Forget the image; it stays in the registry, so that a rollback still finds it."""
        del id_, props


def _built(inputs: RemoteBuildInputs) -> RemoteBuildOutputs:
    order = BuildOrder(
        registry_id=inputs.registry_id,
        login_server=inputs.login_server,
        name=inputs.repository,
        content=inputs.content,
        revision=inputs.revision,
        context=lambda: _packed(inputs),
        dockerfile=ARCHIVED_DOCKERFILE,
        target=inputs.target,
        build_args=inputs.build_args,
    )
    patience = PollSettings(inputs.timeout_s, inputs.poll_interval_s)
    with _runs(inputs.registry_id) as runs:
        built = build_or_adopt(image_registry(), runs, order, patience, SystemClock(), progress_on(inputs.urn))
    return RemoteBuildOutputs(digest=built.view)


def _packed(inputs: RemoteBuildInputs) -> bytes:
    """Return the archive of the frozen context.

    Raises:
        InputError: It can't be read, or the program's copy is gone and the folder has another content by now.
    """
    dockerfile = Path(inputs.dockerfile) if inputs.dockerfile else None
    try:
        frozen = frozen_before(PLACE, inputs.files) if inputs.files else None
        if frozen is None:
            context = BuildContext.read(Path(inputs.context), dockerfile, limit_mb=inputs.context_limit_mb)
            frozen = freeze(context, PLACE, now=time.time())
    except ContextError as problem:
        raise InputError("the image's settings", [Problem("context", str(problem))]) from None
    if inputs.files not in {"", frozen.files_hash}:
        detail = f"{inputs.context} has changed since it was planned; run `pulumi up` again when nothing writes to it"
        raise InputError("the image's settings", [Problem("context", detail)])
    try:
        return frozen.packed()
    except OSError as error:
        detail = f"the copy of {inputs.context} can't be read: {error.strerror}; run `pulumi up` again"
        raise InputError("the image's settings", [Problem("context", detail)]) from None


def _runs(registry_id: str) -> AbstractContextManager[TaskRuns]:
    from foundry_agents.azure.acr_tasks import AcrTasks  # noqa: PLC0415 (late on purpose: Azure's SDK)

    return closing(AcrTasks(registry_id))
