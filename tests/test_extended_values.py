"""Where an assumption of a claim fails: both sides infinite, or no value, as the claim says."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

import verify
from verify.contexts.ball import BallContext
from verify.contexts.exact import ExactContext
from verify.errors import DomainError
from verify.operations.softmax import softmax

IMPOSSIBLE_LABEL = ((Fraction(1), Fraction(0), Fraction(0)), 2)
MISSING_SUPPORT = ((Fraction(1, 2), Fraction(1, 2)), (Fraction(1), Fraction(0)))


@pytest.mark.parametrize("context", [BallContext(), ExactContext()], ids=["balls", "mpmath"])
@pytest.mark.parametrize(
    ("claim_id", "values"),
    [
        ("kl-one-hot", IMPOSSIBLE_LABEL),
        ("cross-entropy-one-hot", IMPOSSIBLE_LABEL),
        ("cross-entropy-decomposition", MISSING_SUPPORT),
    ],
)
def test_both_sides_are_infinite_outside_the_assumption(
    claim_id: str, values: tuple[Any, ...], context: BallContext | ExactContext
) -> None:
    """Where q is 0 and p is not, the two sides of the identity are both plus infinity."""
    part = verify.find(claim_id).parts[0]
    sides = (context.evaluate(formula, *values) for formula in (part.left, part.right))
    infinite: Any = context.value(math.inf)
    assert all(str(side) == str(infinite) for side in sides)


def test_softmax_of_an_infinite_logit_has_no_value() -> None:
    """The condition of softmax-is-distribution: for g = (inf, 0) it is infinity over infinity."""
    with pytest.raises(DomainError):
        BallContext().evaluate(lambda c, g: c.call(softmax, g)[1], (math.inf, Fraction(0)))


@pytest.mark.torch
def test_torch_gives_nan_for_the_softmax_of_an_infinite_logit() -> None:
    """What has no value, torch does not make up."""
    torch = pytest.importorskip("torch")
    assert torch.isnan(torch.softmax(torch.tensor([math.inf, 0.0]), 0)).all()
