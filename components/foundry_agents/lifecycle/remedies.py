"""What a failed version means and what to do about it: the service's codes to causes and remedies, in one place.

Codes of failed versions: ImageError, CodeError, ProvisioningError [docs, azd, observed].
"""

from __future__ import annotations

from foundry_agents.lifecycle.definition import AgentDefinition
from foundry_agents.lifecycle.errors import Conflict, ServiceError, message
from foundry_agents.lifecycle.ports import VersionView
from foundry_agents.lifecycle.refusals import OLDER_NAMES

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
REPOSITORY_READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
"""Role definitions by GUID: names have changed before [docs]."""


DIGEST_SHOWN = 12
"""Characters of a code package's digest in a text."""


def version_failed(failed: VersionView, definition: AgentDefinition, *, pull_identity: str, state: str) -> str:
    """The message for a version that the service gave up on."""
    code = failed.error_code or failed.status
    why, do = _cause(code, definition, pull_identity)
    return message(
        f"version {failed.id} failed: {code}",
        where=_source(definition),
        why=why + _older_names(code),
        state=state,
        do=do,
        said=f"[{code}] {failed.error_message or 'no reason was given'}",
        request_id=failed.request_id,
    )


def _source(definition: AgentDefinition) -> str:
    if definition.code is None:
        return f"image {definition.image}"
    digest, command = str(definition.code["sha256"]), " ".join(definition.code["entry_point"])
    return f"code {digest[:DIGEST_SHOWN]}…, {definition.code['runtime']}, entry point `{command}`"


def _older_names(code: str) -> str:
    if code in OLDER_NAMES:
        today, meaning = OLDER_NAMES[code]
        return f". {code} is an older name; today: {today}. {meaning}"
    names = [older for older, (today, _) in OLDER_NAMES.items() if today == code]
    return f" (older guides: {', '.join(names)})" if names else ""


FAILURES: dict[str, tuple[str, str]] = {
    "CodeError": (
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
    "ProvisioningError": (
        "the container did not become ready, or the platform had trouble of its own",
        (
            "check that the container listens on PORT and answers GET /readiness with 200, then run `pulumi up` again: "
            "it posts the version anew"
        ),
    ),
}
"""Causes and remedies of failed versions that are the same for all; a failed pull names its registry and principal."""


def _cause(code: str, definition: AgentDefinition, pull_identity: str) -> tuple[str, str]:
    if code == "ImageError":
        return image_error((definition.image or "").partition("/")[0], pull_identity)
    return FAILURES.get(code, FAILURES["ProvisioningError"])


def image_error(registry: str, pull_identity: str) -> tuple[str, str]:
    """Cause and remedy of a pull that failed."""
    who = f"the project's identity {pull_identity}" if pull_identity else "the project's identity"
    why = (
        f'Azure could not pull the image. Usually {who} has no pull role on registry "{registry}" (AcrPull, or '
        "Container Registry Repository Reader where the registry has repository permissions); else the digest is "
        "not there, its platform is not linux/amd64, or the registry refuses ARM-audience tokens"
    )
    do = (
        "AgentRegistry(…, pulled_by=project), or `az role assignment create --assignee-object-id "
        f"{pull_identity or '<principal id of the project>'} --assignee-principal-type ServicePrincipal "
        f"--role {ACR_PULL} --scope <id of the registry>`, then run `pulumi up` again"
    )
    return why, do


def in_use(error: ServiceError, *, agent: str, version: str | None) -> ServiceError:
    """Adds to a 409 on delete what to do about it; any other error comes back as it is."""
    if not isinstance(error, Conflict):
        return error
    subject = f"version {agent}:{version}" if version else f'agent "{agent}"'
    return Conflict(
        f"{error.detail}. {subject} has active sessions: wait until they end, or set force_delete=True "
        "(ends them) and run the same command again. Nothing was deleted.",
        operation=error.operation,
        status=error.status,
        code=error.code,
        request_id=error.request_id,
    )
