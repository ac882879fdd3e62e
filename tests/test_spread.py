"""Wide calls: reproducible, inside the domain, and made of rows in which single entries count."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import verify
from verify.backends import tensor_from
from verify.calls import Call
from verify.contexts.models import model_for
from verify.examination import Examiner
from verify.floats import format_named
from verify.spread import TABLES, TALLEST, wide_calls
from verify.wide import Wide

pytestmark = pytest.mark.torch

CHECKED = {o.contract.name: o.contract for o in verify.operations() if o.contract is not None}


def _calls(name: str, dtype: str = "float32", seed: int = 0, count: int = 20, **how: Any) -> list[Call]:
    contract = CHECKED[name]
    choices = {option.name: option.values for option in contract.options}
    return list(wide_calls(contract, dtype, choices, seed=seed, count=count, **how))


def _numbers(call: Call) -> list[Any]:
    return [value.tensor for value in call.values if isinstance(value, Wide)]


def test_the_same_seed_gives_the_same_calls() -> None:
    """Values, options and layouts are those of the seed, another seed has others."""
    first, again, other = (_calls("log_softmax", seed=s, count=6) for s in (1, 1, 2))
    assert [c.options for c in first] == [c.options for c in again]
    assert all(_same(a, b) for x, y in zip(first, again, strict=True) for a, b in _pairs(x, y))
    assert [c.options for c in first] != [c.options for c in other]


def test_no_row_of_the_tallest_table_is_ignored() -> None:
    """So that a count in 16 bits shows; the reductions take turns."""
    for seed in range(3):
        (call,) = _calls("nll_loss", seed=seed, count=1, tables=(TALLEST,))
        assert (call.rows, call.options["ignore_index"], call.options["weight"]) == (70001, None, False)


def _same(a: Any, b: Any) -> bool:
    return torch.equal(a.nan_to_num(nan=0.1), b.nan_to_num(nan=0.1))


def _pairs(x: Call, y: Call) -> Any:
    return zip(_numbers(x), _numbers(y), strict=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", ["log_softmax", "kl_div", "binary_cross_entropy_with_logits", "entropy"])
def test_every_number_is_one_of_the_format(name: str, dtype: str) -> None:
    """Tensors of the dtype hold the drawn numbers exactly; making them raises nothing."""
    for call in _calls(name, dtype, count=12):
        for tensor in _numbers(call):
            assert tensor_from(Wide(tensor), dtype).shape == tensor.shape


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_distributions_sum_to_1_exactly(dtype: str) -> None:
    """Along the classes, whatever the width, without a rounding."""
    seen = 0
    for call in _calls("cross_entropy", dtype, tables=((3, 7), (4, 129), (2, 4097), (33, 50))):
        if call.options["target"] == "probabilities":
            axis = {1: 0, 2: 1, 3: 1}[call.options["axes"]]
            target = call.values[1].tensor
            seen += 1
            assert bool((target.sum(axis) == 1).all())
            assert bool((target >= 0).all())
    assert seen


def test_half_of_the_numbers_of_a_vocabulary_are_distinct() -> None:
    """A row of 50,257 float32 logits that is not flat or made of ties has that many different ones."""
    rows = [
        row
        for seed in range(6)
        for call in _calls("log_softmax", seed=seed, tables=((4, 50257),), count=1)
        if call.lengths["C"] == 50257
        for row in call.values[0].tensor.reshape(-1, 50257)
    ]
    varied = sum(len(row.unique()) >= 50257 / 2 for row in rows)
    assert varied >= len(rows) / 2


def test_the_widest_tables_are_among_those_drawn_by_default() -> None:
    """A quarter of a hundred examples meets vocabularies and batches of every usual size."""
    assert {50257, 128256, 262144} <= {columns for _, columns in TABLES}
    assert any(rows > 65536 for rows, _ in TABLES)
    assert len(TABLES) <= 25


def test_infinities_are_drawn_where_the_contract_allows_them() -> None:
    """Masked logits for log_softmax, never for divergences."""
    assert any(bool(t.isinf().any()) for call in _calls("log_softmax") for t in _numbers(call))
    assert not any(bool(t.isinf().any()) for call in _calls("kl_div") for t in _numbers(call))


def _masked(name: str, **fixed: Any) -> Call:
    contract = CHECKED[name]
    choices = {option.name: (option.default,) for option in contract.options} | fixed
    how: Any = {"seed": 0, "count": 1, "tables": ((5, 4099),), "masked": True}
    return next(iter(wide_calls(contract, "float32", choices, **how)))


def test_a_masked_call_has_a_row_of_minus_infinity_alone_where_rows_are_worked_on_one_by_one() -> None:
    """Under a mean over rows nothing would be left; there some entries are masked."""
    alone, reduced = _masked("logsumexp", dim=(1,)), _masked("cross_entropy")
    assert int(alone.values[0].tensor.isinf().all(1).sum()) == 1
    assert int(reduced.values[0].tensor.isinf().any(1).sum()) > 0
    assert not bool(reduced.values[0].tensor.isinf().all(1).any())


@pytest.mark.parametrize(("lowest", "status"), [(-torch.inf, "passed"), (-3.4e38, "refuted")])
def test_a_long_row_that_is_masked_is_judged(lowest: float, status: str) -> None:
    """The logarithm of 0 is -inf, and no finite number is near it."""
    call = _masked("logsumexp", dim=(1,), keepdim=(False,))
    model = model_for("float32")
    examiner = Examiner(
        lambda x, dim: torch.logsumexp(x, dim).clamp(min=lowest),
        "value",
        format_named("float32"),
        "cpu",
        model,
        False,
        "stable",
        1000,
    )
    assert examiner.examine(call).outcome.status.value == status


def test_no_column_of_a_tall_table_is_masked() -> None:
    """Of two columns the other one would have softmax 1 in every row, and gradient 0."""
    contract = CHECKED["softmax"]
    choices = {option.name: option.values for option in contract.options} | {"dim": (1,), "axes": (2,)}
    drawn = (
        call.values[0].tensor
        for seed in range(30)
        for call in wide_calls(contract, "float32", choices, seed=seed, count=1, tables=((1201, 2),))
    )
    masked = [table for table in drawn if bool(table.isinf().any())]
    assert masked
    assert not any(bool(table.isinf().all(0).any()) for table in masked)


def test_a_nan_lies_in_one_row_and_only_where_rows_are_worked_on_one_by_one() -> None:
    """The others then have their values, which a function must not lose."""
    spoilt = [call for seed in range(4) for call in _calls("log_softmax", seed=seed) if _spoilt_rows(call)]
    assert spoilt
    assert all(_spoilt_rows(call) == 1 and call.contract.rowwise(call.options) for call in spoilt)


def _spoilt_rows(call: Call) -> int:
    nan = call.values[0].tensor.isnan()
    return int(nan.flatten(1).any(1).sum()) if nan.dim() > 1 else 0


def _spread_by_a_mask(x: Any, dim: int) -> Any:
    """log_softmax whose rows all take in 0 times the largest entry of the table."""
    return x.log_softmax(dim) + 0 * x.detach().nan_to_num(posinf=0, neginf=0, nan=float("nan")).amax()


def test_a_nan_that_reaches_other_rows_is_refuted() -> None:
    """With the exact value of an element that has one."""
    value, *_ = verify.check(_spread_by_a_mask, "log_softmax", grad=False)
    assert value.counterexample is not None
    assert (value.counterexample.got, value.status.value) == ("nan", "refuted")
