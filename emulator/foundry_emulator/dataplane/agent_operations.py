"""Operations on agents and versions (service-contract 2.1, 4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from starlette.responses import FileResponse, Response

from foundry_emulator.dataplane.agents import Agent, Agents, Version, VersionKey
from foundry_emulator.dataplane.call import Call, Handler, answer, no_content, rendered
from foundry_emulator.dataplane.code import (
    HASH_HEADER,
    MAX_ZIP_BYTES,
    CodeStore,
    Upload,
    code_hash_of,
    read_upload,
)
from foundry_emulator.dataplane.definition import (
    check_definition,
    check_description,
    check_metadata,
    check_name,
)
from foundry_emulator.dataplane.endpoint import LATEST, Endpoint, merge_patch
from foundry_emulator.dataplane.paging import order_of, page
from foundry_emulator.dataplane.problem import ServiceProblem, deleted_agent_not_found, invalid, version_not_found
from foundry_emulator.dataplane.sessions import Sessions


class Provisioning(Protocol):
    """Runs versions."""

    def begin(self, key: VersionKey) -> None:
        """Start to provision a new version; return at once."""
        ...

    def polled(self, key: VersionKey) -> None:
        """Record that a version was read while it was ``creating``."""
        ...

    def end(self, key: VersionKey) -> None:
        """Stop the processes of a deleted version; return at once."""
        ...


class AgentOperations:
    """Serves the agents and versions of a project."""

    def __init__(self, agents: Agents, sessions: Sessions, provisioning: Provisioning, code: CodeStore) -> None:
        self._code = code
        self._agents = agents
        self._sessions = sessions
        self._provisioning = provisioning

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "agents.create": self.create,
            "agents.update": self.update,
            "agents.create_version": self.create_version,
            "agents.get_version": self.get_version,
            "agents.list_versions": self.list_versions,
            "agents.delete_version": self.delete_version,
            "agents.get": self.get,
            "agents.list": self.list,
            "agents.delete": self.delete,
            "agents.update_details": self.update_details,
            "agents.enable": self.enable,
            "agents.disable": self.disable,
            "agents.download_code": self.download_code,
        }

    async def create_version(self, call: Call) -> Response:
        """Handle POST ``/agents/{a}/versions``: 200 with the whole version [recorded]."""
        check_name(call.agent)
        return self._create(call, call.agent, *await _given(call))

    async def create(self, call: Call) -> Response:
        """Handle POST ``/agents``: an agent with its first version; 409 ``conflict`` when it exists [spec].

        The response is the agent, and a zip's metadata part names the agent; both are [modelled].
        """
        body, upload = await _given(call)
        name = body.get("name")
        if not isinstance(name, str):
            raise invalid("name is required and must be a string.", "name")
        check_name(name)
        if self._agents.find(call.project.name, name) is not None:
            raise ServiceProblem(409, "conflict", f"Agent {name} already exists")
        self._create(call, name, body, upload)
        return answer(self._agents.get(call.project.name, name).details())

    async def update(self, call: Call) -> Response:
        """Handle POST ``/agents/{a}``: a new version unless it repeats the latest [spec]; the agent [modelled]."""
        agent = self._agent(call)
        self._create(call, agent.name, *await _given(call))
        return answer(agent.details())

    def _create(self, call: Call, name: str, body: Mapping[str, object], upload: Upload | None) -> Response:
        """Create a version from an image or from code; that code may create its agent is [modelled]."""
        draft = body.get("draft", False)
        if not isinstance(draft, bool):
            raise invalid("draft must be true or false.", "draft")
        definition = check_definition(body.get("definition"), code_sha256=upload.sha256 if upload else None)
        if upload is not None:
            self._code.keep(upload)
        version, new = self._agents.create_version(
            project=call.project.name,
            name=name,
            definition=definition,
            description=check_description(body.get("description")),
            metadata=check_metadata(body.get("metadata")),
            draft=draft,
        )
        answered = rendered(version.rendered())
        if new and version.status == "creating":
            self._provisioning.begin(version.key)
        return answered

    async def download_code(self, call: Call) -> Response:
        """Handle GET ``/agents/{a}/code:download``: the zip of ``agent_version``, else of the latest [spec].

        An image agent's version is a 409 ``AgentNotCodeBased`` [spec].
        """
        version = self._agent(call).version(call.query.get("agent_version") or LATEST)
        digest = code_hash_of(version.definition)
        if digest is None:
            raise ServiceProblem(
                409, "AgentNotCodeBased", f"Agent {call.agent} version {version.key.version} was made from an image."
            )
        return FileResponse(self._code.path(digest), media_type="application/zip", headers={HASH_HEADER: digest})

    async def get_version(self, call: Call) -> Response:
        """Handle GET ``/agents/{a}/versions/{v}``; for a missing agent the version is reported missing [modelled]."""
        agent = self._agents.find(call.project.name, call.agent)
        if agent is None:
            raise version_not_found(call.agent, call.path["version"])
        version = agent.version(call.path["version"])
        answered = version.rendered()
        if version.status == "creating":
            self._provisioning.polled(version.key)
        return rendered(answered)

    async def list_versions(self, call: Call) -> Response:
        """Handle GET ``/agents/{a}/versions``, newest first [recorded]; drafts only with ``include_drafts`` [sdk]."""
        agent = self._agent(call)
        versions = list(reversed(agent.versions.values())) if call.switch("include_drafts") else agent.released
        descending = order_of(call.query, "desc") == "desc"
        if not descending:
            versions.reverse()

        def find(cursor: str) -> int | None:
            name, _, number = cursor.rpartition(":")
            if name == agent.name and number in agent.versions:
                return next((place for place, v in enumerate(versions) if v.key.version == number), None)
            if name != agent.name or not number.isascii() or not number.isdigit():
                return None
            requested = int(number) if len(number) < 10 else 10**9  # noqa: PLR2004  no version is that high
            passed = (v.number > requested if descending else 0 < v.number < requested for v in versions)
            return sum(passed)

        return answer(page(versions, call.query, find=find, id_of=lambda v: v.id, show=lambda v: v.document))

    async def delete_version(self, call: Call) -> Response:
        """Handle DELETE ``/agents/{a}/versions/{v}``; 409 with active sessions [observed] unless ``force``.

        A version that the endpoint routes to can be deleted; its share then returns 404 [modelled].
        """
        force = call.switch("force")
        agent = self._agent(call)
        number = call.path["version"]
        if number not in agent.versions:
            agent.version("" if number == "@latest" else number)  # raises; @latest can't be deleted [modelled]
        version = agent.versions[number]
        self._refuse_active(agent, number, force=force)
        self._sessions.delete_of(agent, number)
        self._agents.delete_version(version)
        self._provisioning.end(version.key)
        return answer({"object": "agent.version.deleted", "name": agent.name, "version": number, "deleted": True})

    async def get(self, call: Call) -> Response:
        """Handle GET ``/agents/{a}``."""
        return answer(self._agent(call).details())

    async def list(self, call: Call) -> Response:
        """Handle GET ``/agents``, newest first [recorded]; ``kind`` filters."""
        kind = call.query.get("kind")
        agents = [a for a in self._agents.of_project(call.project.name) if kind is None or a.kind == kind]
        if order_of(call.query, "desc") == "desc":
            agents.reverse()
        return answer(
            page(
                agents,
                call.query,
                find=lambda cursor: _place(agents, cursor),
                id_of=lambda a: a.name,
                show=Agent.item,
            )
        )

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``/agents/{a}`` with all versions; 409 with active sessions [observed] unless ``force``."""
        force = call.switch("force")
        agent = self._agents.find(call.project.name, call.agent)
        if agent is None:
            raise deleted_agent_not_found()
        self._refuse_active(agent, None, force=force)
        self._sessions.delete_of(agent)
        versions: list[Version] = [*agent.versions.values()]
        self._agents.delete(agent)
        for version in versions:
            self._provisioning.end(version.key)
        return answer({"object": "agent.deleted", "name": agent.name, "deleted": True})

    async def update_details(self, call: Call) -> Response:
        """Handle PATCH ``/agents/{a}``: a merge patch, also when it is sent as plain JSON [azd].

        Nothing is known about fields other than ``agent_endpoint`` and ``agent_card``: they are ignored
        [modelled].
        """
        agent = self._agent(call)
        body = await call.body()
        endpoint, card = agent.endpoint, agent.card
        if "agent_endpoint" in body:
            patch = body["agent_endpoint"]
            if patch is None:
                endpoint = Endpoint()  # null resets [modelled]
            elif isinstance(patch, Mapping):
                endpoint = endpoint.merged(patch, exists=agent.routes_to)
            else:
                raise invalid("agent_endpoint must be an object.", "agent_endpoint")
        if "agent_card" in body:
            patch = body["agent_card"]
            if patch is not None and not isinstance(patch, Mapping):
                raise invalid("agent_card must be an object.", "agent_card")
            card = None if patch is None else merge_patch(card or {}, patch)
        self._agents.update(agent, endpoint=endpoint, card=card)
        return answer(agent.details())

    async def enable(self, call: Call) -> Response:
        """Handle POST ``/agents/{a}:enable``; idempotent."""
        self._agents.enable(self._agent(call), enabled=True)
        return no_content()

    async def disable(self, call: Call) -> Response:
        """Handle POST ``/agents/{a}:disable``; idempotent. Running calls continue."""
        self._agents.enable(self._agent(call), enabled=False)
        return no_content()

    def _agent(self, call: Call) -> Agent:
        return self._agents.get(call.project.name, call.agent)

    def _refuse_active(self, agent: Agent, version: str | None, *, force: bool) -> None:
        active = [] if force else self._sessions.active(agent, version)
        if active:
            what = f"Agent {agent.name}" if version is None else f"Agent {agent.name} version {version}"
            raise ServiceProblem(
                409,
                "conflict",
                f"{what} has {len(active)} active session(s). Delete them or use force=true.",
            )


async def _given(call: Call) -> tuple[Mapping[str, object], Upload | None]:
    """Return the request of a create, from JSON or from a multipart body with a zip."""
    content_type = call.request.headers.get("content-type", "")
    if content_type.startswith("multipart/"):
        claimed = call.request.headers.get(HASH_HEADER)
        upload = await read_upload(content_type, claimed, call.chunks(MAX_ZIP_BYTES))
        return upload.metadata, upload
    return await call.body_without_nulls(), None


def _place(agents: Sequence[Agent], cursor: str) -> int | None:
    return next((place for place, agent in enumerate(agents) if agent.name == cursor), None)
