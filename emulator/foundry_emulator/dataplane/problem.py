"""Errors of the data plane, in the service's envelope (service-contract 1.2, 10.1)."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceProblem(Exception):
    """An error response of the service.

    Attributes:
        status: HTTP status.
        code: The service's error code, which clients match.
        message: The text for people.
        param: The part of the request that is wrong, where the service names it.
        headers: Further response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> dict[str, object]:
        """Return the envelope, [recorded] for a 404; ``param`` is added where there is one, [spec]."""
        error: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "type": "error",
            "details": [],
            "additionalInfo": {"request_id": request_id},
        }
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, param: str | None = None) -> ServiceProblem:
    """Return a 400 ``invalid_payload``."""
    return ServiceProblem(400, "invalid_payload", message, param=param)


def bad_request(message: str) -> ServiceProblem:
    """Return a 400 ``bad_request``."""
    return ServiceProblem(400, "bad_request", message)


def agent_not_found(agent: str) -> ServiceProblem:
    """Return a 404 with the recorded text."""
    return ServiceProblem(404, "not_found", f"Agent {agent} doesn't exist")


def deleted_agent_not_found() -> ServiceProblem:
    """Return the 404 of the DELETE of a missing agent, with the text in the recordings' README."""
    return ServiceProblem(404, "not_found", "Agent not found")


def version_not_found(agent: str, version: str) -> ServiceProblem:
    """Return a 404 with the text in the recordings' README."""
    return ServiceProblem(404, "not_found", f"Agent {agent} with version {version} not found")


def session_not_found(session: str) -> ServiceProblem:
    """Return a 404, [modelled]."""
    return ServiceProblem(404, "not_found", f"Session {session} not found")


def not_implemented(operation: str) -> ServiceProblem:
    """Return a 501: the service has this, the local Azure does not; the service never returns it."""
    return ServiceProblem(
        501,
        "not_implemented",
        f"The local Azure does not implement {operation}. The real service may; nothing was changed.",
    )
