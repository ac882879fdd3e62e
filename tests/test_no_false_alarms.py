"""False alarms: no right implementation is refuted, in whatever style it is written.

benchmarks/detection.py checks all of them, over as many seeds as are asked for.
"""

from __future__ import annotations

from typing import Any

import pytest

import verify
from verify.corpus import Right, rights
from verify.operations import operations_with_contract
from verify.verdict import Status

pytestmark = pytest.mark.torch

KNOWN = [right for right in rights() if right.operation in operations_with_contract()]
EXAMPLES = 6


def _cases() -> list[Any]:
    """Every fourth right implementation in one of its dtypes, these and the seeds taking turns."""
    cases = [
        (right, right.dtypes[number % len(right.dtypes)], number % 2)
        for number, right in enumerate(KNOWN[::4])
    ]
    return [pytest.param(*case, id=f"{case[0].id}-{case[1]}") for case in cases]


@pytest.mark.parametrize(("right", "dtype", "seed"), _cases())
def test_a_right_implementation_is_not_refuted(right: Right, dtype: str, seed: int) -> None:
    """Values, gradients and side effects are within the bound of the stable algorithm."""
    if right.needs:
        pytest.importorskip(right.needs, reason=f"not run: {right.needs} is not installed")
    results = verify.check(
        right.candidate, right.operation, dtypes=(dtype,), grad=right.grad, examples=EXAMPLES, seed=seed
    )
    assert [verdict.reason for verdict in results if verdict.status is Status.REFUTED] == []
    assert any(verdict.status is Status.PASSED for verdict in results)


def test_there_are_right_implementations_of_every_operation() -> None:
    """At least two styles of each, and forty in all."""
    names = [right.operation for right in KNOWN]
    assert len(names) >= 40
    assert [name for name in operations_with_contract() if names.count(name) < 2] == []
