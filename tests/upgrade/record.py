"""Records the state of a stack that this checkout makes: `python -m tests.upgrade.record RELEASE`.

Done once a release, before it is published. What is recorded stays as it is: it is what users have.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.support.engine import engine_folder
from tests.support.harness import standing
from tests.support.recorded_states import RELEASES

_PLACES = frozenset({"sourcePosition", "stackTrace"})


def main() -> None:
    """Deploy the release's program.py on a local Azure and write stack.json and given.yaml beside it."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade.record", description=__doc__)
    parser.add_argument("release", help="version; its folder holds program.py already")
    folder = RELEASES / parser.parse_args().release
    if (folder / "stack.json").exists():
        parser.error(f"{folder.name} is recorded already; what users have does not change afterwards")
    engine = engine_folder()
    program = (folder / "program.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch, standing(Path(scratch), engine, program) as here:
        here.project.up().succeeded()
        exported = _without_places(json.loads(here.project.run("stack", "export").succeeded().output))
    (folder / "stack.json").write_text(json.dumps(exported, indent=1) + "\n", encoding="utf-8")
    (folder / "given.yaml").write_text(yaml.safe_dump(here.project.given), encoding="utf-8")
    print(f"recorded {len(exported['deployment']['resources'])} resources in {folder}")


def _without_places(value: Any) -> Any:
    """Return the state without source positions on the recording machine, which no engine needs."""
    if isinstance(value, dict):
        return {key: _without_places(inner) for key, inner in value.items() if key not in _PLACES}
    return [_without_places(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
