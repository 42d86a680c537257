from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Protocol

import pytest

from foundry_emulator.registry import Layer, Manifest, PulledImage
from foundry_emulator.runtime import StartFailed
from foundry_emulator.runtime.unpack import unpacked

Entry = tuple[tarfile.TarInfo, bytes]


class MakeImage(Protocol):
    def __call__(self, *layers: list[Entry], compress: bool = False) -> PulledImage: ...


def entry(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "", mode: int = 0o644) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(content), mode
    return info, content


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> Entry:
    return entry(name, content=content, mode=mode)


def folder(name: str) -> Entry:
    return entry(name, tarfile.DIRTYPE, mode=0o755)


def link(name: str, target: str) -> Entry:
    return entry(name, tarfile.SYMTYPE, link=target)


@pytest.fixture
def image(tmp_path: Path) -> MakeImage:
    def make(*layers: list[Entry], compress: bool = False) -> PulledImage:
        kept = []
        for number, entries in enumerate(layers):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w") as archive:
                for info, content in entries:
                    archive.addfile(info, io.BytesIO(content))
            raw = gzip.compress(buffer.getvalue()) if compress else buffer.getvalue()
            path = tmp_path / f"layer-{number}"
            path.write_bytes(raw)
            kept.append(Layer(digest=f"sha256:{number}", media_type="tar", path=path))
        parsed: dict[str, object] = {"layers": [{"digest": layer.digest} for layer in kept]}
        manifest = Manifest(digest="sha256:abc", media_type="m", raw=b"", parsed=parsed)
        return PulledImage(repository="r", manifest=manifest, config={}, layers=kept)

    return make


@pytest.mark.parametrize("compress", [False, True])
def test_files_folders_and_modes_are_unpacked_unchanged(image: MakeImage, tmp_path: Path, *, compress: bool) -> None:
    made = image([folder("app"), file("app/run.sh", b"#!", 0o755), file("app/data", b"d", 0o440)], compress=compress)
    root = unpacked(made, tmp_path / "images")
    assert (root / "app/run.sh").read_bytes() == b"#!"
    assert (root / "app/run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / "app/data").stat().st_mode & 0o777 == 0o640


def test_an_image_is_unpacked_once_per_digest(image: MakeImage, tmp_path: Path) -> None:
    made = image([file("a")])
    root = unpacked(made, tmp_path / "images")
    (root / "marker").touch()
    assert unpacked(made, tmp_path / "images") == root
    assert (root / "marker").exists()


def test_upper_layers_replace_and_whiteouts_remove(image: MakeImage, tmp_path: Path) -> None:
    lower = [folder("d"), file("d/a", b"1"), file("d/b", b"1"), folder("e"), file("e/a"), file("gone"), folder("f")]
    upper = [
        file("d/a", b"2"),
        file("d/.wh.b", b""),
        file("e/.wh..wh..opq", b""),
        file("e/new"),
        file(".wh.gone"),
        file("f"),
    ]
    root = unpacked(image(lower, upper), tmp_path / "images")
    assert (root / "d/a").read_bytes() == b"2"
    assert not (root / "d/b").exists()
    assert [path.name for path in (root / "e").iterdir()] == ["new"]
    assert not (root / "gone").exists()
    assert (root / "f").is_file()


def test_an_absolute_link_starts_at_the_images_root(image: MakeImage, tmp_path: Path) -> None:
    root = unpacked(image([file("usr/bin/tool", b"t"), link("bin/tool", "/usr/bin/tool")]), tmp_path / "images")
    assert (root / "bin/tool").read_bytes() == b"t"
    assert (root / "bin/tool").resolve().is_relative_to(root.resolve())


def test_a_hard_link_within_the_image_works(image: MakeImage, tmp_path: Path) -> None:
    root = unpacked(image([file("a", b"1"), entry("b", tarfile.LNKTYPE, link="a")]), tmp_path / "images")
    assert (root / "b").read_bytes() == b"1"


@pytest.mark.parametrize(
    "entries",
    [
        [file("../escaped")],
        [file("a/../../escaped")],
        [link("out", "../../..")],
        [link("out", "../../../etc/passwd")],
        [folder("d"), link("d/out", "../../escaped")],
        [entry("hard", tarfile.LNKTYPE, link="../../secret")],
        [file(".wh...")],
        [folder("a"), file("a/.wh...")],
        [folder("a"), file("a/..")],
        [link("a/b", ".."), file("a/b/../../../escaped")],
    ],
)
def test_nothing_is_written_or_linked_outside_of_the_image(
    image: MakeImage, tmp_path: Path, entries: list[Entry]
) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "neighbour").write_text("n")
    made = image(entries)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StartFailed, match=r"leads outside|names nothing") as failed:
        unpacked(made, tmp_path / "images")
    assert failed.value.code == "ImageError"
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["neighbour"], (
        "a half-unpacked image is not left behind"
    )


def test_an_absolute_path_is_below_the_root(image: MakeImage, tmp_path: Path) -> None:
    root = unpacked(image([file("/etc/thing", b"t")]), tmp_path / "images")
    assert (root / "etc/thing").read_bytes() == b"t"


def test_a_damaged_or_missing_layer_is_an_image_error(image: MakeImage, tmp_path: Path) -> None:
    made = image([file("a")])
    made.layers[0].path.write_bytes(b"not a tar file")
    with pytest.raises(StartFailed, match="can't be unpacked"):
        unpacked(made, tmp_path / "images")
    made.layers.clear()
    with pytest.raises(StartFailed, match="not in the registry"):
        unpacked(made, tmp_path / "images")
