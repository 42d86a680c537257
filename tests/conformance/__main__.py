"""``python -m tests.conformance``: the local Azure against the recordings; exit code 1 below 100 %."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from foundry_emulator.parity import Parity
from tests.conformance.replay import Result, per_operation, replay


def main() -> None:
    """Replay, print the table and the differences."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        results = list(replay(Path(folder)))
    out = Console(highlight=False, soft_wrap=True, markup=False)
    table = Table("operation", "parity", "entries", "matches", "percent", box=None, pad_edge=False)
    counted = per_operation(results)
    for operation, (entries, matches) in counted.items():
        percent = f"{100 * matches / entries:.0f}" if entries else "no evidence"
        table.add_row(operation.name, operation.parity, str(entries), str(matches), percent)
    entries, matches = (sum(column) for column in zip(*counted.values(), strict=True))
    table.add_row("total", "", str(entries), str(matches), f"{100 * matches / max(entries, 1):.0f}", style="bold")
    out.print(table)
    for result in results:
        _explain(out, result)
    short = [o for o, (all_, same) in counted.items() if o.parity is Parity.RECORDED and not all_ == same > 0]
    sys.exit(1 if short or not entries else 0)


def _explain(out: Console, result: Result) -> None:
    entry = result.recorded
    where = f"{entry.recording} {entry.number}: {entry.method} {entry.path}"
    if result.reason:
        out.print(f"skipped {where}: {result.reason}")
    for difference in result.differences:
        out.print(f"differs {where}: {difference}")


if __name__ == "__main__":
    main()
