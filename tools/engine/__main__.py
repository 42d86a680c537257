import importlib
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python gets to see
    sys.exit("tools/engine needs Python 3.11 or later; this is " + sys.version.split(maxsplit=1)[0])
if sys.platform == "win32":
    sys.exit("tools/engine runs on Linux and macOS; on Windows use it inside WSL")

# By its own name, with its folder first: `tools` is a namespace package, which any installed package of
# that name would hide, and nothing is known yet of what is installed here.
sys.path[0] = str(Path(__file__).resolve().parents[1])

if __name__ == "__main__":
    sys.exit(importlib.import_module("engine.cli").main())
