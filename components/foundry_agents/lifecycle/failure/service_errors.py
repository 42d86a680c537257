"""Errors of requests to Azure: the service refused, did not answer, or there was no token."""

from __future__ import annotations

from foundry_agents.lifecycle.failure.catalog import refusal_cause
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, message
from foundry_agents.lifecycle.roles import FOUNDRY_PROJECT_MANAGER, FOUNDRY_USER


class ServiceError(FoundryAgentsError):
    """A request to a service of Azure failed, and nothing says that trying again would help.

    Attributes:
        status: HTTP status; None when there was no response.
        code: The service's own code, for example ``invalid_payload``; None when it sent none.
        detail: The service's own words; without a response, why there was none.
        request_id: What Azure support asks for; None when none was sent.
        operation: The request, as method and URL without its query.
    """

    what = "the service refused"
    do: str | None = None

    def __init__(
        self,
        detail: str,
        *,
        operation: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        what: str | None = None,
        state: str | None = None,
        do: str | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.operation = operation
        if what:
            self.what = what
        super().__init__(self._text(state, do))

    def _text(self, state: str | None, do: str | None) -> str:
        prefix = f"[{self.code}] " if self.code else ""
        why, remedy = refusal_cause(self.status, self.code, self.detail) or (None, None)
        said = f"{prefix}{self.detail}" if self.status else None
        return message(
            f"{self.what}, HTTP {self.status}" if self.status else self.what,
            where=self.operation,
            why=why if said else self.detail,
            state=state,
            do=do or remedy or self.do,
            said=said,
            request_id=self.request_id,
        )


class AccessDeniedError(ServiceError):
    """The caller may not do this on the Foundry data plane (401 or 403)."""

    what = "the signed-in principal may not do this"
    do = (
        f"give the deploying principal the role Foundry User ({FOUNDRY_USER}) or Foundry "
        f"Project Manager ({FOUNDRY_PROJECT_MANAGER}) on the project; Owner and Contributor do not "
        "include it. A new role assignment takes a few minutes to reach the service"
    )


class NetworkDeniedError(AccessDeniedError):
    """The account accepts no calls from this network (403 about public access)."""

    what = "the Foundry account accepts no calls from this network"
    do = (
        "run Pulumi where the account's private endpoint can be reached (a machine or agent in its virtual network), "
        "or create a private endpoint for it; a role does not help"
    )


class PreviewRequiredError(ServiceError):
    """The service requires the opt-in to a preview feature; no role replaces it."""

    what = "the service requires a preview feature"
    do = (
        "use what is generally available in this region, or a release of this library that sends the opt-in named by "
        "the service"
    )


class ProjectNotFoundError(ServiceError):
    """The project, or the host name of its account, does not exist (yet)."""

    what = "the Foundry project was not found"
    do = "check project_endpoint. A new project may answer like this for a few minutes: then run `pulumi up` again"


class ConflictError(ServiceError):
    """Something still uses what was to be changed or deleted (409)."""

    what = "the request conflicts with the current state"

    def explained(self, *, state: str, do: str) -> ConflictError:
        """Return the same error with what a caller knows: the state things are in, and what to do."""
        return ConflictError(
            self.detail,
            operation=self.operation,
            status=self.status,
            code=self.code,
            request_id=self.request_id,
            state=state,
            do=do,
        )


class NotReadyError(ServiceError):
    """The version is active, and the container behind the session does not answer yet (424, or 400 of that name)."""

    what = "the agent is not ready to answer"


class ThrottledError(ServiceError):
    """Too many requests (429): the service did nothing and says when to try again.

    Attributes:
        retry_after_s: Seconds to wait, from either form of Retry-After; None when the service gave none.
    """

    what = "the service is throttling"
    do = "run `pulumi up` again later, or ask for more quota; it adopts what was created meanwhile"

    def __init__(
        self,
        detail: str,
        *,
        operation: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(detail, operation=operation, status=status, code=code, request_id=request_id)


class ResponseLostError(ServiceError):
    """The request may or may not have been carried out: read before sending it again."""

    what = "the response was lost or is not usable"
    do = "run `pulumi up` again: it adopts what was created meanwhile"


class UnreachableError(ServiceError):
    """No connection could be made, so nothing was sent."""

    what = "the endpoint could not be reached"
    do = (
        "check project_endpoint or the host named above, DNS, proxy and private endpoint from this machine, then run "
        "`pulumi up` again"
    )


class SignInError(FoundryAgentsError):
    """No credential gave an access token."""

    def __init__(self, detail: str, *, endpoint: str) -> None:
        super().__init__(
            message(
                "no access token could be acquired",
                where=endpoint,
                why=detail,
                state="nothing was changed",
                do="sign in: `az login`, or a workload or managed identity in the environment of the Pulumi process",
            )
        )
