"""Sessions with agents, and questions to them: the part of AgentService that talks to agents themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import VersionRefIndicator
from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import HttpRequest, HttpResponse
from openai import OpenAI

from foundry_agents.azure import openai_errors
from foundry_agents.azure.errors import translated
from foundry_agents.lifecycle.failure.service_errors import ServiceError
from foundry_agents.lifecycle.views import Answer, SessionView

NO_RETRY: dict[str, Any] = {"retry_total": 0}
"""The SDK repeats a POST or PATCH after 500, 503 and 504, although it may have been carried out. We read first."""

_API_VERSION = "v1"
_ACCEPTED = 202


class AgentSessions:
    """Sessions and questions of one project's agents.

    Args:
        project: The SDK's client of the project; its retries are disabled for every request that is not a read.
        endpoint: The project's endpoint, for URLs and error texts.
    """

    def __init__(self, project: AIProjectClient, endpoint: str) -> None:
        self._project = project
        self._endpoint = endpoint.rstrip("/")
        self._openai: OpenAI | None = None

    def enable(self, agent: str) -> None:
        """POST /agents/{agent}:enable."""
        with translated(f"POST {self._url(agent)}:enable", writes=True):
            self._project.agents.enable(agent, **NO_RETRY)

    def list_sessions(self, agent: str) -> Iterator[SessionView]:
        """GET /agents/{agent}/endpoint/sessions, page by page."""
        with translated(f"GET {self._url(agent)}/endpoint/sessions"):
            for session in self._project.agents.list_sessions(agent, limit=100):
                indicator = session.get("version_indicator") or {}
                yield SessionView(
                    id=session["agent_session_id"],
                    version=indicator.get("agent_version", ""),
                    status=session.get("status") or "active",
                )

    def create_session(self, agent: str, version: str) -> str:
        """POST /agents/{agent}/endpoint/sessions, with the version."""
        with translated(f"POST {self._url(agent)}/endpoint/sessions", writes=True):
            made = self._project.agents.create_session(
                agent, version_indicator=VersionRefIndicator(agent_version=version), **NO_RETRY
            )
            return str(made["agent_session_id"])

    def delete_session(self, agent: str, session: str) -> None:
        """DELETE /agents/{agent}/endpoint/sessions/{session}; 204 also when it is missing [sdk]."""
        with translated(f"DELETE {self._url(agent)}/endpoint/sessions/{session}"):
            try:
                self._project.agents.delete_session(agent, session)
            except ResourceNotFoundError:
                return

    def ask(
        self, agent: str, question: str, *, protocol: str, session: str | None = None, timeout_s: float = 60
    ) -> Answer:
        """POST .../protocols/openai/responses or .../protocols/invocations, sent once, without retries of the SDK."""
        if protocol == "invocations":
            return self._invocation(agent, question, session, timeout_s)
        return self._response(agent, question, session, timeout_s)

    def _response(self, agent: str, question: str, session: str | None, timeout_s: float) -> Answer:
        operation = f"POST {self._url(agent)}/endpoint/protocols/openai/responses"
        # The 404 of a question is about its session, not about the project.
        with openai_errors.translated(operation, timeout_s=timeout_s, about_project=False):
            raw = self._client(agent).responses.with_raw_response.create(
                input=question,
                extra_body={"agent_session_id": session} if session else None,
                timeout=timeout_s,
            )
        body = _object(raw.text)
        reference = body.get("agent_reference")
        answered_in = body.get("agent_session_id") or raw.headers.get("x-agent-session-id") or session or ""
        return Answer(
            version=str(reference.get("version", "")) if isinstance(reference, Mapping) else "",
            text=_words(body) if body else raw.text,
            body=body,
            session=str(answered_in),
        )

    def _invocation(self, agent: str, question: str, session: str | None, timeout_s: float) -> Answer:
        url = f"{self._url(agent)}/endpoint/protocols/invocations"
        params = {"api-version": _API_VERSION, **({"agent_session_id": session} if session else {})}
        # The protocol leaves the body to the agent; `message` is what Microsoft's own client sends [modelled].
        body = _object(question) or {"message": question}
        operation = f"POST {url}"
        with translated(operation, writes=True):
            request = HttpRequest("POST", url, params=params, json=body)
            answer: HttpResponse = self._project.send_request(request, read_timeout=timeout_s, **NO_RETRY)
            answer.raise_for_status()
            text = answer.text()
        if answer.status_code == _ACCEPTED:
            raise ServiceError(
                "it accepted the question and answers later (202); a smoke test needs the answer at once",
                operation=operation,
                what="the agent did not answer at once",
            )
        answered_in = answer.headers.get("x-agent-session-id") or session or ""
        return Answer(self._version_of(agent, answered_in), text, _object(text), answered_in)

    def _version_of(self, agent: str, session: str) -> str:
        """Return the version of a session: the answer of an invocation does not name it."""
        if not session:
            return ""
        with translated(f"GET {self._url(agent)}/endpoint/sessions/{session}"):
            seen = self._project.agents.get_session(agent, session)
            return str((seen.get("version_indicator") or {}).get("agent_version", ""))

    def close(self) -> None:
        """Close the connections of questions. Those of the SDK's client belong to its creator."""
        if self._openai is not None:
            self._openai.close()
            self._openai = None

    def _client(self, agent: str) -> OpenAI:
        """Return the OpenAI client for the agent's endpoint; all agents share its connections."""
        if self._openai is None:
            # Its own two retries would repeat the question, and hide that a session was not ready.
            self._openai = self._project.get_openai_client(agent_name=agent, max_retries=0)
        return self._openai.with_options(base_url=f"{self._url(agent)}/endpoint/protocols/openai")

    def _url(self, agent: str) -> str:
        return f"{self._endpoint}/agents/{agent}"


def _object(text: str) -> dict[str, object]:
    """Return the text as a JSON object; {} when it is not one."""
    try:
        found: object = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _words(response: Mapping[str, object]) -> str:
    """Return all ``output_text`` of a response, joined, as the OpenAI client does."""
    output = response.get("output")
    parts = [
        part
        for message in (output if isinstance(output, list) else [])
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    return "".join(
        str(part.get("text", "")) for part in parts if isinstance(part, Mapping) and part.get("type") == "output_text"
    )
