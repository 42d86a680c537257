"""Conversations: threads of responses that stay in one session (service-contract 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response

from foundry_emulator.dataplane.agents import Agent, Agents
from foundry_emulator.dataplane.call import Call, Handler, answer
from foundry_emulator.dataplane.definition import check_metadata
from foundry_emulator.dataplane.problem import ServiceProblem, invalid
from foundry_emulator.dataplane.sessions import Sessions
from foundry_emulator.ids import new_id
from foundry_emulator.store import Document, Store


class Conversations:
    """Serves ``../endpoint/protocols/openai/conversations``, and knows the session of each conversation.

    That a conversation exists is [docs]; its object is OpenAI's [docs], and that its responses share one session,
    and so one version, is [modelled]. The agent keeps the messages, the local Azure does not.

    Args:
        store: The store.
        agents: The agents; deleting one deletes its conversations.
        sessions: The sessions of the conversations.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, agents: Agents, sessions: Sessions, *, clock: Callable[[], float]) -> None:
        self._stored = store.collection("conversations")
        self._agents = agents
        self._sessions = sessions
        self._clock = clock
        agents.on_delete.append(self._forget)

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "conversations.create": self.create,
            "conversations.retrieve": self.retrieve,
            "conversations.delete": self.delete,
        }

    async def create(self, call: Call) -> Response:
        """Handle POST: an empty conversation; ``items`` of the request are refused, since nothing here keeps them."""
        agent = self._agents.get(call.project.name, call.agent)
        body = await call.body_without_nulls()
        if body.get("items"):
            raise invalid("The local Azure begins conversations without items.", "items")
        document = {
            "id": f"conv_{new_id()}",
            "created_at": int(self._clock()),
            "metadata": check_metadata(body.get("metadata")),
            "session": "",
        }
        self._stored.put(_key(agent, str(document["id"])), document)
        return answer(_shown(document))

    async def retrieve(self, call: Call) -> Response:
        """Handle GET ``../{id}``."""
        agent = self._agents.get(call.project.name, call.agent)
        return answer(_shown(self._get(agent, call.path["conversation"])))

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``../{id}``; its session stays."""
        agent = self._agents.get(call.project.name, call.agent)
        conversation = call.path["conversation"]
        self._get(agent, conversation)
        self._stored.delete(_key(agent, conversation))
        return answer({"id": conversation, "object": "conversation.deleted", "deleted": True})

    def session_of(self, agent: Agent, conversation: str) -> str | None:
        """Return the session of a conversation; None before its first response, and when the session was deleted.

        Raises:
            ServiceProblem: 404 for an unknown conversation, [modelled].
        """
        session = str(self._get(agent, conversation)["session"])
        return session if self._sessions.find(agent, session) is not None else None

    def tie(self, agent: Agent, conversation: str, session: str) -> None:
        """Record the session of a conversation, unless the conversation was deleted meanwhile."""
        document = self._stored.get(_key(agent, conversation))
        if document is not None and document["session"] != session:
            self._stored.put(_key(agent, conversation), {**document, "session": session})

    def _get(self, agent: Agent, conversation: str) -> Document:
        document = self._stored.get(_key(agent, conversation))
        if document is None:
            raise ServiceProblem(404, "not_found", f"Conversation {conversation} not found")
        return document

    def _forget(self, agent: Agent) -> None:
        theirs = [key for key, _ in self._stored.items() if key.startswith(_key(agent, ""))]
        for key in theirs:
            self._stored.delete(key)


def conversation_of(body: Mapping[str, object]) -> str | None:
    """Return the conversation that a response belongs to: an id, or an object with one, as OpenAI's clients send it."""
    value = body.get("conversation")
    if isinstance(value, Mapping):
        value = value.get("id")
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise invalid("conversation must be an id, or an object with an id.", "conversation")
    return value


def _key(agent: Agent, conversation: str) -> str:
    return f"{agent.project}/{agent.name}/{conversation}"


def _shown(document: Document) -> dict[str, object]:
    return {
        "id": document["id"],
        "object": "conversation",
        "created_at": document["created_at"],
        "metadata": document["metadata"],
    }
