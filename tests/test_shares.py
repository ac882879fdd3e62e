"""Bounds where rounding moves scores by more than log 2: shares lie between 0 and 1, their sum above."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from tiers import tables_in_balls, whole
from torch.nn import functional

from verify.calls import Call
from verify.checking import contract_of
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.contexts.running import COARSE
from verify.elements import actions_of, flat, values_of
from verify.examination import Examiner
from verify.floats import format_named
from verify.spread import wide_calls
from verify.verdict import Status
from verify.wide import Wide

pytestmark = pytest.mark.torch

NAMES = ("cross_entropy_with_temperature", "cross_entropy_with_softcap", "linear_cross_entropy")
ASPECTS: tuple[Literal["value", "gradient"], ...] = ("value", "gradient")


def far_calls(name: str, *, count: int = 6) -> list[Call]:
    """Calls in bfloat16 whose scores of some hundreds are rounded by up to 8."""
    contract, size = contract_of(name), 10 if name.startswith("linear") else 300
    choices = {option.name: option.values[:2] for option in contract.options}
    choices |= {"axes": (2,), "reduction": ("none", "sum"), "target": ("indices",)}
    random = torch.Generator().manual_seed(3)
    calls = []
    for call in wide_calls(contract, "bfloat16", choices, seed=3, count=count, tables=((3, 7), (2, 5))):
        first = call.values[0].tensor
        scores = size * torch.randn(first.shape, generator=random, dtype=torch.float64)
        values = (Wide(scores.bfloat16().double()), *call.values[1:])
        calls.append(replace(call, values=values, upstream=_ones(call.upstream)))
    return calls


def _ones(upstream: Any) -> Any:
    return Wide(torch.ones_like(upstream.tensor)) if isinstance(upstream, Wide) else upstream * 0 + 1


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", NAMES)
def test_each_number_has_a_bound(name: str, aspect: Literal["value", "gradient"]) -> None:
    """None is infinite, and float64 says that it encloses by less than it would by polynomials."""
    found = [whole(call, "bfloat16", aspect) for call in far_calls(name)]
    assert all(bool(bulk.bound.isfinite().all()) for bulk in found)
    assert COARSE in [bulk.ratio for bulk in found]


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", NAMES)
def test_float64_encloses_what_balls_enclose(name: str, aspect: Literal["value", "gradient"]) -> None:
    """At the coarser fraction of the bound."""
    counts = [tables_in_balls(call, "bfloat16", aspect) for call in far_calls(name, count=3)]
    assert sum(count.known for count in counts) > 0
    assert sum(count.outside for count in counts) == 0


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_bounds_are_those_of_the_rounding_context(
    name: str, aspect: Literal["value", "gradient"]
) -> None:
    """Whole tables allow no less, and no more than twice as much."""
    for call in far_calls(name, count=3):
        _, algorithm, *_ = actions_of(call.contract, aspect)
        plain = tuple(v.exact() if isinstance(v, Wide) else v for v in values_of(call, aspect))
        each = error_bounds(
            lambda c, *x, act=algorithm, call=call: flat(act(c, call.options, *x)),
            plain,
            model_for("bfloat16"),
        )
        assert each is not None
        for one, bound in zip(each, whole(call, "bfloat16", aspect).bound.tolist(), strict=True):
            assert float(one) * (1 - 1e-6) <= bound <= 2 * float(one) + 1e-30


def by_step(input: Any, target: Any, temperature: Any = 1.0, **options: Any) -> Any:
    """Cross-entropy with a temperature, its scores rounded to the format."""
    return functional.cross_entropy(input / temperature, target, **options)


def twice(input: Any, target: Any, temperature: Any = 1.0, **options: Any) -> Any:
    """As `by_step`, times 2."""
    return 2 * by_step(input, target, temperature, **options)


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize(("candidate", "status"), [(by_step, Status.PASSED), (twice, Status.REFUTED)])
def test_such_scores_are_judged(candidate: Any, status: Status, aspect: Literal["value", "gradient"]) -> None:
    """What rounds them passes; a loss that is twice as large is refuted in one of the calls."""
    format, model = format_named("bfloat16"), model_for("bfloat16")
    judge = Examiner(candidate, aspect, format, "cpu", model, True, "stable", 1000)
    found = [judge.examine(call).outcome for call in far_calls("cross_entropy_with_temperature")]
    assert all(outcome.judged for outcome in found)
    assert max(found, key=lambda outcome: outcome.ratio).status is status
    assert math.isfinite(min(outcome.ratio for outcome in found))
