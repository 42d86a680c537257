"""What the service's failures mean and what to do about them: its codes to causes and remedies, in one place.

Codes of failed versions: ImageError, CodeError, ProvisioningError [docs, azd, observed].
"""

from __future__ import annotations

from foundry_agents.lifecycle.errors import Conflict, ServiceError, message
from foundry_agents.lifecycle.ports import VersionView

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
REPOSITORY_READER = "b93aa761-3e63-49ed-ac28-beffa264f7ac"
"""Role definitions by GUID: names have changed before [docs]."""


OLDER_NAMES: dict[str, tuple[str, str]] = {
    "ImagePullBackOff": (
        "ImageError",
        (
            "The platform could not pull the image: the project's identity lacks a pull role on the registry, the "
            "registry refuses ARM-audience tokens, or it can't be reached."
        ),
    ),
    "InvalidContainerImage": (
        "ImageError",
        (
            "The reference names nothing that can run: the digest is not in the registry, or its platform is not "
            "linux/amd64. A tag alone is refused by this library before any request."
        ),
    ),
    "CapabilityHostNotFound": (
        "none",
        (
            "A capability host has not been needed for hosted agents since April 2026; one is only for your own "
            "storage, Cosmos DB or Search."
        ),
    ),
    "ProtocolVersionNotSupported": (
        "bad_request at the first call",
        (
            'A protocol version such as "v1" passes create and is refused when the agent is called; today it is '
            '"2.0.0". This library refuses it in the preview.'
        ),
    ),
}
"""Names from older guides, each with today's code and cause. No first-party source has them as codes of the service."""


def version_failed(failed: VersionView, *, image: str, pull_identity: str, state: str) -> str:
    """The message for a version that the service gave up on."""
    code = failed.error_code or failed.status
    why, do = _cause(code, image=image, pull_identity=pull_identity)
    return message(
        f"version {failed.id} failed: {code}",
        where=f"image {image}" if code == "ImageError" else None,
        why=why + _older_names(code),
        state=state,
        do=do,
        said=f"[{code}] {failed.error_message or 'no reason was given'}",
    )


def _older_names(code: str) -> str:
    if code in OLDER_NAMES:
        today, meaning = OLDER_NAMES[code]
        return f". {code} is an older name; today: {today}. {meaning}"
    names = [older for older, (today, _) in OLDER_NAMES.items() if today == code]
    return f" (older guides: {', '.join(names)})" if names else ""


def _cause(code: str, *, image: str, pull_identity: str) -> tuple[str, str]:
    registry = image.partition("/")[0]
    who = f"the project's identity {pull_identity}" if pull_identity else "the project's identity"
    if code == "ImageError":
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
    if code == "CodeError":
        return (
            "the code package could not be unpacked, its dependencies installed, or its entry point started",
            "run the agent locally, mend it, and run `pulumi up` again",
        )
    why = "the container did not become ready, or the platform had trouble of its own"
    do = (
        "check that the container listens on PORT and answers GET /readiness with 200, then run `pulumi up` again: "
        "it posts the version anew"
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
