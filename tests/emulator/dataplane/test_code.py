"""Code agents: the zip comes in a multipart body, is run and can be downloaded."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from foundry_emulator.dataplane.code import Upload, read_upload
from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.runtime import Code, StartFailed
from foundry_emulator.runtime.unpack import unpacked_code
from tests.emulator.api import Api, Json

Parts = dict[str, tuple[str | None, bytes | str, str]]
CODE = {"runtime": "python_3_14", "entry_point": ["python", "main.py"], "dependency_resolution": "bundled"}


def zipped(text: str = "print()", name: str = "main.py") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def upload(api: Api, archive: bytes, code: Json | None = None, announced: str = "") -> httpx.Response:
    definition = api.definition(container_configuration=None, code_configuration=CODE if code is None else code)
    metadata = json.dumps({"definition": definition, "metadata": {"a": "b"}})
    parts: Parts = {
        "code": ("a.zip", archive, "application/octet-stream"),
        "metadata": (None, metadata, "application/json"),
    }
    headers = {"x-ms-code-zip-sha256": announced} if announced else {}
    return api.http.post("/agents/support/versions", files=parts, headers=headers)


def test_a_zip_creates_a_version_that_shows_its_digest_and_answers(api: Api) -> None:
    archive = zipped()
    made = upload(api, archive).json()
    digest = hashlib.sha256(archive).hexdigest()
    assert made["definition"]["code_configuration"] == {**CODE, "content_hash": digest}
    assert (made["version"], made["metadata"], made["status"]) == ("1", {"a": "b"}, "creating")
    assert api.settled("support", "1")["status"] == "active"
    assert api.served_by("support") == "1"


def test_a_zip_comes_back_byte_for_byte_with_its_digest(api: Api) -> None:
    first, second = zipped("1\r\n--x\r\n"), zipped("2")
    upload(api, first)
    upload(api, second)
    latest = api.http.get("/agents/support/code:download")
    assert (latest.content, latest.headers["x-ms-code-zip-sha256"]) == (second, hashlib.sha256(second).hexdigest())
    assert api.http.get("/agents/support/code:download", params={"agent_version": "1"}).content == first


def test_an_image_has_no_zip_to_download(api: Api) -> None:
    api.create("support")
    answer = api.http.get("/agents/support/code:download")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "AgentNotCodeBased")


def test_the_same_zip_and_settings_repeat_the_latest_version_and_either_alone_does_not(api: Api) -> None:
    same = [upload(api, zipped("1")), upload(api, zipped("1"))]
    other = upload(api, zipped("2"))
    rebuilt = upload(api, zipped("2"), CODE | {"dependency_resolution": "remote_build"})
    assert [answer.json()["version"] for answer in (*same, other, rebuilt)] == ["1", "1", "2", "3"]


@pytest.mark.parametrize(
    "change",
    [{"runtime": "cobol"}, {"entry_point": []}, {"entry_point": "python"}, {"dependency_resolution": None}],
)
def test_an_invalid_code_configuration_is_a_400_and_creates_nothing(api: Api, change: Json) -> None:
    assert upload(api, zipped(), CODE | change).status_code == 400
    assert api.http.get("/agents/support").status_code == 404


def test_an_invalid_zip_and_one_with_another_digest_are_400s(api: Api) -> None:
    assert upload(api, b"no zip").status_code == 400
    assert upload(api, zipped(), announced="0" * 64).status_code == 400
    right = hashlib.sha256(zipped()).hexdigest().upper()
    assert upload(api, zipped(), announced=right).status_code == 200


def test_code_without_a_zip_and_a_zip_without_code_are_400s(api: Api) -> None:
    assert api.post("support", api.definition(container_configuration=None, code_configuration=CODE)).status_code == 400
    parts: Parts = {
        "metadata": (None, json.dumps({"definition": api.definition()}), "application/json"),
        "code": ("a.zip", zipped(), "application/octet-stream"),
    }
    assert api.http.post("/agents/support/versions", files=parts).status_code == 400


METADATA = b'--b\r\ncontent-disposition: form-data; name="metadata"\r\n\r\n{}\r\n'
ZIP = b'--b\r\ncontent-disposition: form-data; name="code"; filename="a.zip"\r\n\r\n' + zipped() + b"\r\n"
BODY = METADATA + ZIP + b"--b--\r\n"


def read(content_type: str, body: bytes) -> Upload:
    async def chunks() -> AsyncGenerator[bytes, None]:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    return asyncio.run(read_upload(content_type, None, chunks()))


def test_a_multipart_body_is_read_as_it_arrives_whatever_the_order_of_its_parts() -> None:
    for body in (BODY, ZIP + METADATA + b"--b--\r\n"):
        found = read("multipart/form-data; boundary=b", body)
        assert (found.metadata, found.archive) == ({}, zipped())


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", BODY),
        ("multipart/form-data; boundary=other", BODY),
        ("multipart/form-data; boundary=b", BODY.removesuffix(b"--b--\r\n")),
        ("multipart/form-data; boundary=b", METADATA + b"--b--\r\n"),
        ("multipart/form-data; boundary=b", METADATA + ZIP.replace(b"\r\n\r\n", b"\r\n", 1) + b"--b--\r\n"),
        ("multipart/form-data; boundary=b", METADATA + ZIP.replace(b' name="code";', b"") + b"--b--\r\n"),
        ("multipart/form-data; boundary=b", METADATA + ZIP.replace(b"a.zip", b"a.txt") + b"--b--\r\n"),
        ("multipart/form-data; boundary=\xe9", BODY),
        ("multipart/form-data; boundary=b", b""),
    ],
)
def test_a_malformed_multipart_body_is_a_400(content_type: str, body: bytes) -> None:
    with pytest.raises(ServiceProblem) as problem:
        read(content_type, body)
    assert problem.value.status == 400


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py", "..\\out.py"])
def test_a_zip_that_reaches_outside_of_itself_is_a_code_error(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "code.zip"
    archive.write_bytes(zipped(name=name))
    with pytest.raises(StartFailed) as failure:
        unpacked_code(Code(archive, "0" * 64, ("python", "main.py")), tmp_path / "images")
    assert failure.value.code == "CodeError"
    assert list(tmp_path.rglob("out.py")) == []
