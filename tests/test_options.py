"""Options: what a function does not take, or declines, is left alone, and what it does take is judged."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.calls import Call
from verify.checking import contract_of, plan
from verify.drawn_options import Drawn
from verify.judgement import Outcome
from verify.search import Search
from verify.spread import wide_calls
from verify.verdict import Status

pytestmark = pytest.mark.torch

CROSS_ENTROPY = contract_of("cross_entropy")


def of_the_last_axis(x: Any) -> Any:
    """Softmax without a choice of the axis."""
    return torch.softmax(x, -1)


def unshifted(x: Any) -> Any:
    """Wrong for large entries, and without a choice of the axis."""
    return x.exp() / x.exp().sum(-1, keepdim=True)


def test_a_function_without_an_axis_is_judged_along_the_last_one() -> None:
    """On as many calls as any other, and it is said."""
    value, *_ = verify.check(of_the_last_axis, "softmax")
    assert value.status is Status.PASSED
    assert value.inputs > 90
    assert "dim, taken to be -1" in value.reason


def test_a_function_without_an_axis_is_judged_on_every_16_bit_input() -> None:
    """The calls of that part leave it out too."""
    results = verify.check(of_the_last_axis, "softmax", dtypes=("bfloat16",), examples=4)
    swept = [verdict for verdict in results if verdict.coverage == "exhaustive"]
    assert len(swept) == 4
    assert all(verdict.status is Status.PASSED for verdict in swept)


def test_a_finding_without_an_axis_can_be_replayed() -> None:
    """The witness holds a call that the function takes."""
    value, *_ = verify.check(unshifted, "softmax")
    assert value.witness is not None
    assert verify.replay(unshifted, value.witness).status is Status.REFUTED
    assert verify.replay(of_the_last_axis, value.witness).status is Status.PASSED


def test_an_axis_that_is_asked_for_is_not_left_out() -> None:
    """Then nothing can be judged, and the reason says why."""
    value, *_ = verify.check(of_the_last_axis, "softmax", options={"dim": 0}, examples=10)
    assert value.status is Status.UNKNOWN
    assert "dim" in value.reason


def of_two_axes(x: Any, dim: int) -> Any:
    """Softmax that declines a further axis."""
    if x.dim() == 3:
        raise NotImplementedError("two axes at most")
    return torch.softmax(x, dim)


def test_a_declined_call_is_told_by_what_was_raised_and_for_which_options() -> None:
    """The number of axes, which is no keyword, is named too."""
    value, *_ = verify.check(of_two_axes, "softmax", options={"dim": 1}, examples=40)
    declined = "it raised NotImplementedError: two axes at most, which declines a call with dim = 1, axes = 3"
    assert declined in value.reason


def raises_out_of_order(x: Any, dim: int) -> Any:
    """Softmax that raises for three axes in any order but that of memory."""
    if x.dim() == 3 and not x.is_contiguous():
        raise RuntimeError("the input has to be contiguous")
    return torch.softmax(x, dim)


def test_a_form_is_tried_in_the_plainest_layout() -> None:
    """A function that has three axes, and raises where they are permuted, does not lack the form."""
    value, *_ = verify.check(raises_out_of_order, "softmax", grad=False, examples=20)
    assert value.status is Status.REFUTED


def test_what_is_declined_again_and_again_is_drawn_no_more() -> None:
    """So that most calls go to what the function does."""
    seen: list[bool] = []

    def plain_cross_entropy(
        x: Any, target: Any, weight: Any = None, label_smoothing: float = 0.0, **rest: Any
    ) -> Any:
        seen.append(weight is not None or label_smoothing != 0.0)
        if seen[-1]:
            raise NotImplementedError("neither weights nor smoothing")
        return functional.cross_entropy(x, target, **rest)

    values, *_ = plan(plain_cross_entropy, "cross_entropy")
    values.verdict()
    first, last = seen[:40], seen[-40:]
    assert sum(first) > 20
    assert sum(last) < 5


def _without_none(input: Any, target: Any, reduction: str = "mean") -> Any:
    if reduction == "none":
        raise ValueError("no such reduction")
    return functional.cross_entropy(input, target, reduction=reduction)


def test_side_effects_are_judged_in_the_calls_that_do_not_fail() -> None:
    """A call that raises is a finding about the value; what else it does cannot be told."""
    *_, effects = verify.check(_without_none, "cross_entropy", grad=False, examples=20)
    assert effects.status is Status.PASSED
    assert "calls failed and were not judged: it raised ValueError: no such reduction" in effects.reason


def test_side_effects_of_a_function_that_always_fails_are_unknown() -> None:
    """Nothing was judged."""

    def fails(input: Any, target: Any) -> Any:
        raise ValueError("never")

    *_, effects = verify.check(fails, "cross_entropy", grad=False, examples=5)
    assert (effects.status, effects.inputs) == (Status.UNKNOWN, 0)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_every_keyword_is_once_at_another_value_than_its_default(reduction: str) -> None:
    """At once with the others, as some are wrong together only."""
    seen: list[Call] = []
    search, *_ = plan(functional.cross_entropy, "cross_entropy", examples=1, options={"axes": 2})
    assert isinstance(search, Search)
    search.calling = seen.append
    search.verdict()
    others = [option for option in CROSS_ENTROPY.options if option.keyword and option.name != "reduction"]
    assert any(
        call.options["reduction"] == reduction
        and all(call.options[option.name] != option.default for option in others)
        for call in seen
    )


def test_every_value_of_an_option_is_at_times_the_only_one_that_is_not_the_default() -> None:
    """Kernels have branches for few options at once, which calls with many never enter."""
    seen: list[Call] = []
    search, *_ = plan(functional.cross_entropy, "cross_entropy", examples=2)
    assert isinstance(search, Search)
    search.calling = seen.append
    search.verdict()
    defaults = {option.name: option.default for option in CROSS_ENTROPY.options}
    choices = search.choices.items()
    alone = [{**defaults, name: one} for name, values in choices for one in values if one != defaults[name]]
    for options in (defaults, *alone):
        assert sum(call.options == options for call in seen) >= 2, options


@pytest.mark.parametrize("axes", [1, 3])
@pytest.mark.parametrize("target", ["probabilities", "shares"])
def test_two_forms_are_at_times_together_with_no_other_option(axes: int, target: str) -> None:
    """The mean over rows of three axes has a branch of its own for class probabilities."""
    drawn = Drawn(CROSS_ENTROPY, {option.name: option.values for option in CROSS_ENTROPY.options})
    assert {("axes", axes), ("target", target)} in [set(fixed) for fixed in drawn.rare(0)]


def losses_of_five_rows_are_wrong(x: Any, target: Any, **options: Any) -> Any:
    """Cross-entropy whose losses of more than 4 rows are doubled where they are not reduced."""
    doubled = options.get("reduction") == "none" and len(x) > 4
    return functional.cross_entropy(x, target, **options) * (2 if doubled else 1)


def test_a_large_finding_is_looked_for_among_small_calls_of_its_own_options() -> None:
    """Drawn with any options, few of them would be alike."""
    seen: list[Call] = []
    fixed = {"axes": 2, "target": "indices", "weight": False, "ignore_index": None, "label_smoothing": 0.0}
    search, *_ = plan(losses_of_five_rows_are_wrong, "cross_entropy", examples=40, options=fixed)
    assert isinstance(search, Search)
    search.calling = seen.append
    assert search.verdict().status is Status.REFUTED
    small = [call.options["reduction"] for call in seen if call.lengths["N"] * call.lengths["C"] <= 16]
    assert max(len(list(run)) for kind, run in groupby(small) if kind == "none") >= 15


def test_a_form_is_not_given_up_for_what_another_form_was_declined_for() -> None:
    """A loss of class probabilities declines labels of three axes, and may have three axes all the same."""
    drawn = Drawn(CROSS_ENTROPY, {option.name: option.values for option in CROSS_ENTROPY.options})
    declined = Outcome(Status.UNKNOWN, applicable=False)
    drawn.learn(_call(drawn, axes=3, target="indices"), declined)
    drawn.learn(_call(drawn, axes=2, target="probabilities"), Outcome(Status.PASSED))
    assert 3 in drawn.taken()["axes"]
    drawn.learn(_call(drawn, axes=3, target="probabilities"), declined)
    assert 3 not in drawn.taken()["axes"]


def _call(drawn: Drawn, **forms: Any) -> Call:
    choices = drawn.only(*forms.items())
    return next(wide_calls(CROSS_ENTROPY, "float32", choices, seed=0, count=1, tables=((3, 5),)))
