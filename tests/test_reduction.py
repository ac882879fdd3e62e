"""Reduction: a wide call that refutes becomes narrow and plain, and still refutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import verify
from verify import reduction
from verify.calls import Call
from verify.checking import contract_of
from verify.reduction import reduced, rows_of
from verify.spread import wide_calls

pytestmark = pytest.mark.torch

CHECKED = {o.contract.name: o.contract for o in verify.operations() if o.contract is not None}


def _call(name: str, table: tuple[int, int], **fixed: Any) -> Call:
    contract = CHECKED[name]
    choices = {option.name: (option.default,) for option in contract.options} | fixed
    return next(iter(wide_calls(contract, "float32", choices, seed=3, count=1, tables=(table,))))


def _wide(test: Callable[[Any], bool]) -> Callable[[Call], bool]:
    return lambda call: test(call.values[0].tensor)


def test_rows_and_columns_that_do_not_matter_are_cut() -> None:
    """What needs 3 columns is shown with 3 columns and one row."""
    call = reduced(_call("log_softmax", (9, 400), dim=(1,)), _wide(lambda x: x.shape[1] >= 3))
    assert tuple(call.values[0].tensor.shape) == (1, 3)


def test_numbers_that_do_not_matter_become_0() -> None:
    """Of a width that has to stay, only what shows the fault is left."""
    start = _call("log_softmax", (2, 400), dim=(1,))
    start.values[0].tensor[:, 399] = 7.0
    call = reduced(start, _wide(lambda x: x.shape[1] == 400 and bool((x[:, 399] == 7).any())))
    assert int(call.values[0].tensor.count_nonzero()) <= 13


def test_the_beginning_of_a_long_row_is_tried_first() -> None:
    """Where zeros and the first columns show it, one call is long, however long the row was."""
    tried: list[int] = []

    def refutes(call: Call) -> bool:
        tried.append(call.lengths["C"])
        return call.lengths["C"] >= 5

    assert reduced(_call("softmax", (1, 50257), dim=(1,)), refutes).lengths["C"] == 5
    assert (tried[0], max(tried[1:])) == (50257, 8)


def test_where_the_length_is_the_fault_it_is_not_searched_for() -> None:
    """A fault of more than 65,536 columns is shown with about as many, after few calls."""
    tried: list[int] = []

    def refutes(call: Call) -> bool:
        tried.append(call.lengths["C"])
        return call.lengths["C"] > 1 << 16

    call = reduced(_call("softmax", (1, 128256), dim=(1,)), refutes)
    assert call.lengths["C"] < 80000
    assert len(tried) < reduction.TRIES


def test_a_call_of_a_few_numbers_is_cut_too() -> None:
    """What was drawn number by number, and not as a table, loses rows and columns in the same way."""
    contract = contract_of("softmax")
    start = Call(
        contract, {"dim": 1, "axes": 2}, {"N": 2, "C": 3}, (((1, 2, 3), (4, 5, 6)),), ((0,) * 3,) * 2
    )
    cut = reduced(start, lambda call: call.lengths["C"] >= 2)
    assert cut.values == (((1, 2),),)
    assert cut.upstream == ((1, 1),)


def test_labels_of_every_class_leave_two_classes() -> None:
    """Many rows whose labels are all the classes there are do not keep the columns: one class has no loss."""
    start = _call("cross_entropy", (300, 6))
    assert set(start.values[1]) == {1, 2, 3, 4, 5, 6}
    call = reduced(start, lambda call: call.lengths["N"] >= 200 and call.lengths["C"] >= 2)
    assert (call.lengths["N"], call.lengths["C"]) == (200, 2)


def test_layout_and_upstream_become_plain() -> None:
    """They are told only where they matter."""
    call = reduced(_call("softmax", (4, 65), dim=(1,)), lambda call: True)
    assert call.layout == "contiguous"
    assert bool((call.upstream.tensor == 1).all())


def test_labels_stay_classes() -> None:
    """Cutting columns renumbers the labels."""
    call = reduced(_call("cross_entropy", (6, 300)), lambda call: call.lengths["C"] >= 5)
    assert call.lengths["C"] >= 5
    assert all(1 <= label <= call.lengths["C"] for label in call.values[1])


def test_a_label_whose_class_is_cut_becomes_another() -> None:
    """Of many rows, whose labels are all classes, what shows in any column is shown in one."""
    start = _call("nll_loss", (32, 17), reduction=("sum",))
    assert len(set(start.values[1])) > 1
    call = reduced(start, lambda call: call.lengths["N"] >= 32)
    assert call.lengths == {"N": 32, "C": 1}


def test_what_shows_at_the_label_of_one_row_leaves_the_classes_of_the_others() -> None:
    """They become another class as well where the fault is not in the first columns."""
    start = _call("nll_loss", (32, 17), reduction=("sum",))
    start = replace(start, values=(start.values[0], (*start.values[1][:-1], 17), *start.values[2:]))
    start.values[0].tensor[31, 16] = -7.0

    def refutes(call: Call) -> bool:
        logits, labels, *_ = call.values
        return call.lengths["N"] == 32 and bool(logits.tensor[31, labels[31] - 1] == -7)

    assert reduced(start, refutes).lengths == {"N": 32, "C": 1}


def test_an_ignored_class_is_not_made_another() -> None:
    """The label that is ignored would be that of a row that counts."""
    start = _call("nll_loss", (32, 17), reduction=("sum",), ignore_index=(3,))
    assert reduction.selected(start, "C", [0], relabel=True) is None


def test_what_refutes_only_as_it_is_stays_as_it_is() -> None:
    """No step is kept that does not refute."""
    start = _call("softmax", (4, 65), dim=(1,))
    assert reduced(start, lambda call: False) == start


def test_a_further_axis_is_made_shorter_too() -> None:
    """Of three axes, what refutes at one place is shown at one place."""
    start = next(c for c in _three_axes() if c.lengths["D"] > 1)
    assert set(reduced(start, lambda call: True).lengths.values()) == {1}


def _three_axes() -> list[Call]:
    contract = contract_of("softmax")
    choices = {"dim": (-1,), "axes": (3,)}
    return list(wide_calls(contract, "float32", choices, seed=0, count=6, tables=((4, 65),)))


def test_rows_are_taken_with_their_labels() -> None:
    """A piece of a table is the same call on those rows alone."""
    start = _call("cross_entropy", (6, 20), reduction=("none",))
    part = rows_of(start, 2, 5)
    assert part.lengths["N"] == 3
    assert part.values[1] == start.values[1][2:5]
    assert part.values[0].tensor.tolist() == start.values[0].tensor[2:5].tolist()


def test_the_ignored_label_stays_the_class_that_it_is() -> None:
    """Without class 0, which is ignored, class 1 would be called so, in rows that count."""
    start = _call("cross_entropy", (6, 20), reduction=("none",), ignore_index=(0,), target=("indices",))
    assert reduction.selected(start, "C", list(range(1, 20))) is None
    labels = list(start.values[1])
    kept = [0, *sorted({label - 1 for label in labels} - {0})]
    cut = reduction.selected(start, "C", kept)
    assert cut is not None
    assert cut.lengths["C"] == len(kept)


def test_numbers_from_which_others_were_derived_are_not_made_plainer() -> None:
    """The sign by which a Laplace likelihood is differentiated stays that of the difference."""
    cut = reduced(_call("laplace_nll", (4, 65)), lambda call: True)
    x, t, _, sign = (value.tensor for value in cut.values)
    assert sign.tolist() == (x - t).sign().tolist()


def test_an_axis_along_which_probabilities_sum_to_1_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a piece of it is tried, however many there are."""
    tried: list[str] = []
    cut = reduction.selected

    def noted(call: Call, axis: str, kept: list[int], **how: bool) -> Call | None:
        tried.append(axis)
        return cut(call, axis, kept, **how)

    monkeypatch.setattr(reduction, "selected", noted)
    assert reduced(_call("kl_div", (2, 400)), lambda call: True).lengths["C"] == 400
    assert "C" not in tried


def _widest() -> Call:
    contract = contract_of("log_softmax")
    choices: dict[str, tuple[Any, ...]] = {option.name: option.values[:1] for option in contract.options}
    return max(wide_calls(contract, "float32", choices, seed=0, count=6), key=lambda c: c.lengths["C"])


def test_nothing_is_cut_once_the_tries_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of 50,257 columns that cannot be made narrower costs no more cuts than tries."""
    cuts: list[int] = []
    cut = reduction.selected

    def counted(call: Call, axis: str, kept: list[int], **how: bool) -> Call | None:
        cuts.append(len(kept))
        assert len(cuts) <= 3 * reduction.TRIES
        return cut(call, axis, kept, **how)

    monkeypatch.setattr(reduction, "selected", counted)
    assert reduction.reduced(_widest(), lambda call: False).lengths["C"] == 50257


def test_distributions_that_lie_along_the_first_axis_are_left_whole() -> None:
    """Their axes are not those that were declared; nothing is cut from them, and nothing breaks."""
    contract = contract_of("entropy")
    choices = {"dim": (0,), "axes": (2,), "zeros": (True,)}
    (call,) = wide_calls(contract, "float32", choices, seed=0, count=1, tables=((4, 129),))
    assert reduction.reduced(call, lambda call: True).lengths == call.lengths
