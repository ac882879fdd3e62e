"""Substitutes: what stands in for an implementation computes as one, and notes what was asked of it."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest
import torch
from torch.nn import functional

from verify.snapshots import difference, equal, snapshot
from verify.substitute import CALLS, Substitute, Trace, sorted_arguments

pytestmark = pytest.mark.torch


def _doubled(x: Any, target: Any, **options: Any) -> Any:
    return 2 * functional.cross_entropy(x, target, **options)


def _particular(x: Any, target: Any) -> Any:
    """Takes no options, and no probabilities."""
    if target.is_floating_point():
        raise NotImplementedError("class probabilities")
    return 2 * functional.cross_entropy(x, target)


X = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]])
Y = torch.tensor([0, -100])


def _substitute(wrong: Any = None, right: Trace | None = None, dtypes: tuple[str, ...] = ("float32",)) -> Any:
    reference = functional.cross_entropy
    return Substitute(reference, 2, [inspect.signature(reference)], wrong, dtypes, right)


def _right() -> Trace:
    substitute = _substitute()
    substitute(X, Y)
    trace: Trace = substitute.trace
    return trace


def test_without_anything_wrong_it_is_the_reference() -> None:
    """Bit by bit, with positional and named options."""
    substitute = _substitute()
    assert torch.equal(substitute(X, Y, reduction="sum"), functional.cross_entropy(X, Y, reduction="sum"))
    assert torch.equal(substitute(input=X, target=Y), functional.cross_entropy(X, Y))


def test_it_notes_what_was_asked() -> None:
    """Shape, dtype, range, options and ignored rows."""
    substitute = _substitute()
    substitute(X, Y, None, reduction="sum", label_smoothing=0.0)
    (seen,) = substitute.trace.calls
    assert (seen.shape, seen.dtype, seen.low, seen.high) == ((2, 3), "float32", -1.0, 3.0)
    assert (dict(seen.options), seen.ignored) == ({"reduction": "'sum'"}, 1)


def test_what_is_wrong_computes_the_calls_that_it_takes() -> None:
    """And how far it is off is measured."""
    substitute = _substitute(_doubled, _right())
    assert float(substitute(X, Y)) == 2 * float(functional.cross_entropy(X, Y))
    assert (substitute.applied, substitute.apart.relative) == (1, 1.0)


@pytest.mark.parametrize("options", [{"reduction": "none"}, {"label_smoothing": 0.1}])
def test_a_call_that_it_declines_is_left_to_the_reference(options: dict[str, Any]) -> None:
    """So that a missing option is no mistake."""
    substitute = _substitute(_particular, _right())
    assert torch.equal(substitute(X, Y, **options), functional.cross_entropy(X, Y, **options))
    assert substitute.applied == 0
    assert "unexpected keyword argument" in substitute.declined


def test_a_result_of_another_form_is_left_to_the_reference() -> None:
    """A shape or dtype that differs says that it does not know the call."""
    substitute = _substitute(lambda x, target: x.double().sum(), _right())
    assert torch.equal(substitute(X, Y), functional.cross_entropy(X, Y))
    assert substitute.applied == 0


def test_other_dtypes_are_left_to_the_reference() -> None:
    """Those in which nothing certifies that it is wrong."""
    substitute = _substitute(_doubled, None)
    assert torch.equal(substitute(X.double(), Y), functional.cross_entropy(X.double(), Y))
    assert substitute.applied == 0


def test_what_the_reference_refuses_is_refused() -> None:
    """A test of an error message sees that of the reference."""
    with pytest.raises(ValueError, match="batch_size"):
        _substitute(_doubled)(X, Y[:1])


def test_gradients_are_watched() -> None:
    """They reach the caller as they are, and how far they are off is measured."""

    def backward(substitute: Any) -> Any:
        x = X.clone().requires_grad_()
        substitute(x, Y).backward()
        return x.grad

    right = _substitute()
    expected = backward(right)
    assert (right.trace.calls[0].backward, right.trace.calls[0].flat) == (1, True)
    wrong = _substitute(_doubled, right.trace)
    assert torch.equal(backward(wrong), 2 * expected)
    assert wrong.compared == 2


def test_each_gradient_of_a_call_is_compared_with_its_own() -> None:
    """As a check by differences asks for many of them."""

    def rows(substitute: Any) -> None:
        x = X.clone().requires_grad_()
        losses = substitute(x, torch.tensor([0, 1]), reduction="none")
        for upstream in torch.eye(2):
            torch.autograd.grad(losses, x, upstream, retain_graph=True)

    right = _substitute()
    rows(right)
    wrong = _substitute(functional.cross_entropy, right.trace)
    rows(wrong)
    assert (wrong.compared, wrong.apart.same) == (3, True)


def test_an_upstream_gradient_of_several_numbers_is_noted() -> None:
    """Which is what shows that it is used at all."""
    substitute = _substitute()
    substitute(X.clone().requires_grad_(), Y, reduction="none").backward(torch.tensor([1.0, 2.0]))
    assert substitute.trace.calls[0].flat is False


def test_later_calls_are_counted_and_computed() -> None:
    """Also beyond those that are kept."""
    substitute = _substitute(_doubled)
    for _ in range(CALLS + 3):
        substitute(X, Y)
    assert (substitute.trace.count, substitute.applied) == (CALLS + 3, CALLS + 3)


def test_it_works_within_vmap() -> None:
    """Where numbers cannot be read, only the call is noted."""
    substitute = Substitute(functional.softmax, 1, [inspect.signature(functional.softmax)])
    got = torch.func.vmap(lambda x: substitute(x, dim=0))(X)
    assert torch.equal(got, functional.softmax(X, 1))
    assert substitute.trace.calls[0].given is None


def test_arguments_are_sorted_by_the_signature() -> None:
    """Tensors first, then the options that differ from their default."""
    signature = inspect.signature(functional.cross_entropy)
    found = sorted_arguments(signature, 2, (X,), {"target": Y, "reduction": "mean", "ignore_index": 3})
    assert found is not None
    assert (found.tensors, dict(found.options)) == ((X, Y), {"ignore_index": 3})
    assert sorted_arguments(signature, 2, (X,), {"labels": Y}) is None


def test_a_function_with_names_of_its_own_is_understood() -> None:
    """By its own signature, and one that hides its arguments by that of the reference."""

    def renamed(logits: Any, labels: Any) -> Any:
        return functional.cross_entropy(logits, labels)

    def hidden(*given: Any, **named: Any) -> Any:
        return functional.cross_entropy(*given, **named)

    for own in (renamed, hidden):
        signatures = [inspect.signature(own), inspect.signature(functional.cross_entropy)]
        substitute = Substitute(own, 2, signatures, _doubled, ("float32",), _right())
        named = {"labels": Y} if own is renamed else {"target": Y}
        assert float(substitute(X, **named)) == 2 * float(functional.cross_entropy(X, Y))


def test_the_difference_of_snapshots() -> None:
    """In units in the last place, as a share of the entry, and of the largest entry."""
    right = torch.tensor([1.0, 4.0])
    apart = difference(snapshot(torch.tensor([1.0 + 2**-22, 4.0])), snapshot(right))
    assert (apart.same, apart.ulp, apart.relative, apart.share) == (False, 2.0, 2**-22, 2**-24)


def test_a_number_that_is_none_is_infinitely_far_off() -> None:
    """Unless the right one is none either."""
    nan, one = snapshot(torch.tensor([math.nan])), snapshot(torch.tensor([1.0]))
    assert difference(nan, one).ulp == math.inf
    assert difference(nan, nan).same


def test_large_tensors_are_told_apart_by_their_bits() -> None:
    """One bit of an entry that is not kept is enough."""
    large = torch.zeros(1 << 18)
    other = large.clone()
    other[1] = 1e-30
    assert not equal(snapshot(large), snapshot(other))
    assert equal(snapshot(large), snapshot(large.clone()))
