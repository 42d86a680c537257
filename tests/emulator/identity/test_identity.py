from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from foundry_emulator.identity import ARM_AUDIENCE, DEPLOYER, FOUNDRY_AUDIENCE, Identity, TokenProblem
from foundry_emulator.store import Store

OTHER = "11111111-1111-1111-1111-111111111111"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identity(clock: Clock) -> Identity:
    return Identity(Store(None), clock=clock)


def ask(
    identity: Identity, *, host: str = "127.0.0.1", header: str | None = None, **query: str
) -> tuple[int, dict[str, str | int]]:
    client = TestClient(Starlette(routes=identity.routes()), client=(host, 40000))
    answer = client.get(
        "/msi/token",
        params={"api-version": "2019-08-01", "resource": FOUNDRY_AUDIENCE, **query},
        headers={b"X-IDENTITY-HEADER": (identity.identity_header if header is None else header).encode()},
    )
    return answer.status_code, answer.json()


def test_the_endpoint_gives_the_deployers_token_in_app_services_shape(identity: Identity, clock: Clock) -> None:
    status, body = ask(identity)
    assert status == 200
    assert (body["token_type"], body["resource"]) == ("Bearer", FOUNDRY_AUDIENCE)
    assert int(body["expires_on"]) > clock.now
    assert identity.verify(f"Bearer {body['access_token']}", FOUNDRY_AUDIENCE).object_id == DEPLOYER


def test_a_client_id_selects_another_principal(identity: Identity) -> None:
    _, body = ask(identity, client_id=OTHER)
    assert identity.verify(f"bearer {body['access_token']}", FOUNDRY_AUDIENCE).object_id == OTHER


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"header": "wrong"}, 401),
        ({"header": ""}, 401),
        ({"header": "\xe9"}, 401),
        ({"host": "192.0.2.7"}, 403),
        ({"host": "not an address"}, 403),
        ({"host": "::ffff:127.0.0.1"}, 200),
        ({"host": "::1"}, 200),
        ({"resource": ""}, 400),
        ({"api-version": ""}, 400),
        ({"client_id": "me"}, 400),
        ({"mi_res_id": "/subscriptions/s"}, 501),
    ],
)
def test_the_endpoint_answers_only_callers_that_may_have_a_token(
    identity: Identity, asked: dict[str, str], status: int
) -> None:
    answer = ask(identity, **asked)
    assert answer[0] == status
    if status != 200:
        assert answer[1]["statusCode"] == status
        assert identity.identity_header not in str(answer)


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("https://management.azure.com/", ARM_AUDIENCE),
        ("https://management.azure.com/.default", ARM_AUDIENCE),
        ("https://management.core.windows.net/", ARM_AUDIENCE),
        ("https://ai.azure.com/.default", FOUNDRY_AUDIENCE),
    ],
)
def test_the_spellings_of_an_audience_are_one_audience(identity: Identity, asked: str, taken: str) -> None:
    assert identity.verify(f"Bearer {identity.token(OTHER, asked)}", taken).object_id == OTHER


def problem(identity: Identity, header: str | None, audience: str = ARM_AUDIENCE) -> str:
    with pytest.raises(TokenProblem) as caught:
        identity.verify(header, audience)
    return caught.value.code


def test_a_missing_token_and_another_scheme_have_another_code_than_a_bad_token(identity: Identity) -> None:
    assert problem(identity, None) == "AuthenticationFailed"
    assert problem(identity, "Basic abc") == "AuthenticationFailed"
    assert problem(identity, "Bearer ") == "AuthenticationFailed"
    assert problem(identity, "Bearer a.b.c") == "InvalidAuthenticationToken"
    assert problem(identity, "Bearer \xe9.b.c") == "InvalidAuthenticationToken"


def test_a_token_expires_after_a_day_even_when_it_was_verified_before(identity: Identity, clock: Clock) -> None:
    header = f"Bearer {identity.token(OTHER, ARM_AUDIENCE)}"
    clock.now += 24 * 3600 - 1
    identity.verify(header, ARM_AUDIENCE)
    clock.now += 1
    assert problem(identity, header) == "ExpiredAuthenticationToken"


def test_a_token_is_valid_for_its_own_audience_only(identity: Identity) -> None:
    header = f"Bearer {identity.token(OTHER, FOUNDRY_AUDIENCE)}"
    assert problem(identity, header) == "InvalidAuthenticationTokenAudience"


def changed_once(token: str) -> Iterator[str]:
    for part, (start, end) in enumerate(
        itertools.pairwise([-1, *(i for i, c in enumerate(token) if c == "."), len(token)])
    ):
        middle = (start + end) // 2
        swapped = "A" if token[middle] != "A" else "B"
        yield token[:middle] + swapped + token[middle + 1 :]
        assert part < 3


def test_a_token_changed_in_any_part_is_refused(identity: Identity) -> None:
    for forged in changed_once(identity.token(OTHER, ARM_AUDIENCE)):
        assert problem(identity, f"Bearer {forged}") == "InvalidAuthenticationToken"


def test_tokens_and_the_secret_survive_a_restart_and_belong_to_one_store(clock: Clock) -> None:
    store = Store(None)
    before = Identity(store, clock=clock)
    after = Identity(store, clock=clock)
    header = f"Bearer {before.token(OTHER, ARM_AUDIENCE)}"
    assert after.verify(header, ARM_AUDIENCE).object_id == OTHER
    assert after.identity_header == before.identity_header
    assert problem(Identity(Store(None), clock=clock), header) == "InvalidAuthenticationToken"


def test_a_principals_own_header_gives_tokens_of_that_principal_only(identity: Identity) -> None:
    """An agent's process has this header: it must not be able to act as the deployer."""
    own = identity.header_of(OTHER)
    for query in ({}, {"client_id": OTHER}, {"client_id": OTHER.upper()}):
        status, body = ask(identity, header=own, **query)
        assert status == 200
        assert identity.verify(f"Bearer {body['access_token']}", FOUNDRY_AUDIENCE).object_id == OTHER
    status, body = ask(identity, header=own, client_id=DEPLOYER)
    assert (status, "access_token" in body) == (400, False)
    for forged in (f"{DEPLOYER}.{own.partition('.')[2]}", f"{OTHER}.", OTHER, "."):
        assert ask(identity, header=forged)[0] == 401
