"""The page on policies lists every rule with its severity and its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundry_policies import RULES
from foundry_policies.rule import Rule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_row_with_its_severity_and_settings(rule: Rule) -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{rule.name}` |")]
    (row,) = rows
    _, _, severity, _, settings, _ = (cell.strip() for cell in row.split("|"))
    assert severity == rule.severity.value
    assert all(f"`{name}`" in settings for name in rule.config)
