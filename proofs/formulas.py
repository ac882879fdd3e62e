"""Formulas that several families of claims use."""

from __future__ import annotations

from typing import Any


def half_to(c: Any, length: Any) -> Any:
    """2 to the power of minus ``length``."""
    return c.exp(-(length * c.log(2)))


def sum_exp(c: Any, g: Any) -> Any:
    """The sum of the exponentials of a family, the denominator of softmax."""
    return c.sum(lambda i: c.exp(g[i]), over=g)
