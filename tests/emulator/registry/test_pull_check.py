from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from foundry_emulator.arm import roles
from foundry_emulator.media_types import OCI_MANIFEST
from foundry_emulator.registry import PackedImage, PulledImage, PullRefusal, RegistryStore, check_pull, pack
from foundry_emulator.registry.registry_store import Manifest
from foundry_emulator.store import Store
from tests.emulator.arm.azure import GROUP, REGISTRY, Azure

HOST = "localhost:5000"


@dataclass
class Case:
    azure: Azure
    images: RegistryStore
    packed: PackedImage

    @property
    def pinned(self) -> str:
        return f"{HOST}/acmereg/support@{self.packed.digest}"

    def grant(self, role: str, scope: str = REGISTRY) -> None:
        project = self.azure.arm.project("demo")
        assert project is not None
        self.azure.grant(scope, role, project.principal_id)

    def pull(self, reference: str | None = None) -> PulledImage | PullRefusal:
        project = self.azure.arm.project("demo")
        assert project is not None
        return check_pull(self.azure.arm, self.images, project, reference or self.pinned)

    def reason(self, reference: str | None = None) -> str:
        answer = self.pull(reference)
        assert isinstance(answer, PullRefusal)
        assert answer.message.startswith("Failed to pull container image. ")
        return answer.reason


@pytest.fixture
def case(tmp_path: Path) -> Case:
    azure = Azure()
    azure.project()
    azure.registry()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("")
    packed = pack(tmp_path / "src")
    images = RegistryStore(tmp_path / "data", Store(None))
    for blob in (packed.layer, packed.config):
        images.put_blob(blob)
    keep(images, packed.manifest, packed.digest)
    return Case(azure, images, packed)


def keep(images: RegistryStore, raw: bytes, digest: str) -> None:
    parsed = httpx.Response(200, content=raw).json()
    images.put_manifest("acmereg/support", Manifest(digest, OCI_MANIFEST, raw, parsed), "v1")


@pytest.mark.parametrize("role", [roles.ACR_PULL, roles.REPOSITORY_READER, roles.ACR_PUSH])
@pytest.mark.parametrize("scope", [REGISTRY, GROUP])
def test_an_image_is_pulled_with_a_pull_role_at_the_registry_or_above(case: Case, role: str, scope: str) -> None:
    case.grant(role, scope)
    for reference in (case.pinned, f"{HOST}/acmereg/support:v1", f"{HOST}/acmereg/support:v9@{case.packed.digest}"):
        image = case.pull(reference)
        assert isinstance(image, PulledImage)
        assert image.manifest.digest == case.packed.digest
        assert [layer.path.read_bytes() for layer in image.layers] == [case.packed.layer]


def test_without_a_pull_role_the_pull_is_refused(case: Case) -> None:
    assert case.reason() == "pull_role_missing"
    case.grant(roles.READER)
    assert case.reason() == "pull_role_missing"


def test_an_abac_registry_ignores_acr_pull(case: Case) -> None:
    case.azure.registry(roleAssignmentMode="AbacRepositoryPermissions")
    case.grant(roles.ACR_PULL)
    assert case.reason() == "pull_role_ignored_by_abac"
    case.grant(roles.REPOSITORY_READER)
    assert isinstance(case.pull(), PulledImage)


def test_a_registry_that_refuses_arm_tokens_refuses_the_pull(case: Case) -> None:
    case.grant(roles.ACR_PULL)
    case.azure.registry(policies={"azureADAuthenticationAsArmPolicy": {"status": "disabled"}})
    assert case.reason() == "arm_audience_disabled"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("support", "bad_reference"),
        ("acme.azurecr.io/support:v1", "foreign_registry"),
        (f"{HOST}/otherreg/support:v1", "registry_not_in_arm"),
        (f"{HOST}/acmereg/support:v2", "image_not_found"),
        (f"{HOST}/acmereg/support@sha256:{'0' * 64}", "image_not_found"),
        (f"{HOST}/acmereg/sales:v1", "image_not_found"),
    ],
)
def test_a_reference_to_a_missing_image_is_refused(case: Case, reference: str, reason: str) -> None:
    case.grant(roles.ACR_PULL)
    assert case.reason(reference) == reason


def test_an_image_for_another_platform_is_refused(case: Case) -> None:
    case.grant(roles.ACR_PULL)
    config = case.packed.config.replace(b"amd64", b"arm64")
    digest = case.images.put_blob(config)
    old = case.images.stored_manifest("acmereg/support", "v1")
    assert old is not None
    raw = old.raw.replace(str(old.parsed["config"]["digest"]).encode(), digest.encode())  # type: ignore[index]  # JSON
    keep(case.images, raw, case.images.put_blob(raw))
    assert case.reason(f"{HOST}/acmereg/support:v1") == "wrong_platform"
