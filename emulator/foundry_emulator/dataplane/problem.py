"""Errors of the data plane, in the service's envelope (service-contract 1.2, 10.1)."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceProblem(Exception):
    """What the service refuses, and how it says so.

    Attributes:
        status: HTTP status.
        code: the service's error code; what clients match.
        message: for people.
        param: the part of the request that is wrong, where the service names it.
        headers: further response headers.
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
        """The envelope, [recorded] for a 404; ``param`` is added where there is one, [spec]."""
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
    """A 400 ``invalid_payload``."""
    return ServiceProblem(400, "invalid_payload", message, param=param)


def bad_request(message: str) -> ServiceProblem:
    """A 400 ``bad_request``."""
    return ServiceProblem(400, "bad_request", message)


def agent_not_found(agent: str) -> ServiceProblem:
    """404 in the words of [recorded]."""
    return ServiceProblem(404, "not_found", f"Agent {agent} doesn't exist")


def deleted_agent_not_found() -> ServiceProblem:
    """404 of the DELETE of a missing agent, in the words of the recordings' README."""
    return ServiceProblem(404, "not_found", "Agent not found")


def version_not_found(agent: str, version: str) -> ServiceProblem:
    """404 in the words of the recordings' README."""
    return ServiceProblem(404, "not_found", f"Agent {agent} with version {version} not found")


def session_not_found(session: str) -> ServiceProblem:
    """404, [modelled]."""
    return ServiceProblem(404, "not_found", f"Session {session} not found")


def not_implemented(operation: str) -> ServiceProblem:
    """501: the service has this, the local Azure does not; never an answer of the service."""
    return ServiceProblem(
        501,
        "not_implemented",
        f"The local Azure does not implement {operation}. The real service may; nothing was changed.",
    )
