"""Empty batches: what a loss of no rows has to be, and what a function need not take."""

from __future__ import annotations

from typing import Any

import pytest

import verify
from verify.calls import Call
from verify.checking import contract_of, replay
from verify.operations import operations_with_contract
from verify.reduction import without_rows
from verify.spread import wide_calls
from verify.verdict import Status

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

F = torch.nn.functional


def _calls(name: str) -> list[Call]:
    contract = contract_of(name)
    choices = {option.name: option.values for option in contract.options}
    return list(wide_calls(contract, "float32", choices, seed=0, count=30, tables=((2, 3),)))


@pytest.mark.parametrize("name", sorted(operations_with_contract()))
def test_every_operation_with_a_batch_can_be_called_without_rows(name: str) -> None:
    """Its tensors keep their other axes, labels stay whole numbers, and it has no other call of that kind."""
    emptied = [call for call in map(without_rows, _calls(name)) if call is not None]
    assert emptied
    for call in emptied:
        for variable, value in zip(call.contract.variables(call.options), call.values, strict=True):
            if variable.shape[:1] == ("N",):
                assert value.tensor.shape[0] == 0
                assert value.tensor.is_floating_point() == (variable.domain.kind != "index")


def test_nothing_is_left_out_of_a_function_along_the_batch() -> None:
    """A softmax along the axis of the batch would be one of no entries."""
    along = [call for call in _calls("softmax") if call.options["dim"] % call.options["axes"] == 0]
    assert [without_rows(call) for call in along] == [None] * len(along) != []


def mean_times_count(input: Any, target: Any, reduction: str = "mean") -> Any:
    """A sum that is a mean times a count: nan where there are no rows."""
    losses = F.cross_entropy(input, target, reduction="none")
    if reduction == "sum":
        return losses.mean() * losses.numel()
    return losses.mean() if reduction == "mean" else losses


def test_a_sum_over_no_rows_is_0() -> None:
    """It is refuted with the empty input, by a script that was run, and by its witness again."""
    verdict = verify.check(mean_times_count, "cross_entropy", grad=False, examples=20)[0]
    assert verdict.status is Status.REFUTED
    assert (
        verdict.reason
        == "element 0 of the result is nan, where the exact value is a number that the format holds"
    )
    assert verdict.counterexample is not None
    assert verdict.witness is not None
    assert verdict.counterexample.inputs[0] == ("input", "(0, 3) tensor without entries")
    assert verdict.counterexample.exact == "0"
    assert "torch.empty((0, 3), dtype=torch.float32)" in (verdict.reproducer or "")
    assert replay(mean_times_count, verdict.witness).status is Status.REFUTED
    assert replay(F.cross_entropy, verdict.witness).status is Status.PASSED


def without_empty_batches(x: Any, dim: int) -> Any:
    """Raises where there is no row."""
    if not x.numel():
        raise ValueError("no rows")
    return torch.softmax(x, dim)


def test_a_function_need_not_take_an_empty_batch() -> None:
    """That it raises is counted and said, and refutes nothing."""
    value = verify.check(without_empty_batches, "softmax", grad=False, examples=20)[0]
    assert value.status is Status.PASSED
    assert "it does not take calls with rows = 0: it raised ValueError: no rows" in value.reason


def test_the_losses_of_torch_take_empty_batches() -> None:
    """All of their kinds of reduction."""
    for name in ("cross_entropy", "nll_loss", "kl_div", "binary_cross_entropy"):
        assert verify.check(getattr(F, name), name, grad=False, examples=4)[0].reason == "", name
