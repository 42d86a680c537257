from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from foundry_emulator.media_types import OCI_CONFIG, OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST
from foundry_emulator.registry import RegistryStore
from foundry_emulator.registry.distribution import Distribution
from foundry_emulator.store import Store

REPOSITORY = "acme/team/support"
BLOB = b"a layer " * 1000
NOWHERE = "sha256:" + "0" * 64


def digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


class Registry:
    """A registry behind HTTP, on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.documents = folder, Store(None)
        self.restart()

    def restart(self, host: str = "127.0.0.1") -> None:
        self.store = RegistryStore(self.folder, self.documents)
        self.client = TestClient(Starlette(routes=Distribution(self.store).routes()), client=(host, 40000))

    def blob(self, raw: bytes) -> str:
        answer = self.client.post(f"/v2/{REPOSITORY}/blobs/uploads/", params={"digest": digest(raw)}, content=raw)
        assert answer.status_code == 201, answer.text
        return digest(raw)

    def image(self, *, architecture: str = "amd64") -> bytes:
        config = json.dumps({"os": "linux", "architecture": architecture}).encode()
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": {"mediaType": OCI_CONFIG, "digest": self.blob(config), "size": len(config)},
                "layers": [{"mediaType": OCI_LAYER_TAR, "digest": self.blob(BLOB), "size": len(BLOB)}],
            }
        ).encode()

    def put(self, raw: bytes, reference: str, media_type: str = OCI_MANIFEST) -> tuple[int, str]:
        answer = self.client.put(
            f"/v2/{REPOSITORY}/manifests/{reference}", content=raw, headers={"Content-Type": media_type}
        )
        code = answer.json()["errors"][0]["code"] if answer.content else ""
        return answer.status_code, code

    def code(self, method: str, path: str, content: bytes = b"") -> tuple[int, str]:
        answer = self.client.request(method, path, content=content)
        return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_the_version_check_names_the_api(registry: Registry) -> None:
    answer = registry.client.get("/v2/")
    assert answer.status_code == 200
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_blob_pushed_in_chunks_is_read_back_whole_and_in_parts(registry: Registry) -> None:
    begun = registry.client.post(f"/v2/{REPOSITORY}/blobs/uploads/")
    assert begun.status_code == 202
    where, half = begun.headers["location"], len(BLOB) // 2
    first = registry.client.patch(where, content=BLOB[:half], headers={"Content-Range": f"0-{half - 1}"})
    assert (first.status_code, first.headers["range"]) == (202, f"0-{half - 1}")
    registry.restart()
    assert registry.client.get(where).headers["range"] == f"0-{half - 1}"
    done = registry.client.put(where, params={"digest": digest(BLOB)}, content=BLOB[half:])
    assert done.status_code == 201
    blob = done.headers["location"]
    assert registry.client.get(blob).content == BLOB
    head = registry.client.head(blob)
    assert (head.headers["content-length"], head.content) == (str(len(BLOB)), b"")
    part = registry.client.get(blob, headers={"Range": "bytes=8-15"})
    assert (part.status_code, part.content) == (206, BLOB[8:16])


def test_a_chunk_out_of_order_is_416_and_changes_nothing(registry: Registry) -> None:
    where = registry.client.post(f"/v2/{REPOSITORY}/blobs/uploads/").headers["location"]
    refused = registry.client.patch(where, content=b"xx", headers={"Content-Range": "5-6"})
    assert refused.status_code == 416
    assert registry.client.put(where, params={"digest": digest(b"")}).status_code == 201


def test_content_with_another_digest_is_refused_and_not_stored(registry: Registry) -> None:
    path = f"/v2/{REPOSITORY}/blobs/uploads/?digest={digest(BLOB)}"
    assert registry.code("POST", path, b"other") == (400, "DIGEST_INVALID")
    assert registry.store.blob_path(digest(BLOB)) is None
    assert registry.store.blob_path(digest(b"other")) is None
    assert not list((registry.folder / "uploads").iterdir())


def test_an_existing_blob_is_mounted_and_a_missing_one_starts_an_upload(registry: Registry) -> None:
    registry.blob(BLOB)
    path = "/v2/acme/sales/blobs/uploads/"
    mounted = registry.client.post(path, params={"mount": digest(BLOB), "from": REPOSITORY})
    assert (mounted.status_code, mounted.headers["docker-content-digest"]) == (201, digest(BLOB))
    assert registry.client.get(f"/v2/acme/sales/blobs/{digest(BLOB)}").content == BLOB
    for where, blob in ((REPOSITORY, NOWHERE), ("acme/elsewhere", digest(BLOB)), ("", digest(BLOB))):
        assert registry.client.post(path, params={"mount": blob, "from": where}).status_code == 202


def test_a_blob_is_missing_in_a_repository_that_it_was_not_pushed_to(registry: Registry) -> None:
    registry.blob(BLOB)
    assert registry.code("GET", f"/v2/acme/sales/blobs/{digest(BLOB)}") == (404, "BLOB_UNKNOWN")
    raw = registry.image()
    refused = registry.client.put("/v2/acme/sales/manifests/v1", content=raw, headers={"Content-Type": OCI_MANIFEST})
    assert refused.json()["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"


def test_an_upload_can_be_cancelled(registry: Registry) -> None:
    where = registry.client.post(f"/v2/{REPOSITORY}/blobs/uploads/").headers["location"]
    assert registry.client.delete(where).status_code == 204
    assert registry.code("PATCH", where, b"x") == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_manifest_is_found_by_tag_and_digest_after_a_restart(registry: Registry) -> None:
    raw = registry.image()
    assert registry.put(raw, "v1") == (201, "")
    registry.restart()
    for reference in ("v1", digest(raw)):
        answer = registry.client.get(f"/v2/{REPOSITORY}/manifests/{reference}")
        assert (answer.content, answer.headers["content-type"]) == (raw, OCI_MANIFEST)
        assert answer.headers["docker-content-digest"] == digest(raw)
    assert registry.client.get(f"/v2/{REPOSITORY}/tags/list").json()["tags"] == ["v1"]
    assert registry.client.get("/v2/_catalog").json() == {"repositories": [REPOSITORY]}


def test_a_tag_can_move_and_the_digest_stays(registry: Registry) -> None:
    old, new = registry.image(), registry.image(architecture="arm64")
    registry.put(old, "v1")
    registry.put(new, "v1")
    found = [registry.store.stored_manifest(REPOSITORY, r) for r in ("v1", digest(old))]
    assert [m.raw for m in found if m] == [new, old]


def test_deleting_a_manifest_deletes_its_tags_and_deleting_a_tag_keeps_the_manifest(registry: Registry) -> None:
    raw = registry.image()
    registry.put(raw, "v1")
    registry.put(raw, "v2")
    base = f"/v2/{REPOSITORY}/manifests"
    assert registry.client.delete(f"{base}/v2").status_code == 202
    assert registry.store.stored_manifest(REPOSITORY, "v1") is not None
    assert registry.client.delete(f"{base}/{digest(raw)}").status_code == 202
    assert registry.code("GET", f"{base}/v1") == (404, "MANIFEST_UNKNOWN")
    assert registry.code("DELETE", f"{base}/v1") == (404, "MANIFEST_UNKNOWN")


def test_referrers_of_an_image_are_listed_by_type(registry: Registry) -> None:
    image = registry.image()
    registry.put(image, "v1")
    path = f"/v2/{REPOSITORY}/referrers/{digest(image)}"
    assert registry.client.get(path).json()["manifests"] == []
    subject = {"mediaType": OCI_MANIFEST, "digest": digest(image), "size": len(image)}
    for kind in ("application/spdx+json", "application/vnd.example.signature"):
        document = json.loads(image) | {"artifactType": kind, "subject": subject, "annotations": {"a": "b"}}
        raw = json.dumps(document).encode()
        answer = registry.client.put(
            f"/v2/{REPOSITORY}/manifests/{digest(raw)}", content=raw, headers={"Content-Type": OCI_MANIFEST}
        )
        assert answer.headers["oci-subject"] == digest(image)
    answer = registry.client.get(path)
    assert answer.headers["content-type"] == OCI_INDEX
    assert [entry["artifactType"] for entry in answer.json()["manifests"]] == [
        "application/spdx+json",
        "application/vnd.example.signature",
    ]
    filtered = registry.client.get(path, params={"artifactType": "application/spdx+json"})
    assert filtered.headers["oci-filters-applied"] == "artifactType"
    assert [entry["annotations"] for entry in filtered.json()["manifests"]] == [{"a": "b"}]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_cache_of_buildkit_is_an_index_of_blobs(registry: Registry, *, is_there: bool) -> None:
    """Finding D: `cache="registry"` ended in `blob unknown to registry`."""
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(BLOB)}
    config = {"mediaType": "application/vnd.buildkit.cacheconfig.v0", "digest": NOWHERE}
    registry.blob(BLOB)
    if is_there:
        registry.blob(b"{}")
        config["digest"] = digest(b"{}")
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [layer, config]}).encode()
    refusal = (404, "MANIFEST_BLOB_UNKNOWN")
    assert registry.put(index, "buildcache", OCI_INDEX) == ((201, "") if is_there else refusal)


def test_an_index_resolves_to_its_linux_amd64_image(registry: Registry) -> None:
    images = {a: registry.image(architecture=a) for a in ("arm64", "amd64")}
    for raw in images.values():
        registry.put(raw, digest(raw))
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {"mediaType": OCI_MANIFEST, "digest": digest(raw), "platform": {"os": "linux", "architecture": a}}
                for a, raw in images.items()
            ],
        }
    ).encode()
    assert registry.put(index, "v1", OCI_INDEX) == (201, "")
    found = registry.store.manifest(REPOSITORY, "v1")
    assert found is not None
    assert found.digest == digest(images["amd64"])
    assert [layer.path.read_bytes() for layer in registry.store.layers(found)] == [BLOB]


@pytest.mark.parametrize(
    ("body", "reference", "media_type", "refusal"),
    [
        ({"config": {"digest": NOWHERE}}, "v1", OCI_MANIFEST, (404, "MANIFEST_BLOB_UNKNOWN")),
        ({"layers": [{"digest": NOWHERE}]}, "v1", OCI_MANIFEST, (404, "MANIFEST_BLOB_UNKNOWN")),
        ({"manifests": [{"digest": NOWHERE}]}, "v1", OCI_INDEX, (404, "MANIFEST_BLOB_UNKNOWN")),
        ({"mediaType": OCI_INDEX}, "v1", OCI_MANIFEST, (400, "MANIFEST_INVALID")),
        ({}, NOWHERE, OCI_MANIFEST, (400, "DIGEST_INVALID")),
        ({}, "-bad", OCI_MANIFEST, (400, "TAG_INVALID")),
        ({}, "v1", "text/plain", (415, "MANIFEST_INVALID")),
        ([], "v1", OCI_MANIFEST, (400, "MANIFEST_INVALID")),
    ],
)
def test_a_bad_manifest_is_refused(
    registry: Registry, body: object, reference: str, media_type: str, refusal: tuple[int, str]
) -> None:
    assert registry.put(json.dumps(body).encode(), reference, media_type) == refusal


def test_a_manifest_that_is_not_json_is_refused(registry: Registry) -> None:
    for raw in (b"{", b'{"mediaType": NaN}', b'{"mediaType": "\\ud800"}'):
        assert registry.put(raw, "v1") == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "/v2/Acme/manifests/v1", (400, "NAME_INVALID")),
        ("GET", "/v2/a/%2E%2E/%2E%2E/etc/manifests/v1", (400, "NAME_INVALID")),
        ("GET", "/v2/acme/blobs/sha256:..%2F..%2Fpasswd", (404, "UNSUPPORTED")),
        ("GET", "/v2/acme/blobs/sha512:00", (400, "DIGEST_INVALID")),
        ("GET", f"/v2/acme/blobs/{NOWHERE}", (404, "BLOB_UNKNOWN")),
        ("GET", "/v2/acme/blobs/uploads/..", (404, "UNSUPPORTED")),
        ("GET", "/v2/acme/tags/list", (404, "NAME_UNKNOWN")),
        ("DELETE", f"/v2/acme/blobs/{NOWHERE}", (405, "UNSUPPORTED")),
    ],
)
def test_missing_content_has_the_specifications_error_codes(
    registry: Registry, method: str, path: str, refusal: tuple[int, str]
) -> None:
    assert registry.code(method, path) == refusal


def test_lists_have_pages(registry: Registry) -> None:
    raw = registry.image()
    for tag in ("c", "a", "b"):
        registry.put(raw, tag)
    path, tags = f"/v2/{REPOSITORY}/tags/list?n=2", []
    while path:
        answer = registry.client.get(path)
        tags += answer.json()["tags"]
        path = answer.headers.get("link", "").partition(">")[0].lstrip("<")
    assert tags == ["a", "b", "c"]
    assert registry.client.get("/v2/_catalog?n=x").status_code == 400


def test_only_this_machine_may_push(registry: Registry) -> None:
    registry.restart(host="192.0.2.7")
    assert registry.code("POST", f"/v2/{REPOSITORY}/blobs/uploads/") == (403, "DENIED")
    assert registry.client.get("/v2/").status_code == 200
