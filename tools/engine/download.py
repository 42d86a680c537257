"""The official release: fetched, checked against the published SHA-256, unpacked.

The checksum comes from the same host as the archive: it tells a cut or altered transfer, not a host that lies.
"""

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

from .errors import WayFailed
from .machine import Machine
from .recipes import Recipe

CHUNK = 1 << 20
MEGABYTE = 1_000_000


def download(recipe: Recipe, machine: Machine, workshop: Path, bin_folder: Path) -> None:
    """Put the programs of the official release into ``bin_folder``.

    Raises:
        WayFailed: no release for this platform, not reachable, not what was published.
    """
    release = recipe.release
    if release is None:
        raise WayFailed(f"{recipe.name} is not fetched from a release")
    if machine.platform not in release.platforms:
        raise WayFailed(f"there is no official release for {machine.platform}")
    base = (machine.releases or release.base).rstrip("/")
    names = {"version": recipe.version, "platform": machine.platform}
    archive = release.archive.format(**names)
    machine.say(f"downloading {base}/{archive} (about {release.takes} on a fast line)")
    expected = _published_sum(f"{base}/{release.checksums.format(**names)}", archive, machine)
    file = workshop / archive
    actual = _fetch(f"{base}/{archive}", file, machine)
    if actual != expected:
        file.unlink()
        raise WayFailed(
            f"{base}/{archive} has the SHA-256 {actual}, but {expected} was published; the file was thrown away"
        )
    _unpack(file, release.folder, bin_folder)


def _published_sum(url: str, archive: str, machine: Machine) -> str:
    """Fetch the list of sums and return that of ``archive``; a short timeout, since this is the first contact."""
    try:
        with _open(url, machine.connect_timeout_s) as answer:
            text = answer.read().decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise WayFailed(f"{url} can't be read: {_reason(error)}") from error
    for line in text.splitlines():
        match line.split():
            case [digest, name] if name.lstrip("*") == archive:
                return digest.lower()
    raise WayFailed(f"{url} lists no sum for {archive}")


def _fetch(url: str, file: Path, machine: Machine) -> str:
    """Write what is at ``url`` to ``file``, telling every tenth, and return its SHA-256 in hex."""
    digest = hashlib.sha256()
    try:
        with _open(url, machine.patience_s) as answer, file.open("wb") as out:
            total = int(answer.headers.get("content-length", 0))
            done = told = 0
            while chunk := answer.read(CHUNK):
                out.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if total and done * 10 // total > told:
                    told = done * 10 // total
                    machine.say(f"  {told * 10} % of {total / MEGABYTE:.1f} MB")
    except (OSError, http.client.HTTPException) as error:
        raise WayFailed(f"{url} can't be read: {_reason(error)}") from error
    if done < total:
        raise WayFailed(f"{url} was cut off after {done} of {total} bytes")
    return digest.hexdigest()


def _open(url: str, timeout_s: float) -> http.client.HTTPResponse:
    if not url.startswith(("https://", "http://")):
        raise WayFailed(f"{url} is no http or https address")
    answer: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=timeout_s)  # noqa: S310 - just checked
    return answer


def _reason(error: Exception) -> str:
    return str(error.reason) if isinstance(error, urllib.error.URLError) else str(error) or type(error).__name__


def _unpack(file: Path, folder: str, bin_folder: Path) -> None:
    """Write the plain files directly inside ``folder`` of the archive; links and other paths are passed over."""
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
        raise WayFailed(f"{file.name} can't be unpacked: {error}") from error
