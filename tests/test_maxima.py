"""Running maxima: what a gradient through them leaves at their entries is allowed, and no more."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch

from verify.calls import Call
from verify.checking import contract_of
from verify.contexts.bulk import BulkContext
from verify.contexts.models import model_for
from verify.contexts.rounding import RoundingContext
from verify.corpus import faults, rights
from verify.examination import Examiner
from verify.floats import format_named
from verify.spread import wide_calls
from verify.verdict import Status
from verify.wide import Wide

pytestmark = pytest.mark.torch

WIDTH = 96
PLAIN = {"axes": 2, "dim": 1, "keepdim": False}


def _rows() -> torch.Tensor:
    """A first entry that stays the largest up to the last, rows that rise slowly, stairs of equal entries."""
    random = torch.rand(8, WIDTH, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    steps = torch.arange(WIDTH, dtype=torch.float64)
    first, rising = -1e-3 * random, 1e-5 * steps * random[:, :1]
    first[:, 0], first[:, -1] = 0.0, 0.01
    stairs = (steps // 9) * random[:, :1]
    return torch.cat([first, rising, stairs, random]).float().double()


def _status(name: str, candidate: Callable[..., Any], rows: torch.Tensor) -> Status:
    """What a check says of the gradient of a candidate in float32."""
    shape = rows.shape[:1] if name == "logsumexp" else rows.shape
    upstream = torch.randn(shape, generator=torch.Generator().manual_seed(3)).double()
    lengths = {"N": len(rows), "C": WIDTH}
    call = Call(contract_of(name), PLAIN, lengths, (Wide(rows),), Wide(upstream))
    model = model_for("float32")
    examiner = Examiner(candidate, "gradient", format_named("float32"), "cpu", model, True, "stable", 1000)
    return examiner.examine(call).outcome.status


def _named(id: str) -> Callable[..., Any]:
    (found,) = (one.candidate for one in (*rights(), *faults()) if one.id == id)
    return found


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_a_gradient_through_a_running_maximum_is_within_the_bound(name: str, block: int) -> None:
    """Where an entry is the maximum of many blocks but not of the row, and where each block has its own."""
    assert _status(name, _named(f"{name}-{name}_online_by_autograd-{block}"), _rows()) is Status.PASSED


@pytest.mark.parametrize(
    "id",
    [
        "cross_entropy_with_temperature-tempered_by_hand",
        "cross_entropy_with_softcap-capped_by_hand",
        "cross_entropy_with_z_loss-z_loss_by_hand",
        "perplexity-perplexity_by_hand",
    ],
)
def test_a_gradient_through_the_maximum_of_a_loss_is_within_the_bound(id: str) -> None:
    """In bfloat16, in which shares of many alike are rounded most."""
    name = id.partition("-")[0]
    contract = contract_of(name)
    plain = {option.name: (option.values[0],) for option in contract.options}
    model = model_for("bfloat16")
    examiner = Examiner(_named(id), "gradient", format_named("bfloat16"), "cpu", model, True, "stable", 1000)
    for call in wide_calls(contract, "bfloat16", plain, seed=1, count=8, tables=((4, 90), (8, 30)) * 4):
        found = examiner.examine(call)
        assert found.outcome.status is not Status.REFUTED, call.lengths


@pytest.mark.parametrize(
    "id",
    [
        "logsumexp-gradient-rescale_detached-2",
        "logsumexp-gradient-first_block_not_rescaled-2",
        "logsumexp-gradient-gradient_scaled-0.999",
        "softmax-gradient-gradient_without_mean",
        "log_softmax-gradient-softmax_term_deleted",
    ],
)
def test_a_wrong_gradient_is_refuted_on_the_same_rows(id: str) -> None:
    """What is left at the maxima does not hide a factor or a term that is missing."""
    assert _status(id.partition("-")[0], _named(id), _rows()) is Status.REFUTED


def test_an_error_at_an_entry_that_was_no_maximum_is_refuted() -> None:
    """What passes at the first entry, the maximum of all blocks but the last, does not at the second."""

    def moved(column: int) -> Callable[..., Any]:
        def logsumexp(x: Any, dim: int) -> Any:
            nudge = torch.zeros(x.shape[dim])
            nudge[column] = 2.0**-20
            return torch.logsumexp(x, dim) + (x * nudge).sum(dim) - (x * nudge).sum(dim).detach()

        return logsumexp

    rows = _rows()[:8]
    assert _status("logsumexp", moved(0), rows) is Status.PASSED
    assert _status("logsumexp", moved(1), rows) is Status.REFUTED


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("height", [None, "pairwise"])
def test_both_contexts_leave_the_same(dtype: str, height: str | None) -> None:
    """Entry by entry, to 1e-9, with equal entries and -inf among them."""
    model = model_for(dtype, height=height)
    row = torch.tensor([-torch.inf, 0.5, 0.25, 0.5, -1.0, 2.0, 1.5, 2.0, 1.0], dtype=torch.float64)
    shares = torch.tensor([0.0, 0.125, 0.0625, 0.125, 0.03125, 0.25, 0.125, 0.25, 0.03125])
    bulk, single = BulkContext(model), RoundingContext(model)
    found = bulk.residues(bulk.lift(Wide(row)), bulk.lift(Wide(shares.double()))).error.tolist()
    x = tuple(float(a) if a.isinf() else Fraction(float(a)) for a in row)
    flowing = tuple(Fraction(float(s)) for s in shares)
    each = [float(a.error) for a in single.residues(single.lift(x), single.lift(flowing))]
    assert found == pytest.approx(each, rel=1e-9)
    assert [error > 0 for error in found] == [False, *[True] * 7, False]


@pytest.mark.parametrize("context", [RoundingContext, BulkContext])
def test_numbers_that_rounding_may_make_equal_are_the_same_or_not(context: Any) -> None:
    """Of two that are exact it is known; of one that was rounded only beyond what rounding moves it."""
    c = context(model_for("bfloat16"))
    one, rounded = c.number(1), c.number(3) / 3

    def off_by(a: Any, b: Any) -> float:
        return float(c.same(a, b).error or 0)

    assert [off_by(one, one), off_by(one, c.number(2))] == [0, 0]
    assert [off_by(rounded, one), off_by(rounded, c.number(1) + Fraction(1, 1000))] == [1, 1]
    assert off_by(rounded, c.number(2)) == 0
