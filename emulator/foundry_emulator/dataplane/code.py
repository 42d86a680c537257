"""Code of agents: the multipart upload, and the folder of the zips (service-contract 2.1, 2.2)."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

from foundry_emulator.dataplane.multipart import read_parts
from foundry_emulator.dataplane.problem import invalid
from foundry_emulator.dataplane.wire import parse_object, without_nulls

MAX_ZIP_BYTES = 250 * 1024 * 1024  # [sdk]
HASH_HEADER = "x-ms-code-zip-sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """The content of a multipart create.

    Attributes:
        metadata: The JSON part: definition, description and metadata, nulls dropped.
        archive: The zip.
        sha256: Its digest in hex.
    """

    metadata: dict[str, object]
    archive: bytes
    sha256: str


class CodeStore:
    """Zips by digest; a digest is written once and never changed.

    Args:
        folder: The folder of the zips.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, upload: Upload) -> None:
        """Store a zip completely or not at all."""
        path = self.path(upload.sha256)
        if not path.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_bytes(upload.archive)
            draft.replace(path)

    def path(self, sha256: str) -> Path:
        """Return the path of the zip with that digest, stored or not."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"expected a SHA-256 in hex, got {sha256!r}")
        return self._folder / f"{sha256}.zip"


def code_hash_of(definition: Mapping[str, object]) -> str | None:
    """Return ``code_configuration.content_hash`` of a code agent's definition, None for an image agent's."""
    code = definition.get("code_configuration")
    digest = code.get("content_hash") if isinstance(code, Mapping) else None
    return digest if isinstance(digest, str) else None


async def read_upload(content_type: str, claimed: str | None, chunks: AsyncGenerator[bytes, None]) -> Upload:
    """Read the parts of a multipart create, in any order [sdk].

    Args:
        content_type: The request's header.
        claimed: The request's ``x-ms-code-zip-sha256``, or None.
        chunks: The request's body as it arrives.

    Raises:
        ServiceProblem: 400 for a malformed body, or for a zip that does not match the header; the codes are
            [modelled].
    """
    parts = await read_parts(content_type, chunks, limit=MAX_ZIP_BYTES)
    missing = [name for name in ("metadata", "code") if name not in parts]
    if missing:
        raise invalid(f"The multipart body lacks the part '{missing[0]}'.", missing[0])
    archive, name = parts["code"].content, parts["code"].filename
    if name is None or not name.lower().endswith(".zip"):
        raise invalid("The part 'code' must have a filename that ends in .zip.", "code")
    if not zipfile.is_zipfile(io.BytesIO(archive)):
        raise invalid("The part 'code' is not a zip file.", "code")
    digest = hashlib.sha256(archive).hexdigest()
    if claimed is not None and claimed.lower() != digest:
        raise invalid(f"The zip's SHA-256 is {digest}, not {HASH_HEADER}'s.", HASH_HEADER)
    return Upload(without_nulls(parse_object(parts["metadata"].content)), archive, digest)
