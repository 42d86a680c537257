"""A registry's responses of every form, over HTTP: nothing of a 200 is trusted, and no login leaves the registry."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundry_agents.azure import registry_http, registry_login
from foundry_agents.azure.registries import MOST_OF_A_MANIFEST, RegistryClient
from foundry_agents.docker.credentials import TOKEN_USER, Login, store_login
from foundry_agents.lifecycle.failure.image_errors import RegistryAccessError
from tests.support.answering import Answer, Answering, answering

CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["python"]}}).encode()
FIREWALL = json.dumps(
    {
        "errors": [
            {
                "code": "DENIED",
                "message": "client with IP '192.0.2.7' is not allowed access. Refer https://aka.ms/acr/firewall",
            }
        ]
    }
).encode()


def digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


MANIFEST = json.dumps({"config": {"digest": digest(CONFIG)}}).encode()


@pytest.fixture
def registry() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture
def client(tmp_path: Path) -> Iterator[RegistryClient]:
    with contextlib.closing(RegistryClient(tmp_path)) as open_client:
        yield open_client


def manifests(registry: Answering, reference: str, answer: Answer) -> None:
    for method in ("GET", "HEAD"):
        registry.answers[method, f"/v2/support/manifests/{reference}"] = answer


def test_an_image_is_read(registry: Answering, client: RegistryClient) -> None:
    manifests(registry, digest(MANIFEST), Answer(body=MANIFEST))
    registry.answers["GET", f"/v2/support/blobs/{digest(CONFIG)}"] = Answer(body=CONFIG)
    found = client.inspect(f"{registry.host}/support", digest(MANIFEST))
    assert found is not None
    assert (found.platforms, found.command, found.problem) == (("linux/amd64",), ("python",), "")


def test_a_page_of_a_proxy_in_place_of_a_manifest_is_no_verdict_about_the_image(
    registry: Answering, client: RegistryClient
) -> None:
    """Finding D: a 200 that is no JSON was a raw JSONDecodeError."""
    manifests(registry, digest(MANIFEST), Answer(body=b"<html>sign in to the network</html>"))
    with pytest.raises(RegistryAccessError, match="the response is not what the digest names"):
        client.inspect(f"{registry.host}/support", digest(MANIFEST))


def test_of_a_manifest_of_300_megabytes_no_more_than_four_are_read(registry: Answering, client: RegistryClient) -> None:
    """Finding D: bounded sizes."""
    large = b" " * (MOST_OF_A_MANIFEST + 1)
    manifests(registry, digest(large), Answer(body=large))
    found = client.inspect(f"{registry.host}/support", digest(large))
    assert found is not None
    assert "has more than 4 MiB" in found.problem


def test_a_registry_that_does_not_name_the_digest_is_asked_for_the_bytes(
    registry: Answering, client: RegistryClient
) -> None:
    """Finding D: the header is optional, and its absence counted as a definite 404."""
    manifests(registry, "1", Answer(body=MANIFEST))
    assert client.digest_of(f"{registry.host}/support", "1") == digest(MANIFEST)
    manifests(registry, "1", Answer(body=MANIFEST, headers={"docker-content-digest": "sha256:x\t"}))
    assert client.digest_of(f"{registry.host}/support", "1") == digest(MANIFEST)
    assert client.digest_of(f"{registry.host}/support", "2") is None


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'"x"', b"{}", b'{"token": 7}', b'{"token": "a\\nb"}', b"[" * 90_000]
)
def test_a_token_server_that_answers_with_anything_else_is_a_refusal_in_words(
    registry: Answering, client: RegistryClient, body: bytes
) -> None:
    """Finding D: never trust the shape of a 200."""
    challenge = f'Bearer realm="http://{registry.host}/token",service="x"'
    manifests(registry, "1", Answer(401, headers={"www-authenticate": challenge}))
    registry.answers["GET", "/token"] = Answer(body=body)
    with pytest.raises(RegistryAccessError, match="refused, HTTP 401"):
        client.digest_of(f"{registry.host}/support", "1")


@pytest.mark.parametrize(
    ("answer", "do"),
    [
        (Answer(429, headers={"retry-after": "20"}), "run the same command again after 20 s"),
        (Answer(503), "run the same command again later"),
        (Answer(headers={"content-type": "text/html"}), "check the proxies"),
    ],
)
def test_a_token_server_that_fails_says_nothing_about_the_image(
    registry: Answering, client: RegistryClient, answer: Answer, do: str
) -> None:
    """It was a refusal with 401, which a new repository answers too: the image was built again."""
    challenge = f'Bearer realm="http://{registry.host}/token",service="x"'
    manifests(registry, "1", Answer(401, headers={"www-authenticate": challenge}))
    registry.answers["GET", "/token"] = answer
    with pytest.raises(RegistryAccessError, match=do) as refused:
        client.digest_of(f"{registry.host}/support", "1")
    assert refused.value.status != 401
    assert "docker login" not in str(refused.value)


@pytest.mark.parametrize("realm", ["https://[bad", "http://[::1"])
def test_a_challenge_with_an_url_that_is_none_is_one_error(
    registry: Answering, client: RegistryClient, realm: str
) -> None:
    manifests(registry, "1", Answer(401, headers={"www-authenticate": f'Bearer realm="{realm}",service="x"'}))
    with pytest.raises(RegistryAccessError):
        client.digest_of(f"{registry.host}/support", "1")
    assert not client.is_gone(f"{registry.host}/support", "1")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors": 7}', b'{"errors": [7]}', b'{"errors": []}'])
def test_a_refusal_without_words_is_an_error_all_the_same(
    registry: Answering, client: RegistryClient, body: bytes
) -> None:
    manifests(registry, "1", Answer(500, body))
    with pytest.raises(RegistryAccessError, match="HTTP 500"):
        client.digest_of(f"{registry.host}/support", "1")


def test_the_firewall_of_a_registry_is_named_and_no_role(registry: Answering, client: RegistryClient) -> None:
    """F9: a public runner at a private registry. The response to a HEAD has no words, so they are asked for."""
    manifests(registry, "1", Answer(403, FIREWALL))
    with pytest.raises(RegistryAccessError) as refused:
        client.digest_of(f"{registry.host}/support", "1")
    text = str(refused.value)
    assert "Service said: [DENIED] client with IP '192.0.2.7' is not allowed access" in text
    assert "this is the registry's firewall, which no role opens" in text
    assert "AcrPush" not in text


def test_a_firewall_that_refuses_the_exchange_is_named_too(
    registry: Answering, client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9: the registry refuses the sign-in before it refuses the read."""
    challenge = f'Bearer realm="http://{registry.host}/token",service="x"'
    manifests(registry, "1", Answer(401, headers={"www-authenticate": challenge}))
    registry.answers["POST", "/oauth2/exchange"] = Answer(403, FIREWALL)
    _as_azure(monkeypatch)
    with pytest.raises(RegistryAccessError, match="this is the registry's firewall"):
        client.digest_of(f"{registry.host}/support", "1")


@pytest.mark.parametrize("status", [200, 403, 404])
@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("text/html; charset=utf-8", "an HTML page"),
        ("TEXT/HTML", "an HTML page"),
        ("application/xhtml+xml", "an HTML page"),
        ("text/plain; charset=utf-8", "text/plain"),
    ],
)
def test_a_page_for_people_names_no_image_and_says_of_none_that_it_is_gone(
    registry: Answering, client: RegistryClient, status: int, kind: str, shown: str
) -> None:
    """A proxy's page with 200 was an image with the page's hash; with 404, everything was built again."""
    page = Answer(status, b"<html>sign in</html>", headers={"content-type": kind})
    manifests(registry, "1", page)
    assert not client.is_gone(f"{registry.host}/support", "1")
    with pytest.raises(RegistryAccessError, match=f"HTTP {status} with {shown}"):
        client.digest_of(f"{registry.host}/support", "1")


@pytest.mark.parametrize("status", [200, 401, 403, 429, 500, 503])
def test_only_a_404_says_that_an_image_is_gone(registry: Answering, client: RegistryClient, status: int) -> None:
    """Finding D: an adopted image that was deleted."""
    repository = f"{registry.host}/support"
    manifests(registry, "1", Answer(status))
    assert not client.is_gone(repository, "1")
    assert client.is_gone(repository, "2")
    assert not client.is_gone("localhost:1/support", "1")
    asked = [path for _, path, _ in registry.seen if path.endswith("/1")]
    assert len(asked) == 1, "one try"


def test_a_token_server_elsewhere_never_sees_a_login_made_from_azures_token(
    registry: Answering, client: RegistryClient, tmp_path: Path
) -> None:
    """Security finding 8b."""
    store_login(tmp_path, registry.host, Login(TOKEN_USER, "canary"))
    with answering() as elsewhere:
        elsewhere.answers["GET", "/token"] = Answer(body=b'{"token": "x"}')
        challenge = f'Bearer realm="http://{elsewhere.host}/token",service="x"'
        manifests(registry, "1", Answer(401, headers={"www-authenticate": challenge}))
        with pytest.raises(RegistryAccessError):
            client.digest_of(f"{registry.host}/support", "1")
        assert [authorization for *_, authorization in elsewhere.seen if authorization] == []


def test_an_upload_elsewhere_is_not_cancelled_with_the_registrys_token(
    registry: Answering, client: RegistryClient, tmp_path: Path
) -> None:
    """Security finding 8c."""
    store_login(tmp_path, registry.host, Login("user", "canary"))
    with answering() as elsewhere:
        challenge = {"www-authenticate": "Basic"}
        registry.answers["POST", "/v2/support/blobs/uploads/"] = Answer(401, headers=challenge)
        with pytest.raises(RegistryAccessError):
            client.require_push(f"{registry.host}/support", sign_in=False, progress=print)
        assert registry.seen[-1][2].startswith("Basic "), "the login works"
        accepted = {"location": f"http://{elsewhere.host}/collect"}
        registry.answers["POST", "/v2/support/blobs/uploads/"] = Answer(202, headers=accepted)
        client.require_push(f"{registry.host}/support", sign_in=False, progress=print)
        assert elsewhere.seen == []


def test_an_exchange_that_leads_elsewhere_is_not_followed(
    registry: Answering, monkeypatch: pytest.MonkeyPatch, client: RegistryClient
) -> None:
    """Security finding 8a: a redirect carried the deployer's token to another host."""
    _as_azure(monkeypatch)
    challenge = f'Bearer realm="http://{registry.host}/token",service="x"'
    manifests(registry, "1", Answer(401, headers={"www-authenticate": challenge}))
    with answering() as elsewhere:
        place = {"location": f"http://{elsewhere.host}/oauth2/exchange"}
        registry.answers["POST", "/oauth2/exchange"] = Answer(307, headers=place)
        with pytest.raises(RegistryAccessError):
            client.digest_of(f"{registry.host}/support", "1")
        assert elsewhere.seen == []


def test_a_repository_of_old_state_whose_host_leads_elsewhere_is_refused(client: RegistryClient) -> None:
    """Security finding 3: state may hold what is no longer accepted."""
    with answering() as elsewhere, pytest.raises(RegistryAccessError, match="this is not a host"):
        client.digest_of(f"{elsewhere.host}#.azurecr.io/support", "1")
    assert elsewhere.seen == []


class _Credential:
    def get_token(self, *_scopes: str) -> object:
        class _Token:
            token = "azure-token"

        return _Token()


def _as_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server count as a registry of Azure, and this process as signed in."""

    class _Cloud:
        scope = "https://management.azure.com/.default"

        def has_registry(self, _host: str) -> bool:
            return True

    monkeypatch.setattr(registry_http, "resource_manager", _Cloud)
    monkeypatch.setattr(registry_login, "resource_manager", _Cloud)
    monkeypatch.setattr(registry_login, "credential", _Credential)
