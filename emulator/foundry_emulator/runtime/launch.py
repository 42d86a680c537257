"""Runs a program that must end with its starter: ``launch.py <starter's pid> <program> <argv0> <args...>``.

A file of its own, run by a separate interpreter, so that no code has to run between fork and exec in the
local Azure's own process, which has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; kept over exec
_CANNOT_EXECUTE = 126


def main() -> None:
    """Replace this process by the program; on Linux, the starter's death kills it."""
    starter, program, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != starter:  # the starter died before the line above
            os._exit(1)
    try:
        os.execv(program, arguments)  # noqa: S606  starting it is this file's purpose
    except OSError as problem:
        sys.stderr.write(f"{program} can't be executed: {problem.strerror}\n")
        sys.exit(_CANNOT_EXECUTE)


if __name__ == "__main__":
    main()
