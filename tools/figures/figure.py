"""A figure: what was measured and what it should be."""

from __future__ import annotations

import operator
from dataclasses import dataclass

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "=": operator.eq}


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        number: Of the reliability case, or a short word where there is none.
        name: What was measured.
        value: The number.
        comparison: "<=", ">=" or "=".
        target: What it is compared with.
        unit: Printed behind both.
    """

    number: str
    name: str
    value: float
    comparison: str
    target: float
    unit: str = ""

    @property
    def reached(self) -> bool:
        """True when the target is met."""
        return bool(_COMPARISONS[self.comparison](self.value, self.target))

    def cells(self) -> tuple[str, str, str, str, str]:
        """The cells of its row."""
        return (
            self.number,
            self.name,
            f"{self.value:.4g}{self.unit}",
            f"{self.comparison} {self.target:g}{self.unit}",
            "ok" if self.reached else "FALLS SHORT",
        )
