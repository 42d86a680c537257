from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from foundry_emulator.registry import PushError, RegistryStore, pack, push
from foundry_emulator.registry.distribution import Distribution
from foundry_emulator.store import Store


def sources(folder: Path, *, reverse: bool = False) -> Path:
    files = {"main.py": "print('hi')\n", "lib/tool.py": "x = 1\n", "secret.env": "KEY=1\n", "lib/deep/x.log": "log\n"}
    for name in sorted(files, reverse=reverse):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(files[name])
    return folder


def names(layer: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        return tar.getnames()


def test_a_folder_packs_to_the_same_bytes_everywhere(tmp_path: Path) -> None:
    one, two = sources(tmp_path / "one"), sources(tmp_path / "elsewhere" / "two", reverse=True)
    os.utime(two / "main.py", (1, 1))
    (two / "__pycache__").mkdir()
    (two / "__pycache__" / "main.cpython-311.pyc").write_bytes(b"made here")
    assert pack(one) == pack(two)


def test_a_known_folder_has_a_known_digest(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print('hi')\n")
    (tmp_path / "main.py").chmod(0o644)
    packed = pack(tmp_path, env={"B": "2", "A": "1"})
    assert packed.digest == "sha256:e8161184cb5aadb97749ecf7bf4b1891072443946bdb4e1b23b7d2af6c38898d"


def test_the_image_has_an_entrypoint(tmp_path: Path) -> None:
    packed = pack(sources(tmp_path), entrypoint=["python", "-m", "agent"], env={"B": "2", "A": "1"})
    config = json.loads(packed.config)
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["Entrypoint"] == ["python", "-m", "agent"]
    assert config["config"]["Env"] == ["A=1", "B=2"]
    assert config["config"]["WorkingDir"] == "/app"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(packed.layer).hexdigest()}"]


def test_the_files_are_below_app(tmp_path: Path) -> None:
    assert names(pack(sources(tmp_path)).layer) == [
        "app",
        "app/lib",
        "app/lib/deep",
        "app/lib/deep/x.log",
        "app/lib/tool.py",
        "app/main.py",
        "app/secret.env",
    ]


def test_dockerignore_patterns_start_at_the_root(tmp_path: Path) -> None:
    sources(tmp_path)
    (tmp_path / ".dockerignore").write_text("# not shipped\n*.env\n**/*.log\ntool.py\nlib/deep\n")
    assert names(pack(tmp_path).layer) == ["app", "app/lib", "app/lib/tool.py", "app/main.py"]


def test_links_inside_are_kept_and_links_out_are_refused(tmp_path: Path) -> None:
    folder = sources(tmp_path / "agent")
    (folder / "again.py").symlink_to("main.py")
    with tarfile.open(fileobj=io.BytesIO(pack(folder).layer)) as tar:
        assert tar.getmember("app/again.py").linkname == "main.py"
    (tmp_path / "outside").write_text("")
    (folder / "out").symlink_to("../outside")
    with pytest.raises(ValueError, match="symbolic link that leads out of"):
        pack(folder)


class Wire:
    """An httpx client whose requests go to a registry in this process, and are counted."""

    def __init__(self, folder: Path) -> None:
        self.store = RegistryStore(folder, Store(None))
        self.seen: list[str] = []
        app = TestClient(Starlette(routes=Distribution(self.store).routes()), client=("127.0.0.1", 40000))

        def forward(request: httpx.Request) -> httpx.Response:
            self.seen.append(request.method)
            answer = app.request(
                request.method, str(request.url), content=request.read(), headers=dict(request.headers)
            )
            return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)

        self.client = httpx.Client(transport=httpx.MockTransport(forward))


def test_a_pushed_image_is_in_the_registry_and_the_second_push_uploads_nothing(tmp_path: Path) -> None:
    wire, packed = Wire(tmp_path / "data"), pack(sources(tmp_path / "agent"))
    pinned = push(packed, "http://testserver", "acme/support", "v1", client=wire.client)
    assert pinned == f"acme/support@{packed.digest}"
    found = wire.store.manifest("acme/support", packed.digest)
    assert found is not None
    assert wire.store.layers(found)[0].path.read_bytes() == packed.layer
    wire.seen.clear()
    push(packed, "http://testserver", "acme/support", "v1", client=wire.client)
    assert wire.seen == ["HEAD"]


def test_a_refused_push_reports_the_registrys_response(tmp_path: Path) -> None:
    wire, packed = Wire(tmp_path / "data"), pack(sources(tmp_path / "agent"))
    with pytest.raises(PushError, match="NAME_INVALID"):
        push(packed, "http://testserver", "Acme", "v1", client=wire.client)
