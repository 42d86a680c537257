"""Generated folders, each as several machines have it, and the image that a real BuildKit makes of each."""

from __future__ import annotations

import os
import random
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.engine import plugin_folder

UMASKS = (0o022, 0o077, 0o002)

_TRIES = 5

_NAMES = (
    "main.py",
    "a b.txt",
    "gr\u00fcezi.md",
    "-x",
    "#n",
    "data.bin",
    "run.sh",
    "lib.so.1",
    "K",
    "[a].py",
    "x+y",
    "keep.txt",
)
_FOLDERS = ("", "src/", "src/deep/er/", "data/", "sp ace/", "\u00fc/")
_LITTER = (
    *(".git/config", ".git/index", "src/__pycache__/main.pyc", ".venv/bin/python", "env/pyvenv.cfg"),
    *(".env", "data/.env.local", ".azure/dev/.env", "state/.pulumi/stacks/dev.json", "src/.mypy_cache/x"),
    *(".DS_Store", "main.py~", ".foundry-agents/contexts/x", "node_modules/a/index.js", ".vscode/settings.json"),
)
"""Files that tools make on one machine and not on another."""

_RULES = (
    "data",
    "*.md",
    "**/*.bin",
    "!data/keep.txt",
    "src/*",
    "!src/main.py",
    "**/lib*",
    "[!a]*",
    "*",
    "!src",
    "!run.sh",
)


@dataclass(frozen=True)
class File:
    """What an image holds under a path.

    Attributes:
        kind: ``file``, ``folder`` or ``link``.
        mode: Its permissions.
        time: Seconds since 1970; layers have whole seconds.
        content: Bytes, or the target of a link.
    """

    kind: str
    mode: int
    time: int
    content: bytes

    @property
    def meaning(self) -> tuple[str, bytes]:
        """What its author decides: the rest belongs to machines."""
        return ("program" if self.kind == "file" and self.mode & 0o100 else self.kind, self.content)


@dataclass(frozen=True)
class Source:
    """A folder as its author means it.

    Attributes:
        files: Bytes by path.
        programs: Paths of executable files.
        links: Targets by path.
        rules: Text of the ignore file; empty for none.
    """

    files: dict[str, bytes]
    programs: frozenset[str]
    links: dict[str, str]
    rules: str

    @classmethod
    def generated(cls, rng: random.Random) -> Source:
        """Return one of a random shape; ``KEPT`` is in every image."""
        paths = rng.sample([f"{folder}{name}" for folder in _FOLDERS for name in _NAMES], rng.randint(1, 9))
        files = {path: rng.randbytes(rng.choice((0, 1, 20, 300))) for path in paths} | {"KEPT": rng.randbytes(8)}
        targets = (*paths, "../out", "/etc/passwd", "./x/", "nowhere")
        links = {f"{rng.choice(_FOLDERS)}link{number}": rng.choice(targets) for number in range(rng.randint(0, 2))}
        programs = frozenset(path for path in files if rng.random() < 0.3)
        rules = rng.sample(_RULES, rng.randint(0, 3))
        return cls(files, programs, links, "\n".join((*rules, "!KEPT")) if rules else "")

    def edited(self, rng: random.Random) -> Source:
        """Return the same folder after a small edit of what is in the image; sizes stay as they are."""
        edit = rng.choice(("byte", "mode", "name", "link"))
        if edit == "mode":
            return replace(self, programs=self.programs ^ {"KEPT"})
        files = dict(self.files)
        if edit == "byte":
            files["KEPT"] = bytes([files["KEPT"][0] ^ 1]) + files["KEPT"][1:]
            return replace(self, files=files)
        moved = files.pop("KEPT")
        rules = self.rules + "\n!KEPT2" if self.rules else ""
        if edit == "name":
            return replace(self, files={**files, "KEPT2": moved}, rules=rules)
        return replace(self, files=files, links={**self.links, "KEPT": "nowhere"})

    def write(self, folder: Path, umask: int, rng: random.Random) -> None:
        """Write the folder as one machine has it: with a umask, times, an empty folder and litter of its own."""
        before = os.umask(umask)
        try:
            for path, content in (*self.files.items(), *((path, rng.randbytes(9)) for path in _some_litter(rng))):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
            for path in self.programs & set(self.files):
                (folder / path).chmod((folder / path).stat().st_mode | 0o100)
            for path, target in self.links.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).symlink_to(target)
            (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
            if self.rules:
                (folder / ".dockerignore").write_text(self.rules, encoding="utf-8")
            (folder / f"empty{rng.randint(0, 9)}").mkdir()
        finally:
            os.umask(before)
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                os.utime(file, (time := rng.randint(10**9, 17 * 10**8), time))

    def is_in(self, image: Mapping[str, File]) -> bool:
        """Return whether an image holds only files of this folder, as they are, and the one that is always kept."""
        return {"KEPT", "KEPT2"} & set(image) != set() and all(
            file.kind == "folder" or path == "Dockerfile" or self._meaning(path) == file.meaning
            for path, file in image.items()
        )

    def _meaning(self, path: str) -> tuple[str, bytes] | None:
        if path in self.files:
            return ("program" if path in self.programs else "file", self.files[path])
        return ("link", self.links[path].encode()) if path in self.links else None

    def without_litter(self, image: Mapping[str, File]) -> dict[str, tuple[str, bytes]]:
        """Return the files and links of an image that this folder means; BuildKit's own build has litter, too."""
        meant = {*self.files, *self.links, "Dockerfile"}
        return {path: file.meaning for path, file in image.items() if path in meant and file.kind != "folder"}


def _some_litter(rng: random.Random) -> list[str]:
    return rng.sample(_LITTER, rng.randint(0, 4))


def built(endpoint: str, contexts: Sequence[Path], folder: Path, *, received_as: str) -> list[dict[str, File]]:
    """Return the files of ``COPY . .`` by path, for each context, without what an earlier build has left in caches.

    Args:
        endpoint: Of a BuildKit.
        contexts: Folders; each is a context of its own, in one build.
        folder: For the build's own files.
        received_as: What BuildKit keeps the contexts by: it receives one of the same name in part only. docker-build
            names each content by itself; an ACR task has a BuildKit of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copies = "".join(f"COPY --from={received_as}{number} . /{number}/\n" for number in range(len(contexts)))
    (folder / "Dockerfile").write_text(f"FROM scratch\n{copies}", encoding="utf-8")
    output = folder / "image.tar"
    command = [
        *(str(plugin_folder("buildkitd") / "buildctl"), "--addr", endpoint, "build", "--no-cache"),
        *("--frontend", "dockerfile.v0", "--opt", "platform=linux/amd64"),
        *("--local", f"context={folder}", "--local", f"dockerfile={folder}", "--output", f"type=tar,dest={output}"),
    ]
    for number, context in enumerate(contexts):
        name = f"{received_as}{number}"
        command += ["--local", f"{name}={context}", "--opt", f"context:{name}=local:{name}"]
    for _ in range(_TRIES):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "context deadline exceeded" not in done.stderr[-200:]:
            break  # on a busy machine buildctl waits too briefly for the last status of a build that is done
    assert done.returncode == 0, done.stderr[-2000:]
    images: list[dict[str, File]] = [{} for _ in contexts]
    with tarfile.open(output) as archive:
        for entry in archive:
            folder_of, _, path = entry.name.rstrip("/").partition("/")
            if path:  # the folder itself is the build's own
                images[int(folder_of)][path] = _file(archive, entry)
    output.unlink()
    return images


def _file(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> File:
    assert (entry.uid, entry.gid) == (0, 0)
    kind = "link" if entry.issym() else "folder" if entry.isdir() else "file"
    file = archive.extractfile(entry) if entry.isfile() else None
    return File(kind, entry.mode, int(entry.mtime), file.read() if file else entry.linkname.encode())
