"""``python -m foundry_emulator``."""

from __future__ import annotations

from foundry_emulator.cli import main

if __name__ == "__main__":
    main()
