"""What is asked for is what is read back."""

from __future__ import annotations

from tests.support.round_trip import round_trips
from tests.support.virtual_bench import Bench

EXAMPLES = 200


def test_inputs_are_read_back_from_the_service_unchanged(bench: Bench) -> None:
    """Case 15: identity, environment included; `make figures` runs 5,000. azd#9247"""
    assert round_trips(bench, EXAMPLES) >= EXAMPLES
