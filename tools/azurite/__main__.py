"""``python -m tools.azurite [ensure|where]``: print the program that serves blobs; `ensure` installs it first."""

import sys

from tools.azurite.install import InstallFailed, ensure, where

if __name__ == "__main__":
    if sys.argv[1:] == ["where"]:
        sys.exit(print(where()) if where() else "azurite: not installed; run `python -m tools.azurite`")
    try:
        print(ensure())
    except InstallFailed as error:
        sys.exit(f"azurite: {error}")
