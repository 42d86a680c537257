"""One entry of the cache: it is complete, or it is not there.

A package is put together in a temporary folder beside its entry and renamed, which the file system does in one step.
The lock keeps two processes from doing the same work; the kernel releases it when its holder ends, however it ends.
This does not protect against a power cut before the disk has written what was renamed, or against other changes to the
folder.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import CacheUnusable
from .machine import Machine
from .offline import fingerprint
from .package import Package


class CacheEntry:
    """Where a package is, or will be, on this machine."""

    def __init__(self, package: Package, machine: Machine) -> None:
        self._machine = machine
        self._package = package
        self._key = f"{package.version}-{machine.platform}-{fingerprint(package)}"
        self._root = machine.cache / "engine"
        self._folder = self._root / self._key
        self.bin = self._folder / "bin"

    @property
    def complete(self) -> bool:
        """Whether every file of the package is there."""
        return all((self.bin / name).is_file() for name in (*self._package.programs, *self._package.files))

    @property
    def origin(self) -> str:
        """Which source it came from."""
        return (self._folder / "origin").read_text()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Reserve this entry for one process; a second one waits here, and says so.

        Raises:
            CacheUnusable: The folder cannot be created or written, now or while it is locked.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with (self._root / f".{self._key}.lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._machine.say("another process is getting the same; waiting until it has finished")
                    fcntl.flock(lock, fcntl.LOCK_EX)
                self._remove_leftovers()
                yield
        except OSError as error:
            raise CacheUnusable(self._root, error) from error

    @contextlib.contextmanager
    def scratch_folder(self) -> Iterator[Path]:
        """Yield an empty temporary folder beside this entry, which is removed afterwards."""
        folder = Path(tempfile.mkdtemp(prefix=self._leftover_prefix, dir=self._root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def fill(self, finished: Path, origin: str) -> None:
        """Move a folder of files here; ``origin`` is kept as :attr:`origin`. Call it only inside :meth:`locked`."""
        holder = finished.parent / "finished"
        holder.mkdir()
        finished.rename(holder / "bin")
        (holder / "origin").write_text(origin)
        shutil.rmtree(self._folder, ignore_errors=True)  # incomplete: files were removed from it by hand
        os.rename(holder, self._folder)  # noqa: PTH104 - named as the system call whose atomicity is the point

    @property
    def _leftover_prefix(self) -> str:
        return f".{self._key}.part-"

    def _remove_leftovers(self) -> None:
        for leftover in self._root.glob(f"{self._leftover_prefix}*"):
            self._machine.say("removing what an earlier run left unfinished")
            shutil.rmtree(leftover, ignore_errors=True)
