"""``python -m tools.docs.picture``: the picture of the local Azure's page in the docs, taken in a real browser."""

from __future__ import annotations

import tempfile
from pathlib import Path

from foundry_emulator.testing import LocalAzure
from tests.emulator.browser import browser, fill
from tests.support.machine import program

PICTURE = Path(__file__).parents[2] / "docs" / "local-azure.png"


def main() -> None:
    """Fills a local Azure and takes its picture."""
    with tempfile.TemporaryDirectory() as folder, LocalAzure(Path(folder)) as azure:
        fill(azure).http.close()
        with browser(program("chromium", "chromium"), height=1150) as context:
            page = context.new_page()
            page.goto(azure.page)
            page.screenshot(path=PICTURE)
    print(PICTURE)


if __name__ == "__main__":
    main()
