"""What is made of the documents of an image: of every form that OCI allows, and of what is no image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pytest

from foundry_agents.lifecycle.image_manifests import DEEPEST, MOST_DOCUMENTS, ImageReader
from foundry_agents.lifecycle.views import ImageView

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
UNKNOWN = {"os": "unknown", "architecture": "unknown"}
AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64"}


class Documents:
    """A registry of documents by digest."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.reads = 0

    def add(self, document: object) -> str:
        """Store a document as JSON, or bytes as they are; return its digest."""
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        self.held[digest] = raw
        return digest

    def image(self, platform: Mapping[str, str] = AMD64, *, command: str = "python", **more: object) -> str:
        """Store an image; return its digest."""
        config = self.add({**platform, "config": {"Entrypoint": [command], **more}})
        return self.add({"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": config}, "layers": []})

    def index(self, *entries: Mapping[str, object]) -> str:
        """Store an index; return its digest."""
        return self.add({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)})

    def view(self, digest: str) -> ImageView | None:
        """Return what is read of an image."""
        return ImageReader(manifest=self._read, blob=self._read).view(digest)

    def _read(self, digest: str) -> bytes | None:
        self.reads += 1
        return self.held.get(digest)


@pytest.fixture
def held() -> Documents:
    return Documents()


def test_a_single_image_is_described(held: Documents) -> None:
    image = held.image(Cmd=["main.py"], ExposedPorts={"8088/tcp": {}})
    assert held.view(image) == ImageView(image, ("linux/amd64",), ("python", "main.py"), ("8088/tcp",))


def test_what_the_registry_does_not_have_is_none(held: Documents) -> None:
    assert held.view(f"sha256:{'0' * 64}") is None


def test_an_index_whose_entries_have_no_platform_is_read_to_their_configurations(held: Documents) -> None:
    """Finding D: OCI allows it, and it was refused as for no platform."""
    index = held.index({"digest": held.image(ARM64)}, {"digest": held.image(command="right")})
    assert held.view(index) == ImageView(index, ("linux/amd64",), ("right",))


def test_an_index_in_an_index_is_followed(held: Documents) -> None:
    """Finding D: it ended in a KeyError."""
    inner = held.index({"digest": held.image(command="right"), "platform": AMD64})
    for entry in ({"digest": inner}, {"digest": inner, "platform": AMD64}, {"digest": inner, "mediaType": INDEX}):
        outer = held.index(entry)
        assert held.view(outer) == ImageView(outer, ("linux/amd64",), ("right",))


def test_indexes_are_followed_to_a_depth_and_no_deeper(held: Documents) -> None:
    """Finding D."""
    digest = held.image()
    for _ in range(DEEPEST):
        digest = held.index({"digest": digest})
    assert held.view(digest) == ImageView(digest, ("linux/amd64",), ("python",))
    deeper = held.view(held.index({"digest": digest}))
    assert deeper is not None
    assert "indexes within indexes" in deeper.problem


def test_an_index_of_very_many_entries_ends(held: Documents) -> None:
    """Finding D: bounded reads."""
    index = held.index(*({"digest": held.image(ARM64, command=str(number))} for number in range(MOST_DOCUMENTS)))
    found = held.view(index)
    assert found is not None
    assert "would have to be read" in found.problem
    assert held.reads == MOST_DOCUMENTS


def test_an_attestation_is_no_platform_and_is_not_read(held: Documents) -> None:
    """Finding D: BuildKit's provenance stands beside an image."""
    index = held.index(
        {"digest": f"sha256:{'1' * 64}", "platform": UNKNOWN}, {"digest": held.image(ARM64), "platform": ARM64}
    )
    assert held.view(index) == ImageView(index, ("linux/arm64",))


def test_of_several_images_for_the_platform_the_first_without_a_variant_counts(held: Documents) -> None:
    """Finding D: the last one counted, and container engines take another."""
    index = held.index(
        {"digest": held.image(command="without platform")},
        {"digest": held.image(command="variant"), "platform": {**AMD64, "variant": "v3"}},
        {"digest": held.image(command="first"), "platform": AMD64},
        {"digest": held.image(command="second"), "platform": AMD64},
    )
    found = held.view(index)
    assert found is not None
    assert found.command == ("first",)


def test_an_image_with_a_variant_alone_is_taken(held: Documents) -> None:
    index = held.index({"digest": held.image(), "platform": {**AMD64, "variant": "v2"}})
    assert held.view(index) == ImageView(index, ("linux/amd64",), ("python",))


def test_an_entry_that_is_no_image_does_not_hide_the_image_beside_it(held: Documents) -> None:
    index = held.index({"digest": held.add({"blobs": []})}, {"digest": held.image(), "platform": AMD64})
    assert held.view(index) == ImageView(index, ("linux/amd64",), ("python",))


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (b"<html>", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        ([], "is not a JSON object"),
        ({}, "names no configuration"),
        ({"schemaVersion": 1, "fsLayers": []}, "names no configuration"),
        ({"config": "sha256:"}, "names no configuration"),
        ({"config": {}}, "has no digest"),
        ({"config": {"digest": 7}}, "has no digest"),
        ({"config": {"digest": "../../../v2/other"}}, "has no digest"),
        ({"config": {"digest": f"sha256:{'1' * 64}"}}, "is not in the registry"),
        ({"manifests": {}}, "its index has another form"),
        ({"manifests": ["sha256:"]}, "its index has another form"),
        ({"manifests": [{}]}, "has no digest"),
        ({"manifests": [{"digest": f"sha256:{'1' * 64}", "platform": AMD64}]}, "which is not in the registry"),
    ],
)
def test_a_manifest_of_another_form_is_said_in_words(held: Documents, manifest: object, problem: str) -> None:
    """Finding D: raw KeyError and JSONDecodeError."""
    found = held.view(held.add(manifest))
    assert found is not None
    assert (found.platforms, found.command) == ((), ())
    assert problem in found.problem


@pytest.mark.parametrize(
    ("config", "problem"),
    [(b"no JSON", "is not JSON"), ([], "is not a JSON object"), ({}, "names no platform"), ({"os": 7}, "no platform")],
)
def test_a_configuration_of_another_form_is_said_in_words(held: Documents, config: object, problem: str) -> None:
    """Finding D: a configuration that is not JSON was a raw JSONDecodeError."""
    found = held.view(held.add({"config": {"digest": held.add(config)}}))
    assert found is not None
    assert problem in found.problem


@pytest.mark.parametrize("inner", [None, [], "x", {"Entrypoint": "python", "Cmd": 7, "ExposedPorts": ["8088/tcp"]}])
def test_a_command_of_another_form_is_none(held: Documents, inner: object) -> None:
    image = held.add({"config": {"digest": held.add({**AMD64, "config": inner})}})
    assert held.view(image) == ImageView(image, ("linux/amd64",))


@pytest.mark.parametrize("system", ["linux/arm64", "windows/amd64", "darwin/arm64"])
def test_an_image_for_another_platform_is_described_as_that(held: Documents, system: str) -> None:
    """With an index, and without."""
    os_name, architecture = system.split("/")
    platform = {"os": os_name, "architecture": architecture}
    image = held.image(platform)
    assert held.view(image) == ImageView(image, (system,))
    index = held.index({"digest": image, "platform": platform})
    assert held.view(index) == ImageView(index, (system,))


def test_an_entry_of_an_index_without_any_platform_at_all_is_passed_over(held: Documents) -> None:
    nothing = held.add({"config": {"digest": held.add({})}})
    index = held.index({"digest": nothing}, {"digest": held.image(command="right")})
    assert held.view(index) == ImageView(index, ("linux/amd64",), ("right",))


def test_other_platforms_of_an_index_are_not_read(held: Documents) -> None:
    missing = {"digest": f"sha256:{'1' * 64}", "platform": ARM64}
    index = held.index(missing, {"digest": held.image(command="right"), "platform": AMD64})
    assert held.view(index) == ImageView(index, ("linux/amd64",), ("right",))


@pytest.mark.parametrize("unclear", [{}, {"platform": {}}, {"platform": None}, {"platform": "linux/amd64"}], ids=str)
def test_an_entry_with_a_platform_comes_before_one_without(held: Documents, unclear: Mapping[str, object]) -> None:
    other = {"digest": held.image(command="other"), **unclear}
    exact = {"digest": held.image(command="right"), "platform": AMD64}
    variant = {"digest": held.image(command="variant"), "platform": {**AMD64, "variant": "v3"}}
    for entries, command in (((other, exact), "right"), ((other, variant), "variant"), ((variant, exact), "right")):
        index = held.index(*entries)
        assert held.view(index) == ImageView(index, ("linux/amd64",), (command,))
    alone = held.index(other)
    assert held.view(alone) == ImageView(alone, ("linux/amd64",), ("other",))
