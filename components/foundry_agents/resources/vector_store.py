"""VectorStore: files that file search looks through.

Inputs and outputs are the rows of ``lifecycle/inputs/vector_store.py``; check and diff follow from them
(``TableProvider``). A changed file replaces the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.failure.service_errors import ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, hashed
from foundry_agents.lifecycle.inputs.vector_store import VECTOR_STORE_FIELDS, VectorStoreOutputs
from foundry_agents.lifecycle.ownership import Identity, store_identity
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.schema.lists import listed
from foundry_agents.lifecycle.service.vector_stores import VectorStoreService
from foundry_agents.lifecycle.vector_stores import StorePlan, create_or_adopt, retire
from foundry_agents.lifecycle.views import VectorStoreView
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, reject_duplicate, row_of
from foundry_agents.resources._plugin.retired import warn_if_kept
from foundry_agents.resources._plugin.run_effects import short_urn
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_of
from foundry_agents.sources.files import sha256_of

TYPE = "pulumi-python:dynamic/foundry:VectorStore"


class HasEndpoint(Protocol):
    """What a store needs of a project: its data plane."""

    @property
    def endpoint(self) -> Output[str]:
        """The data plane: ``https://….services.ai.azure.com/api/projects/NAME``."""
        ...


class VectorStore(Resource, module="foundry", name="VectorStore"):
    """Files of this machine, uploaded and indexed, for ``FileSearch(vector_store_ids=[store.vector_store_id])``.

    A changed byte makes a new store, so that a kept version of an agent searches what it was tested with; files that
    this stack has stored before are adopted, not uploaded again. A touched file is no change. A store is deleted with
    its resource, unless a version of a toolbox searches it or a version of an agent has its id in a variable.

    Attributes:
        vector_store_id: The service's id.
        file_count: How many files it has.
    """

    vector_store_id: Output[str]
    file_count: Output[int]
    store_name: Output[str]
    project_endpoint: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        files: Sequence[str | Path],
        project: HasEndpoint | None = None,
        project_endpoint: Input[str] | None = None,
        store_name: Input[str] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the store; every input is described in the reference of VectorStore.

        The files are read here, by the program, to know their hashes; a store that must be made reads them again.
        Give the project, or its endpoint.
        """
        plain.reject_problems(
            plain.subject_of("VectorStore", resource_name),
            plain.texts(resource_name=resource_name),
            () if project is None else plain.projects("project", project, has="endpoint"),
        )
        project_endpoint = _endpoint(resource_name, project, project_endpoint)
        chosen = ["owner", "store_name"] if store_name is None else ["owner"]
        store_name = resource_name if store_name is None else store_name
        reject_duplicate(resource_name, project_endpoint, store_name, kind="vector store", name_input="store_name")
        read = _read_files(resource_name, files)
        props: dict[str, Any] = {
            **VECTOR_STORE_FIELDS.unset(),
            "project_endpoint": project_endpoint,
            "store_name": store_name,
            "files": {name: digest for name, (_path, digest) in read.items()},
            "paths": {name: str(path) for name, (path, _digest) in read.items()},
            "timeout_s": timeout_s,
            "poll_interval_s": poll_interval_s,
            "owner": owner_of_this_stack(),
            "chosen": chosen,
            "urn": row_of(resource_name, TYPE, opts),
        }
        super().__init__(VectorStoreProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class VectorStoreProvider(TableProvider):
    """Create-or-adopt, read and delete of a store. The import path is in users' state: never move it."""

    table = VECTOR_STORE_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make sure that an indexed store with these files exists."""
        inputs = VECTOR_STORE_FIELDS.read(props)
        values = inputs.canonical()
        plan = StorePlan(
            name=inputs.store_name,
            files=inputs.files,
            paths=inputs.paths,
            ownership=OwnershipMetadata(hashed(VECTOR_STORE_FIELDS.described(values)), inputs.owner),
            patience=PollSettings(inputs.timeout_s, inputs.poll_interval_s),
            hash_of=sha256_of,
        )
        made = create_or_adopt(_service_of(inputs.project_endpoint), plan, SystemClock(), progress_on(inputs.urn)).view
        run_record.record_live(values, short_urn(inputs.urn), made.id, store_identity(made.id))
        return CreateResult(made.id, self.state(inputs, _outputs(made)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what the service has; gone only on a definite 404, or when it has expired.

        What can't be read stays as it is in state, with a warning.
        """
        inputs = VECTOR_STORE_FIELDS.read(props)
        try:
            seen = _service_of(inputs.project_endpoint).get_store(id_)
        except (ServiceError, SignInError) as error:
            return self.unread_state(id_, props, error)
        if seen is None or seen.status == "expired":
            return ReadResult("", {})
        return ReadResult(id_, self.state(inputs, _outputs(seen)))

    @readable_errors
    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Write the library's own settings to state; nothing is sent."""
        return UpdateResult(self.updated_state(VECTOR_STORE_FIELDS.read(news), olds))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Delete the store with its files, unless a toolbox, an agent or this run uses it."""
        inputs = VECTOR_STORE_FIELDS.read(props)
        values = inputs.canonical()
        claim = self.claim(props, values)
        if run_record.is_live(values, id_, claim):
            return
        became, reason = retire(
            _service_of(inputs.project_endpoint),
            id_,
            owner=owner_of(inputs),
            claim=claim,
            fresh=run_record.live_ids(values, claim.run),
        )
        warn_if_kept(inputs.urn, f"vector store {id_}", became, reason)

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """Return the store's identity, as state has it."""
        return store_identity(VECTOR_STORE_FIELDS.read_outputs(props).vector_store_id)


def _endpoint(resource_name: str, project: HasEndpoint | None, endpoint: Input[str] | None) -> Input[str]:
    if project is not None and endpoint is None:
        return project.endpoint
    if project is None and endpoint is not None:
        return endpoint
    raise pulumi.RunError(f'VectorStore "{resource_name}": give exactly one of project and project_endpoint')


def _read_files(resource_name: str, files: Sequence[str | Path]) -> Mapping[str, tuple[Path, str]]:
    """Return path and hash by file name.

    Raises:
        pulumi.RunError: Some files can't be read, or two have one name; all of them are named.
    """
    found: dict[str, tuple[Path, str]] = {}
    problems: list[Problem] = []
    paths = listed("files", files, "paths", problems)
    if not paths and not problems:
        problems.append(Problem("files", "is required: at least one path"))
    for position, file in enumerate(paths):
        if not isinstance(file, (str, Path)):
            problems.append(Problem(f"files[{position}]", f"must be a path, got {type(file).__name__}"))
            continue
        path = Path(file)
        if path.name in found:
            problems.append(Problem(f"files[{position}]", f'"{file}": another file has the name {path.name}, too'))
            continue
        try:
            found[path.name] = path.resolve(), sha256_of(path)
        except OSError as error:
            problems.append(Problem(f"files[{position}]", f'"{file}" can\'t be read: {error.strerror}'))
    if problems:
        raise pulumi.RunError(f"{resource_name}: {InputError(VECTOR_STORE_FIELDS.subject, problems)}")
    return found


def _outputs(store: VectorStoreView) -> VectorStoreOutputs:
    return VectorStoreOutputs(vector_store_id=store.id, file_count=store.total)


def _service_of(project_endpoint: str) -> VectorStoreService:
    """Return the data plane of a project. Imports the Azure SDK, which takes seconds: never in check or diff."""
    from foundry_agents.azure import vector_store_service  # noqa: PLC0415 (late on purpose)

    return vector_store_service(project_endpoint)
