"""``python -m tools.azurite``: gets it when it isn't here, and prints the program that serves blobs."""

import sys

from tools.azurite.install import InstallFailed, ensure

if __name__ == "__main__":
    try:
        print(ensure())
    except InstallFailed as error:
        sys.exit(f"azurite: {error}")
