"""Relations: large tables of float64 are compared with themselves rearranged, then with exact values."""

from __future__ import annotations

from typing import Any

import pytest

import verify
from verify.verdict import Status

pytestmark = pytest.mark.torch

WIDE = {"dtypes": ("float64",), "examples": 24, "options": {"axes": 2, "dim": 1}, "grad": False}


def right(x: Any, dim: int) -> Any:
    """That of torch."""
    return x.log_softmax(dim)


def narrowed(x: Any, dim: int) -> Any:
    """Rows of more than 2000 columns are worked on in float32."""
    return x.log_softmax(dim) if x.shape[dim] <= 2000 else x.float().log_softmax(dim).double()


def cut_off(x: Any, dim: int) -> Any:
    """Beyond the last whole block of 512 columns entries do not count."""
    whole = x.shape[dim] // 512 * 512
    if x.shape[dim] < 2000:
        return x.log_softmax(dim)
    return x - x.narrow(dim, 0, whole).logsumexp(dim, keepdim=True)


def told_apart(x: Any, dim: int) -> Any:
    """Where there are many rows, all but the first are shifted by a little."""
    shift = (x.new_ones(x.shape[0], 1).cumsum(0) > 1).double() * 1e-6 if x.shape[0] > 1000 else 0.0
    return x.log_softmax(dim) + shift


def test_a_right_function_is_not_refuted_and_it_is_said_how_large_tables_were_judged() -> None:
    """The order of its sums may differ from one arrangement to the other."""
    value, *_ = verify.check(right, "log_softmax", **WIDE)
    assert value.status is Status.PASSED
    assert "compared with itself rearranged" in value.reason


@pytest.fixture(scope="module", name="verdicts")
def _verdicts() -> dict[str, Any]:
    """What is found of each wrong function; many rows are met by later calls."""
    several = {**WIDE, "examples": 40}
    return {
        wrong.__name__: verify.check(wrong, "log_softmax", **how)[0]
        for wrong, how in ((narrowed, WIDE), (cut_off, WIDE), (told_apart, several))
    }


@pytest.mark.parametrize("wrong", [narrowed, cut_off, told_apart])
def test_what_only_a_large_table_shows_is_refuted_by_its_exact_value(wrong: Any, verdicts: Any) -> None:
    """The relation points at an element; what refutes it is the exact value."""
    verdict = verdicts[wrong.__name__]
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample.exact not in ("", verdict.counterexample.got)


def test_a_witness_of_a_large_table_is_replayed(verdicts: Any) -> None:
    """The call that was found refutes again by itself."""
    assert verify.replay(narrowed, verdicts["narrowed"].witness).status is Status.REFUTED
