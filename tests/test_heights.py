"""Heights of sums: what a caller declares about the order in which a function adds, and is held to."""

from __future__ import annotations

from typing import Any

import pytest

import verify
from verify.contexts.heights import additions, declared
from verify.errors import UsageError
from verify.verdict import Status


@pytest.mark.parametrize(
    ("height", "n", "expected"),
    [
        (None, 1000, 999),
        (None, 0, 0),
        (12, 1000, 12),
        (12, 5, 4),
        ("pairwise", 1, 0),
        ("pairwise", 1024, 10),
        ("pairwise", 1025, 11),
        ("lanes:8", 1000, 127),
        ("lanes:8", 5, 3),
        ("lanes:1", 1000, 999),
    ],
)
def test_additions_in_a_row(height: Any, n: int, expected: int) -> None:
    """Of a sum of n terms, never more than n - 1."""
    assert additions(height, n) == expected


@pytest.mark.parametrize("height", [-1, True, "lanes:0", "lanes", "fast", 2.5])
def test_a_height_that_makes_no_sense_is_refused(height: Any) -> None:
    """With the value, the rule and the fix."""
    with pytest.raises(UsageError, match="give the additions in a row"):
        declared(height)


def one_after_the_other(x: Any, dim: int) -> Any:
    """log_softmax that adds term after term in float32."""
    import numpy
    import torch

    d = x - x.amax(dim, keepdim=True)
    running = numpy.add.accumulate(d.exp().movedim(dim, -1).numpy(), axis=-1, dtype=numpy.float32)
    return d - torch.from_numpy(running[..., -1:].copy()).movedim(-1, dim).log()


def by_halves(x: Any, dim: int) -> Any:
    """log_softmax that adds the two halves of a row entry by entry, until one entry is left."""
    import torch

    d = (x - x.amax(dim, keepdim=True)).movedim(dim, -1)
    total = d.exp()
    while (n := total.shape[-1]) > 1:
        total = torch.nn.functional.pad(total, (0, n % 2))
        half = total.shape[-1] // 2
        total = total[..., :half] + total[..., half:]
    return (d - total.log()).movedim(-1, dim)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("function", "height", "expected"),
    [
        (one_after_the_other, None, Status.PASSED),
        (one_after_the_other, "pairwise", Status.REFUTED),
        (by_halves, "pairwise", Status.PASSED),
    ],
)
def test_a_function_is_held_to_the_height_that_it_declares(function: Any, height: Any, expected: Any) -> None:
    """A sum of one term after the other is right in any order, and not as accurate as one by halves."""
    value, *_ = verify.check(function, "log_softmax", height=height, grad=False)
    assert value.status is expected


@pytest.mark.torch
def test_a_witness_keeps_the_declared_height() -> None:
    """Replayed, the call is judged as it was; the reason names the height in both."""
    value, *_ = verify.check(one_after_the_other, "log_softmax", height="pairwise", grad=False)
    assert value.witness is not None
    assert verify.replay(one_after_the_other, value.witness).status is Status.REFUTED
    passed, *_ = verify.check(by_halves, "log_softmax", height="pairwise", grad=False, examples=4)
    assert "sums are held to the height pairwise" in passed.reason
