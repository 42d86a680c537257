"""Takes the picture of the local Azure's page for the docs, in a real browser: `python -m tests.emulator.picture`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from foundry_emulator.testing import LocalAzure
from tests.emulator.browser import browser, fill
from tests.support.machine import program

PICTURE = Path(__file__).parents[2] / "docs" / "local-azure.png"


def main() -> None:
    """Fill a local Azure and take the picture of its page."""
    with tempfile.TemporaryDirectory() as folder, LocalAzure(Path(folder)) as azure:
        fill(azure).http.close()
        with browser(program("chromium", "chromium"), height=1150) as context:
            page = context.new_page()
            page.goto(azure.page)
            page.screenshot(path=PICTURE)
    print(PICTURE)


if __name__ == "__main__":
    main()
