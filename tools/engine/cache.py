"""One place in the cache: empty, or complete; there is nothing between.

A recipe is put together in a temporary sibling and renamed into place, which the file system does in one step. The
lock keeps two processes from doing the work twice; the kernel frees it when its holder dies, however it dies. What
this does not guard against: a power cut before the disk has written what was renamed, and other hands in the folder.
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
from .recipes import Recipe


class Place:
    """Where a recipe is, or will be, on this machine."""

    def __init__(self, recipe: Recipe, machine: Machine) -> None:
        self._machine = machine
        self._recipe = recipe
        self._key = f"{recipe.version}-{machine.platform}-{recipe.fingerprint}"
        self._root = machine.cache / "engine"
        self._folder = self._root / self._key
        self.bin = self._folder / "bin"

    @property
    def complete(self) -> bool:
        """Whether every file of the recipe is there."""
        return all((self.bin / name).is_file() for name in self._recipe.files)

    @property
    def origin(self) -> str:
        """Which way brought it here."""
        return (self._folder / "origin").read_text()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this place for one process; a second one waits here, and says so.

        Raises:
            CacheUnusable: the folder can't be made or written, now or by what is done while it is held.
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
    def workshop(self) -> Iterator[Path]:
        """Yield an empty temporary folder beside this place; it is gone afterwards, whatever happened."""
        folder = Path(tempfile.mkdtemp(prefix=self._leftover_prefix, dir=self._root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def fill(self, finished: Path, origin: str) -> None:
        """Move a finished folder of files here; ``origin`` is kept as :attr:`origin`. Only inside :meth:`locked`."""
        holder = finished.parent / "finished"
        holder.mkdir()
        finished.rename(holder / "bin")
        (holder / "origin").write_text(origin)
        shutil.rmtree(self._folder, ignore_errors=True)  # somebody took files out of it by hand
        os.rename(holder, self._folder)  # noqa: PTH104 - named as the system call whose atomicity is the point

    @property
    def _leftover_prefix(self) -> str:
        return f".{self._key}.part-"

    def _remove_leftovers(self) -> None:
        for leftover in self._root.glob(f"{self._leftover_prefix}*"):
            self._machine.say("removing what an earlier run left unfinished")
            shutil.rmtree(leftover, ignore_errors=True)
