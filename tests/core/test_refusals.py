"""What the service refuses, with its cause and its remedy."""

from __future__ import annotations

import pytest

from foundry_agents.lifecycle.failure.catalog import OLDER_NAMES, REFUSALS, refusal_cause
from foundry_agents.lifecycle.failure.service_errors import (
    AccessDeniedError,
    NetworkDeniedError,
    ResponseLostError,
    ServiceError,
    ThrottledError,
)
from tests.support.settings import parsed

SAID: list[tuple[int, str, str, str, str]] = [
    (400, "bad_request", "CPU and Memory must be specified as a valid resource tier", "pair of cpu and memory", "Tier"),
    (
        400,
        "bad_request",
        "Agent kind mismatch for 'x'. Existing: hosted, New: prompt.",
        "of another kind",
        "another agent_name",
    ),
    (400, "bad_request", "Unsupported region for Foundry Hosted Agents..", "in this account's region", "eastus2"),
    (
        400,
        "bad_request",
        "Unsupported responses protocol version 'v1'; use version '2.0.0'",
        "older guides: ProtocolVersionNotSupported",
        "2.0.0",
    ),
    (400, "invalid_payload", "Environment variable 'PORT' is reserved by the platform.", "sets this variable", "name"),
    (400, "UserError", "The agent has reached the maximum of 1000 versions.", "at most 1000 versions", "keep_versions"),
    (400, "agent_version_failed", "[ImageError] no pull", "has failed", "pulumi up"),
    (429, "QuotaExceeded", "no", "limit of concurrent sessions", "end sessions"),
    (429, "RegionalQuotaExceeded", "no", "the region has no capacity", "another region"),
    (429, "too_many_requests", "no (QuotaExceeded)", "limit of concurrent sessions", "end sessions"),
    (500, "server_error", "Sorry", "may have been carried out", "adopts what was created meanwhile"),
    (502, "bad_gateway", "no (ReadinessTimeout)", "/readiness", "PORT"),
    (504, "timeout", "ProxyTimeout", "longer to answer", "stream"),
    (409, "AgentNotCodeBased", "no", "from an image", "pull"),
]
"""As [docs, azd, observed] have them."""


@pytest.mark.parametrize(("status", "code", "said", "why", "do"), SAID)
def test_a_refusal_has_its_cause_its_remedy_and_the_request_id(
    status: int, code: str, said: str, why: str, do: str
) -> None:
    text = str(ServiceError(said, operation="POST https://x", status=status, code=parsed(code), request_id="r-42"))
    lines = {label.strip(): rest for label, _, rest in (line.partition(": ") for line in text.splitlines()[1:])}
    assert why in lines["Why"]
    assert do in lines["Do"]
    assert lines["Service said"] == f"[{code}] {said} (request r-42)"


def test_every_refusal_is_met_by_one_of_these() -> None:
    found = [next(one for one in REFUSALS if one.fits(status, code, said)) for status, code, said, _, _ in SAID]
    assert [one.code for one in REFUSALS if one not in found] == []


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "bad_request", "The container image must be a non-empty string."),
        (400, "invalid_payload", "cpu is required and must be a string."),
        (400, "UserError", "The name is taken."),
        (429, "too_many_requests", "Slow down."),
        (500, "internal", "Sorry"),
        (403, "server_error", "no"),
        (None, None, "connection reset"),
    ],
)
def test_what_is_not_known_is_left_to_the_services_own_words(status: int | None, code: str | None, said: str) -> None:
    """A wrong cause is worse than none."""
    assert refusal_cause(status, code, said) is None


@pytest.mark.parametrize("older", OLDER_NAMES)
def test_a_name_from_older_guides_leads_to_todays_cause(older: str) -> None:
    text = str(ServiceError("no", operation="POST https://x", status=400, code=older))
    today, meaning = OLDER_NAMES[older]
    assert f"{older} is an older name; today: {today}. {meaning}" in text


def test_a_general_remedy_stays_where_there_is_no_closer_one() -> None:
    for kind in (ThrottledError, ResponseLostError, AccessDeniedError):
        assert f"Do: {kind.do}" in str(kind("no", operation="x", status=599))


def test_a_closed_network_is_not_reported_as_a_missing_role() -> None:
    text = str(NetworkDeniedError("Public access is disabled.", operation="GET https://x", status=403))
    assert "private endpoint" in text
    assert "53ca6127" not in text
