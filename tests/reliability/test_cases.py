"""The list itself: every case is tested by name, or it says why not."""

from __future__ import annotations

import pytest

from tests.support.cases import NUMBERS, by_case, cases, mentioned


def test_every_case_of_the_list_has_a_test_that_names_it_or_a_reason() -> None:
    """Case 83: 100 %."""
    listed = cases()
    assert [case.number for case in listed] == list(NUMBERS)
    assert [f"{case.number} {case.name}" for case in listed if not case.tests and not case.reason] == []


def test_no_test_names_a_case_that_is_not_on_the_list() -> None:
    """Case 83."""
    assert set(by_case()) <= set(NUMBERS)


@pytest.mark.parametrize(
    ("docstring", "numbers"),
    [
        ("Case 23.", {23}),
        ("Cases 22, 23 and 24: principal and role.", {22, 23, 24}),
        ("Cases 9 and 53 with real processes. azd#7515", {9, 53}),
        ("Case 31, and case 70 for one agent: at most 1 s. fs#577", {31, 70}),
        ("Nothing about cases. pu#12401", set()),
    ],
)
def test_the_numbers_in_a_docstring_are_found_and_those_of_issues_are_not(docstring: str, numbers: set[int]) -> None:
    assert mentioned(docstring) == numbers
