"""Causes and remedies of failed versions, by the service's codes.

Codes of failed versions: ImageError, CodeError, ProvisioningError [docs, azd, observed].
"""

from __future__ import annotations

from dataclasses import dataclass

from foundry_agents.lifecycle.failure.catalog import OLDER_NAMES, older_name
from foundry_agents.lifecycle.failure.errors import message
from foundry_agents.lifecycle.failure.service_errors import ConflictError, ServiceError
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from foundry_agents.lifecycle.views import VersionView

DIGEST_SHOWN = 12
"""Characters of a code package's digest in a text."""


@dataclass(frozen=True)
class Cause:
    """Why a version failed.

    Attributes:
        why: The cause, as far as it is known.
        do: How to fix it.
        lasting: It does not pass with time.
    """

    why: str
    do: str
    lasting: bool = False


def version_failed(failed: VersionView, definition: AgentDefinition, *, cause: Cause, state: str) -> str:
    """Return the message for a version that the service gave up on."""
    code = failed.error_code or failed.status
    return message(
        f"version {failed.id} failed: {code}",
        where=_source(definition),
        why=cause.why + _older_names(code),
        state=state,
        do=cause.do,
        said=f"[{code}] {failed.error_message}" if failed.error_message else f"[{code}], without a reason",
        request_id=failed.request_id,
    )


def _source(definition: AgentDefinition) -> str:
    if definition.code is None:
        return f"image {definition.image}"
    digest, command = str(definition.code["sha256"]), " ".join(definition.code["entry_point"])
    return f"code {digest[:DIGEST_SHOWN]}…, {definition.code['runtime']}, entry point `{command}`"


def _older_names(code: str) -> str:
    if meaning := older_name(code):
        return f". {meaning}"
    names = [older for older, (today, _) in OLDER_NAMES.items() if today == code]
    return f" (older guides: {', '.join(names)})" if names else ""


FAILURES: dict[str, Cause] = {
    "CodeError": Cause(
        (
            "the code package could not be unpacked, its dependencies could not be installed, or its entry point ended "
            "before it was ready"
        ),
        (
            "start the entry point in a fresh copy of the folder, without what .agentignore names. With "
            'dependency_resolution "bundled" the folder must hold every dependency; "remote_build" installs what its '
            "manifest names. Then run `pulumi up` again"
        ),
    ),
    "ProvisioningError": Cause(
        "the container did not become ready, or the platform had an internal error",
        (
            "check that the container listens on PORT and answers GET /readiness with 200, then run `pulumi up` again: "
            "it posts the version again"
        ),
    ),
}
"""Causes and remedies of failed versions that are the same for all; a failed pull names its registry and principal."""


def version_failure_cause(code: str) -> Cause:
    """Return cause and remedy of a failed version, for every code but that of a failed pull."""
    return FAILURES.get(code, FAILURES["ProvisioningError"])


def in_use(error: ServiceError, *, agent: str, version: str | None, state: str | None = None) -> ServiceError:
    """Return the error of a delete; for a 409 with the state things are in and what to do about it.

    Args:
        error: Of the delete.
        agent: Name of the agent.
        version: The number of the version; None when the whole agent was to be deleted.
        state: What was deleted before; None when nothing was deleted.
    """
    if not isinstance(error, ConflictError):
        return error
    subject = f"version {agent}:{version}" if version else f'agent "{agent}"'
    return error.explained(
        state=state or "nothing was deleted",
        do=f"wait until the active sessions of {subject} end, or set force_delete=True, which ends them; then run the "
        "same command again",
    )
