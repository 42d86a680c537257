"""The official release: fetched, checked against the published SHA-256, unpacked.

The checksum comes from the same host as the archive: it finds a truncated or altered transfer, not a compromised host.
"""

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

from .errors import SourceFailed
from .machine import Machine
from .package import Package

CHUNK = 1 << 20
MEGABYTE = 1_000_000


def download(package: Package, machine: Machine, scratch: Path, bin_folder: Path) -> None:
    """Put the programs of the official release into ``bin_folder``.

    Raises:
        SourceFailed: There is no release for this platform, it cannot be reached, or its checksum differs.
    """
    release = package.release
    if release is None:
        raise SourceFailed(f"{package.name} is not fetched from a release")
    if machine.platform not in release.platforms:
        raise SourceFailed(f"there is no official release for {machine.platform}")
    base = (machine.releases or release.base).rstrip("/")
    names = {"version": package.version, "platform": machine.platform}
    archive = release.archive.format(**names)
    machine.say(f"downloading {base}/{archive} (about {release.takes} on a fast line)")
    expected = _published_sum(f"{base}/{release.checksums.format(**names)}", archive, machine)
    file = scratch / archive
    actual = _fetch(f"{base}/{archive}", file, machine)
    if actual != expected:
        file.unlink()
        raise SourceFailed(
            f"{base}/{archive} has the SHA-256 {actual}, but {expected} was published; the file was deleted"
        )
    _unpack(file, release.folder, bin_folder)


def _published_sum(url: str, archive: str, machine: Machine) -> str:
    """Fetch the list of checksums and return that of ``archive``; this first request has a short timeout."""
    try:
        with _open(url, machine.connect_timeout_s) as answer:
            text = answer.read().decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise SourceFailed(f"{url} cannot be read: {_reason(error)}") from error
    for line in text.splitlines():
        match line.split():
            case [digest, name] if name.lstrip("*") == archive:
                return digest.lower()
    raise SourceFailed(f"{url} lists no checksum for {archive}")


def _fetch(url: str, file: Path, machine: Machine) -> str:
    """Write what is at ``url`` to ``file``, report every tenth, and return its SHA-256 in hex."""
    digest = hashlib.sha256()
    try:
        with _open(url, machine.silence_timeout_s) as answer, file.open("wb") as out:
            total = int(answer.headers.get("content-length", 0))
            done = reported = 0
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if total and done * 10 // total > reported:
                    reported = done * 10 // total
                    machine.say(f"  {reported * 10} % of {total / MEGABYTE:.1f} MB")
    except (OSError, http.client.HTTPException) as error:
        raise SourceFailed(f"{url} cannot be read: {_reason(error)}") from error
    if done < total:
        raise SourceFailed(f"{url} was cut off after {done} of {total} bytes")
    return digest.hexdigest()


def _open(url: str, timeout_s: float) -> http.client.HTTPResponse:
    if not url.startswith(("https://", "http://")):
        raise SourceFailed(f"{url} is not an http or https address")
    answer: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=timeout_s)  # noqa: S310 - just checked
    return answer


def _reason(error: Exception) -> str:
    return str(error.reason) if isinstance(error, urllib.error.URLError) else str(error) or type(error).__name__


def _unpack(file: Path, folder: str, bin_folder: Path) -> None:
    """Write the plain files directly inside ``folder`` of the archive; skip links and other paths."""
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if member.isfile() and path.parent == PurePosixPath(folder) and (data := archive.extractfile(member)):
                    target = bin_folder / path.name
                    with data, target.open("wb") as out:
                        shutil.copyfileobj(data, out)
                    target.chmod(0o755)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SourceFailed(f"{file.name} cannot be unpacked: {error}") from error
