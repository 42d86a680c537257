"""Stories on the real engine that take too long for `make test`: each a line, 1 when it passes."""

from __future__ import annotations

from collections.abc import Iterator

from tools.figures.figure import Figure
from tools.figures.named_cases import run_tests

STORIES = {
    "engine/test_every_option.py": "every option goes up, is repaired and goes away",
    "engine/test_images.py": "images are built, pinned and found again, here and by a registry's tasks",
    "engine/test_promotion.py": "a digest is promoted alone, and another project reads the contract",
    "engine/test_state.py": "of two who deploy at once one is told to wait",
    "engine/test_tools.py": "an agent calls its tools, and a change of tools rolls out and back",
    "engine/test_identities.py": "roles follow an identity that changes with the version",
    "engine/test_names.py": "names that the library chose stay, and what is really replaced is still planned",
    "engine/test_destruction.py": "what users do to names, targets, notes and owners destroys nothing that is declared",
    "engine/test_replacement.py": "an agent stays while its version, its provider or what it depends on is replaced",
    "engine/test_previews.py": "a tag, a display name or a description replaces nothing",
    "engine/test_rollout.py": "a broken release gets no traffic, and what somebody changed is noticed and put back",
    "engine/test_code_agent.py": "a changed byte of code is a version, and its revert none",
    "engine/test_interrupted.py": "a run interrupted once or twice is finished by the next",
}
"""The files whose tests carry the mark `long`; a test compares."""


def measure() -> Iterator[Figure]:
    """All of them in one run of pytest."""
    passed, ran = run_tests(sorted(STORIES), "-m", "long")
    for file, name in STORIES.items():
        total = sum(count for test, count in ran.items() if test.startswith(file))
        good = sum(count for test, count in passed.items() if test.startswith(file)) if total else -1
        yield Figure("engine", name, good, "=", total)
