"""Generated pages are up to date and complete, and links resolve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foundry_agents import errors
from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from tools.docs.pages import pages

CHECKOUT = Path(__file__).resolve().parents[2]
MARKDOWN = sorted({*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")})


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    written = (CHECKOUT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert pages()[name] == written, "run `make docs`"


def test_every_error_has_a_section() -> None:
    kinds = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, FoundryAgentsError)
    }
    page = pages()["errors.md"]
    assert {name for name in kinds if f"## {name}\n" not in page} == {"FoundryAgentsError"}


def test_every_input_of_a_version_has_a_row() -> None:
    page = pages()["hosted-agent-version.md"]
    assert [row.name for row in VERSION_FIELDS.fields if f"| `{row.name}` |" not in page] == []


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_links_inside_the_repository_resolve(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (path.parent / link).exists()] == []


def test_the_makefile_has_every_command_of_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`(?:\$ )?make (?:-s )?([a-z]+)", readme)) | set(
        re.findall(r"^\$ make ([a-z]+)", readme, re.MULTILINE)
    )
    assert named <= verbs
