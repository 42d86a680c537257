"""A registry that requires tokens: the challenge, the exchange, and roles from ARM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from foundry_emulator.arm import roles
from foundry_emulator.identity import ARM_AUDIENCE, DEPLOYER
from foundry_emulator.registry import pack
from foundry_emulator.registry.push import push
from foundry_emulator.registry.token_service import REGISTRY_AUDIENCE, TOKEN_USER
from foundry_emulator.testing import LocalAzure, SeededProject

OTHER = "00000000-0000-0000-0000-00000000005b"
IMAGE_PATH = "/v2/shopregistry/agent"


class Shop:
    """A project whose registry requires tokens."""

    def __init__(self, azure: LocalAzure) -> None:
        self.azure = azure
        self.project: SeededProject = azure.seed_project("shop")
        self.image = azure.push_image(self.project)
        azure.control.set(registry_tokens=True)
        self.http = httpx.Client(
            base_url=f"https://{azure.emulator.urls.registry}", verify=azure.trust(), trust_env=False, timeout=30
        )
        self.manifest = f"{IMAGE_PATH}/manifests/latest"
        self.granted: list[str] = []

    def grant(self, role: str) -> None:
        self.granted.append(self.azure.grant(OTHER, role, self.project.registry_id))

    def exchange(self, principal: str = DEPLOYER, audience: str = ARM_AUDIENCE) -> httpx.Response:
        entra = self.azure.token(principal, audience)
        form = {"grant_type": "access_token", "service": "localhost", "access_token": entra}
        return self.http.post("/oauth2/exchange", data=form)

    def login(self, principal: str = DEPLOYER, *, scope: str, audience: str = ARM_AUDIENCE) -> str:
        """Return the header for a scope, obtained as docker does."""
        refresh = self.exchange(principal, audience).json()["refresh_token"]
        answer = self.http.get("/oauth2/token", params={"service": "s", "scope": scope}, auth=(TOKEN_USER, refresh))
        assert answer.status_code == 200, answer.text
        return f"Bearer {answer.json()['access_token']}"

    def status(self, authorization: str, method: str = "GET", path: str = "") -> int:
        return self.http.request(method, path or self.manifest, headers={"authorization": authorization}).status_code


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with LocalAzure(tmp_path_factory.mktemp("azure")) as azure:
        shop = Shop(azure)
        with shop.http:
            yield shop


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    yield running
    while running.granted:
        running.azure.delete(running.granted.pop())


SCOPE = "repository:shopregistry/agent:pull,push"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", None),
        ("GET", f"{IMAGE_PATH}/manifests/latest", "repository:shopregistry/agent:pull"),
        ("HEAD", f"{IMAGE_PATH}/manifests/latest", "repository:shopregistry/agent:pull"),
        ("POST", f"{IMAGE_PATH}/blobs/uploads/", SCOPE),
        ("DELETE", f"{IMAGE_PATH}/manifests/latest", "repository:shopregistry/agent:delete"),
    ],
)
def test_a_request_without_a_token_gets_a_challenge_with_realm_and_scope(
    shop: Shop, method: str, path: str, scope: str | None
) -> None:
    answer = shop.http.request(method, path)
    assert answer.status_code == 401
    host = shop.azure.emulator.urls.registry
    expected = f'Bearer realm="https://{host}/oauth2/token",service="{host}"' + (f',scope="{scope}"' if scope else "")
    assert answer.headers["www-authenticate"] == expected
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    if method != "HEAD":
        assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"


def test_docker_gets_its_token_with_a_name_of_zeros_and_azures_clients_with_a_form(shop: Shop) -> None:
    assert shop.status(shop.login(scope=SCOPE)) == 200
    refresh = shop.exchange().json()["refresh_token"]
    form = {"grant_type": "refresh_token", "service": "s", "scope": SCOPE, "refresh_token": refresh}
    access = shop.http.post("/oauth2/token", data=form).json()["access_token"]
    assert shop.status(f"Bearer {access}") == 200
    form = {"grant_type": "password", "service": "s", "scope": SCOPE, "username": TOKEN_USER, "password": refresh}
    access = shop.http.post("/oauth2/token", data=form).json()["access_token"]
    assert shop.status(f"Bearer {access}") == 200


def test_a_push_with_a_token_succeeds_and_the_journal_has_its_principal(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print()")
    shop.http.headers["authorization"] = shop.login(scope=SCOPE)
    try:
        pinned = push(pack(tmp_path), str(shop.http.base_url), "shopregistry/agent", "v2", client=shop.http)
    finally:
        del shop.http.headers["authorization"]
    assert re.fullmatch("shopregistry/agent@sha256:[0-9a-f]{64}", pinned)
    puts = [entry for entry in shop.azure.journal(plane="registry") if entry.method == "PUT"]
    assert puts[-1].principal == DEPLOYER


@pytest.mark.parametrize(
    ("role", "pulls", "pushes"),
    [
        (None, False, False),
        (roles.READER, False, False),
        (roles.ACR_PULL, True, False),
        (roles.REPOSITORY_READER, True, False),
        (roles.ACR_PUSH, True, True),
        (roles.REPOSITORY_WRITER, True, True),
    ],
)
def test_a_token_allows_what_the_callers_roles_allow(
    shop: Shop, role: str | None, *, pulls: bool, pushes: bool
) -> None:
    if role is not None:
        shop.grant(role)
    token = shop.login(OTHER, scope=SCOPE)
    assert (shop.status(token) == 200) == pulls
    assert (shop.status(token, "POST", f"{IMAGE_PATH}/blobs/uploads/") == 202) == pushes
    assert shop.status(token, "DELETE") == 401


def test_a_removed_role_is_not_in_effect_even_if_the_token_is_valid(shop: Shop) -> None:
    shop.grant(roles.ACR_PULL)
    token = shop.login(OTHER, scope=SCOPE)
    assert shop.status(token) == 200
    shop.azure.delete(shop.granted.pop())
    refused = shop.http.get(shop.manifest, headers={"authorization": token})
    assert refused.status_code == 401
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


def test_a_token_is_valid_for_the_repositories_of_its_scope_only(shop: Shop) -> None:
    token = shop.login(scope="repository:shopregistry/other:pull,push")
    assert shop.status(token) == 401
    assert shop.status(token, "POST", "/v2/shopregistry/other/blobs/uploads/") == 202


def test_a_blob_is_mounted_only_from_a_repository_that_the_token_may_pull(shop: Shop) -> None:
    blob = shop.http.get(shop.manifest, headers={"authorization": shop.login(scope=SCOPE)}).json()["layers"][0][
        "digest"
    ]
    path = f"/v2/shopregistry/other/blobs/uploads/?mount={blob}&from=shopregistry/agent"
    alone = shop.login(scope="repository:shopregistry/other:pull,push")
    both = shop.login(scope=f"repository:shopregistry/other:pull,push {SCOPE}")
    assert [shop.status(token, "POST", path) for token in (alone, both)] == [202, 201]


def test_a_registry_that_refuses_arm_tokens_accepts_its_own(shop: Shop) -> None:
    """The policy azureADAuthenticationAsArmPolicy."""
    policy = {"azureADAuthenticationAsArmPolicy": {"status": "disabled"}}
    document = {"location": "swedencentral", "sku": {"name": "Basic"}, "properties": {"policies": policy}}
    shop.azure.put(shop.project.registry_id, document)
    try:
        assert shop.status(shop.login(scope=SCOPE, audience=ARM_AUDIENCE)) == 401
        assert shop.status(shop.login(scope=SCOPE, audience=REGISTRY_AUDIENCE)) == 200
    finally:
        shop.azure.put(shop.project.registry_id, document | {"properties": {}})


def test_in_abac_mode_only_repository_roles_count(shop: Shop) -> None:
    document = {
        "location": "swedencentral",
        "sku": {"name": "Basic"},
        "properties": {"roleAssignmentMode": "AbacRepositoryPermissions"},
    }
    shop.azure.put(shop.project.registry_id, document)
    try:
        shop.grant(roles.ACR_PUSH)
        assert shop.status(shop.login(OTHER, scope=SCOPE)) == 401
        shop.grant(roles.REPOSITORY_READER)
        assert shop.status(shop.login(OTHER, scope=SCOPE)) == 200
    finally:
        shop.azure.put(shop.project.registry_id, document | {"properties": {}})


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 400),
        ({"grant_type": "access_token"}, 401),
        ({"grant_type": "access_token", "access_token": "x"}, 401),
        ({"grant_type": "password", "access_token": "x"}, 400),
    ],
)
def test_an_exchange_without_a_valid_token_is_refused(shop: Shop, form: dict[str, str], status: int) -> None:
    answer = shop.http.post("/oauth2/exchange", data=form)
    assert answer.status_code == status
    assert "refresh_token" not in answer.text


def test_a_token_of_another_kind_is_refused(shop: Shop) -> None:
    """Neither an Entra token nor a refresh token is valid at the registry, and an access token gets no other."""
    refresh = shop.exchange().json()["refresh_token"]
    access = shop.login(scope=SCOPE)
    assert shop.status(f"Bearer {shop.azure.token(DEPLOYER, ARM_AUDIENCE)}") == 401
    assert shop.status(f"Bearer {refresh}") == 401
    for user, secret in ((TOKEN_USER, access.removeprefix("Bearer ")), ("admin", refresh), (TOKEN_USER, "x")):
        assert shop.http.get("/oauth2/token", params={"scope": SCOPE}, auth=(user, secret)).status_code == 401
    assert shop.http.get("/oauth2/token", headers={"authorization": "Basic !"}).status_code == 401


def test_without_the_setting_this_machine_needs_no_token(shop: Shop) -> None:
    shop.azure.control.set(registry_tokens=False)
    try:
        assert shop.http.get(shop.manifest).status_code == 200
        assert shop.http.post(f"{IMAGE_PATH}/blobs/uploads/").status_code == 202
    finally:
        shop.azure.control.set(registry_tokens=True)


def test_an_agents_pull_does_not_depend_on_the_setting(shop: Shop) -> None:
    with shop.azure.client("shop") as http:
        definition = {
            "kind": "hosted",
            "cpu": "0.5",
            "memory": "1Gi",
            "container_configuration": {"image": shop.image},
            "protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
        }
        http.post("/agents/support/versions", json={"definition": definition}).raise_for_status()
        shop.azure.wait_until(lambda: bool(http.get("/agents/support/versions/1").json()["status"] == "active"))
