"""VectorStore: files that file search looks through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import InputError, Problem, ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, hashed
from foundry_agents.lifecycle.inputs.vector_store import VECTOR_STORE_FIELDS
from foundry_agents.lifecycle.outcomes import Retired
from foundry_agents.lifecycle.ownership import Identity, store_identity
from foundry_agents.lifecycle.polling import SystemClock
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.lifecycle.service.vector_stores import VectorStoreService
from foundry_agents.lifecycle.vector_stores import StorePlan, create_or_adopt, retire
from foundry_agents.lifecycle.views import VectorStoreView
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors, warn_on
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, reject_duplicate, row_of
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_in, text_of, urn_in
from foundry_agents.resources.hosted_agent_version import patience
from foundry_agents.sources.files import sha256_of

TYPE = "pulumi-python:dynamic/foundry:VectorStore"

_COMPUTED = ("vector_store_id", "file_count")


class VectorStoreProvider(TableProvider):
    """Create-or-adopt, read and delete of a store. Its import path is in users' state: never move it."""

    table = VECTOR_STORE_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Makes sure that an indexed store with these files exists."""
        values = self.values(props)
        files, paths = values.get("files"), values.get("paths")
        plan = StorePlan(
            name=text_of(values, "store_name"),
            files=files if isinstance(files, dict) else {},
            paths=paths if isinstance(paths, dict) else {},
            ownership=OwnershipMetadata(hashed({"files": files}), text_of(values, "owner")),
            patience=patience(values),
            hash_of=sha256_of,
        )
        made = create_or_adopt(_service_of(values), plan, SystemClock(), progress_on(values.get("urn"))).view
        run_record.record_live(values, urn_in(values), made.id, store_identity(made.id))
        return CreateResult(made.id, self.outputs(values, _computed(made)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Shows what the service says; gone only on a definite 404, or when it has expired.

        What can't be read stays as it is in state, with a warning.
        """
        values = self.values(props)
        try:
            seen = _service_of(values).get_store(id_)
        except (ServiceError, SignInError) as error:
            return self.kept(id_, props, error)
        if seen is None or seen.status == "expired":
            return ReadResult("", {})
        return ReadResult(id_, self.outputs(values, _computed(seen)))

    @readable_errors
    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes settings of ours into state; nothing is sent."""
        computed = {key: _olds[key] for key in (*_COMPUTED, "owner", "former_owners") if key in _olds}
        return UpdateResult(self.outputs(self.values(news), computed))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Deletes the store with its files, unless a toolbox or an agent uses it or this run goes on with it."""
        values = self.values(props)
        claim = self.claim(props, values)
        if run_record.is_live(values, id_, claim):
            return
        became, reason = retire(
            _service_of(values),
            id_,
            owner=owner_in(values),
            claim=claim,
            fresh=run_record.live_ids(values, claim.run),
        )
        if became is Retired.UNPROVED:
            warn_on(values.get("urn"), f"vector store {id_} stays: {reason}. To remove it, delete it by hand")
        elif became is Retired.NOT_OURS:
            warn_on(values.get("urn"), f"vector store {id_} {became.value}")
        elif became is Retired.IN_USE:
            warn_on(
                values.get("urn"), f"vector store {id_} {became.value}; delete it by hand when that version is gone"
            )

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """The store's identity, as state has it."""
        return store_identity(str(props.get("vector_store_id") or ""))


class VectorStore(Resource, module="foundry", name="VectorStore"):
    """Files of this machine, uploaded and indexed, for ``FileSearch(vector_store_ids=[store.vector_store_id])``.

    A changed byte makes a new store, so that a kept version of an agent searches what it was tested with; files that
    this stack has stored before are adopted, not uploaded again. A touched file is no change. A store goes when its
    resource does, no version of a toolbox searches it and no version of an agent has its id in a variable.

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
        project_endpoint: Input[str],
        files: Sequence[str | Path],
        store_name: Input[str] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the store; every input is described in the reference of VectorStore.

        The files are read here, by the program, to know their hashes; a store that must be made reads them again.
        """
        chosen = ["owner", "store_name"] if store_name is None else ["owner"]
        store_name = resource_name if store_name is None else store_name
        reject_duplicate(resource_name, project_endpoint, store_name, kind="vector store", name_input="store_name")
        read = _read(resource_name, files)
        props: dict[str, Any] = {
            "project_endpoint": project_endpoint,
            "store_name": store_name,
            "files": {name: digest for name, (_path, digest) in read.items()},
            "paths": {name: str(path) for name, (path, _digest) in read.items()},
            "timeout_s": timeout_s,
            "poll_interval_s": poll_interval_s,
            "owner": owner_of_this_stack(),
            "former_owners": None,
            "chosen": chosen,
            "urn": row_of(resource_name, TYPE, opts),
            # Declared so that a preview shows them as not known yet.
            **dict.fromkeys(_COMPUTED),
        }
        super().__init__(VectorStoreProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


def _read(resource_name: str, files: Sequence[str | Path]) -> Mapping[str, tuple[Path, str]]:
    """Path and hash by file name.

    Raises:
        pulumi.RunError: Files that can't be read, or two of one name; all of them.
    """
    found: dict[str, tuple[Path, str]] = {}
    problems = [] if files else [Problem("files", "is required: at least one path")]
    for position, file in enumerate(files):
        path = Path(file)
        if path.name in found:
            problems.append(Problem(f"files[{position}]", f'"{file}": another file is called {path.name}, too'))
            continue
        try:
            found[path.name] = path.resolve(), sha256_of(path)
        except OSError as error:
            problems.append(Problem(f"files[{position}]", f'"{file}" can\'t be read: {error.strerror}'))
    if problems:
        raise pulumi.RunError(f"{resource_name}: {InputError(VECTOR_STORE_FIELDS.subject, problems)}")
    return found


def _computed(store: VectorStoreView) -> dict[str, object]:
    return {"vector_store_id": store.id, "file_count": store.total}


def _service_of(values: Values) -> VectorStoreService:
    """The data plane that the inputs name. Imports the Azure SDK, which takes seconds: never in check or diff."""
    from foundry_agents.azure import vector_store_service  # noqa: PLC0415 (late on purpose)

    return vector_store_service(text_of(values, "project_endpoint"))
