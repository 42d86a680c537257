"""Causes and remedies of requests that the service refuses, by its codes and texts.

Codes and texts are [docs], [azd] or [observed]; no recording holds one of these responses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Refusal:
    """One kind of refusal by the service.

    Attributes:
        code: The service's code.
        status: HTTP status.
        words: Pattern in the service's words that tells it from others with the same code; "" for any.
        why: The cause.
        do: The remedy.
        older: The name that older guides have for it.
    """

    code: str
    status: int
    words: str
    why: str
    do: str
    older: str = ""

    def fits(self, status: int | None, code: str | None, said: str) -> bool:
        """Return whether this is what the service has said; its text may hold the code, too."""
        if self.status != status:
            return False
        named = code == self.code or re.search(rf"\b{self.code}\b", said) is not None
        # One code has many causes; where a row has a text, the text decides.
        return re.search(self.words, said, re.IGNORECASE) is not None if self.words else named


REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        "bad_request",
        400,
        "valid resource tier",
        "the service does not offer this pair of cpu and memory in this region",
        "use 0.5/1Gi, 1/2Gi or 2/4Gi; Tier.of(…) only for a pair that the service's documentation names",
    ),
    Refusal(
        "bad_request",
        400,
        "kind mismatch",
        "an agent of this name exists and is of another kind (prompt, workflow), which it never changes",
        "choose another agent_name, or delete that agent in the portal",
    ),
    Refusal(
        "bad_request",
        400,
        "unsupported region",
        "hosted agents are not available in this account's region",
        "create the Foundry account in a region that has them, for example eastus2 or swedencentral",
    ),
    Refusal(
        "bad_request",
        400,
        "unsupported .*protocol version",
        "the agent declares a version of the protocol that the service does not support; create accepts any version",
        'declare the version that the service names, today protocols={"responses": "2.0.0"}',
        older="ProtocolVersionNotSupported",
    ),
    Refusal(
        "invalid_payload",
        400,
        r"\breserved\b",
        "the platform sets this variable itself",
        "give the variable another name: FOUNDRY_*, AGENT_*, PORT and APPLICATIONINSIGHTS_CONNECTION_STRING are taken",
    ),
    Refusal(
        "UserError",
        400,
        r"(1,?000|maximum|limit)\b.*\bversions|\bversions\b.*(1,?000|maximum|limit)",
        "an agent has at most 1000 versions, and those of former deployments count",
        "revert the change, set keep_versions on the rollout, as in Rollout.all_at_once(keep_versions=10), and run "
        "`pulumi up`: it deletes versions that get no traffic. Then apply the change again",
    ),
    Refusal(
        "agent_version_failed",
        400,
        "",
        "the version that was called has failed, and the service does not restart it",
        "run `pulumi refresh` and `pulumi up`: a failed version is posted again",
    ),
    Refusal(
        "AgentNotCodeBased",
        409,
        "",
        "the version was made from an image, so there is no code to download",
        "pull its image instead",
    ),
    Refusal(
        "RegionalQuotaExceeded",
        429,
        "",
        "the region has no capacity for more sessions of this subscription at the moment",
        "wait and run `pulumi up` again, end sessions that are not needed, or use another region; the limit of "
        "concurrent sessions is 15, 25 or 50 for each subscription and region",
    ),
    Refusal(
        "QuotaExceeded",
        429,
        "",
        "the subscription has reached its limit of concurrent sessions in this region",
        "end sessions that are not needed, lower session_idle_timeout_s, or ask for more quota; then run `pulumi up` "
        "again",
    ),
    Refusal(
        "server_error",
        500,
        "",
        "the service had an internal error, mostly a short one; the request may have been carried out",
        "run `pulumi up` again: it adopts what was created meanwhile. If the error continues for hours, "
        "give the request id to Azure support",
    ),
    Refusal(
        "ReadinessTimeout",
        502,
        "",
        "the container did not answer GET /readiness in time",
        "check that it listens on PORT, answers GET /readiness with 200, and does slow work only after that",
    ),
    Refusal(
        "ProxyTimeout",
        504,
        "",
        "the agent took longer to answer than the service waits",
        "answer sooner, or stream the answer",
    ),
)
"""In the order in which they are tried."""


def older_name(code: str | None) -> str | None:
    """Return what a code of older guides is called today, and what it means; None for any other code."""
    if code is None or code not in OLDER_NAMES:
        return None
    today, meaning = OLDER_NAMES[code]
    return f"{code} is an older name; today: {today}. {meaning}"


def refusal_cause(status: int | None, code: str | None, said: str) -> tuple[str, str | None] | None:
    """Return why the service refused and what to do; None when only its own text is known.

    Args:
        status: HTTP status.
        code: The service's code.
        said: The service's words.
    """
    if older := older_name(code):
        return older, None
    found = next((refusal for refusal in REFUSALS if refusal.fits(status, code, said)), None)
    if found is None:
        return None
    return found.why + (f" (older guides: {found.older})" if found.older else ""), found.do
