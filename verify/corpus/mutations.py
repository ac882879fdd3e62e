"""Mutations: the same mistakes planted in the reference of every operation, with all of its options."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from verify.corpus.hand import changed_backward, revalued
from verify.corpus.planting import Candidate, Decorator, Fault
from verify.corpus.references import REFERENCES

Change = Candidate

SHIFTED = ("softmax", "log_softmax", "cross_entropy")
"""Operations that a common offset of the logits leaves as they are."""


@dataclass(frozen=True, slots=True)
class _Mutation:
    """A mistake: ``action(reference, *tensors, **options)``.

    It is one of the operations named, all if none is, that have the option ``needs``, if there is one.
    """

    name: str
    breaks: str
    shown_by: str
    action: Candidate
    summary: str
    operations: tuple[str, ...] = ()
    needs: str = ""

    def suits(self, operation: str, reference: Candidate) -> bool:
        """Whether it has a meaning for an operation."""
        named = not self.operations or operation in self.operations
        return named and (not self.needs or self.needs in inspect.signature(reference).parameters)


_MUTATIONS: list[_Mutation] = []


def _mutation(
    breaks: str, shown_by: str, operations: tuple[str, ...] = (), needs: str = "", **given: tuple[Any, ...]
) -> Decorator:
    """Enter a mistake once for each combination of the keywords given."""

    def entered(action: Change) -> Change:
        for values in itertools.product(*given.values()):
            chosen = dict(zip(given, values, strict=True))
            name = "-".join([action.__name__, *map(str, values)])
            summary = (action.__doc__ or "").partition("\n")[0].format(**chosen)
            told = shown_by.format(**chosen)
            changed = functools.partial(action, **chosen)
            _MUTATIONS.append(_Mutation(name, breaks, told, changed, summary, operations, needs))
        return action

    return entered


def _value(change: Change, reference: Candidate, *given: Any, **options: Any) -> Any:
    """The reference with another value and the right gradient."""
    return revalued(reference(*given, **options), change)


def _gradient(change: Change, reference: Candidate, x: Any, *given: Any, **options: Any) -> Any:
    """The reference with a right value and another gradient in its first tensor."""
    return reference(changed_backward(x, change), *given, **options)


def _on(wrap: Callable[..., Any], breaks: str, shown_by: str, **given: tuple[Any, ...]) -> Decorator:
    """A decorator over ``change(tensor, **given)``: a mutation that applies it to the value or gradient."""

    def entered(change: Change) -> Change:
        def action(reference: Candidate, *tensors: Any, **told: Any) -> Any:
            chosen = {name: told.pop(name) for name in given}
            return wrap(functools.partial(change, **chosen), reference, *tensors, **told)

        action.__name__, action.__doc__ = change.__name__, change.__doc__
        _mutation(breaks, shown_by, (), "", **given)(action)
        return change

    return entered


def _both(shown_by: str, **given: tuple[Any, ...]) -> Decorator:
    """A decorator that enters a change of the value, and the same change of the gradient."""

    def entered(change: Change) -> Change:
        _on(_value, "value", f"values{shown_by}", **given)(change)
        return _on(_gradient, "gradient", f"gradients{shown_by}", **given)(change)

    return entered


@_both(" that are not 0")
def zero(t: Any) -> Any:
    """Nothing is computed: 0 everywhere."""
    return torch.zeros_like(t)


@_both(" that are not 0")
def negated(t: Any) -> Any:
    """The sign is wrong."""
    return -t


@_both(" that are not 0", by=(0.5, 2.0, 1.001, 1.0001))
def times(t: Any, by: float) -> Any:
    """Multiplied by {by}."""
    return t * by


@_both(" of several entries that differ")
def all_the_mean(t: Any) -> Any:
    """Every entry is the mean of all."""
    return t.mean().expand_as(t).clone() if t.numel() else t


@_both(" whose first entry is not 0")
def first_entry_doubled(t: Any) -> Any:
    """The first entry is counted twice."""
    flat = t.flatten().clone()
    flat[:1] *= 2
    return flat.view(t.shape)


@_both(" whose last entries are not 0")
def tail_zero(t: Any) -> Any:
    """The last eighth of the entries, at least one of several, is 0."""
    flat, size = t.flatten().clone(), t.numel()
    flat[size - max(size // 8, min(size - 1, 1)) :] = 0
    return flat.view(t.shape)


@_both(" that bfloat16 cannot hold")
def rounded_to_bfloat16(t: Any) -> Any:
    """Rounded to bfloat16 at the end."""
    return t.bfloat16().to(t.dtype)


@_both(" below {least}", least=(1e-3, 1e-5, 1e-7))
def flushed(t: Any, least: float) -> Any:
    """What is smaller than {least} becomes 0."""
    return torch.where(t.abs() < least, 0.0, t)


@_both(" beyond 10")
def capped(t: Any) -> Any:
    """Nothing is beyond 10."""
    return t.clamp(-10, 10)


@_both("", by=(1e-3, 1e-6))
def plus(t: Any, by: float) -> Any:
    """{by} is added to every entry."""
    return t + by


@_both(" of several rows that differ")
def rows_in_reverse(t: Any) -> Any:
    """The rows come in reverse order."""
    return t.flip(0) if t.ndim else t


@_both(" of several rows that differ")
def first_row_for_all(t: Any) -> Any:
    """Every row is the first."""
    return t[:1].expand_as(t).clone() if t.ndim else t


@_on(_gradient, "gradient", "several rows")
def gradient_of_the_first_row_alone(g: Any) -> Any:
    """Rows after the first have no gradient."""
    kept = g.clone()
    if g.ndim > 1:
        kept[1:] = 0
    return kept


@_on(_gradient, "gradient", "gradients above 0.01")
def clipped(g: Any) -> Any:
    """Clipped at 0.01, as a training loop does."""
    return g.clamp(-0.01, 0.01)


@_on(_gradient, "gradient", "several rows, reduction sum or none")
def divided_by_rows(g: Any) -> Any:
    """Divided by the number of rows once more."""
    return g / max(g.shape[0], 1) if g.ndim else g


@_on(_gradient, "gradient", "gradients below 6e-8, or with more than 11 digits of precision")
def rounded_to_float16(g: Any) -> Any:
    """Rounded to float16 on the way."""
    return g.half().to(g.dtype)


@_mutation("gradient", "an upstream gradient that is not all ones")
def without_upstream(reference: Candidate, *given: Any, **options: Any) -> Any:
    """What flows in from above is taken for 1."""
    return changed_backward(reference(*given, **options), torch.ones_like)


@_mutation("gradient", "an upstream gradient whose entries differ, reduction none")
def mean_of_upstream(reference: Candidate, *given: Any, **options: Any) -> Any:
    """Every entry gets the mean of what flows in from above."""
    return changed_backward(reference(*given, **options), lambda g: g.mean().expand_as(g))


def _narrowed(given: Any, dtype: Any) -> Any:
    return given.to(dtype) if isinstance(given, torch.Tensor) and given.is_floating_point() else given


@_mutation("value", "any numbers but the simplest")
def computed_in_bfloat16(reference: Candidate, x: Any, *given: Any, **options: Any) -> Any:
    """The tensors are narrowed to bfloat16, as by a forgotten autocast."""
    rest = [_narrowed(one, torch.bfloat16) for one in given]
    told = {name: _narrowed(one, torch.bfloat16) for name, one in options.items()}
    narrow = reference(x.bfloat16(), *rest, **told).to(x.dtype)
    return revalued(reference(x, *given, **options), lambda y: narrow.detach())


@_mutation("value", "reduction sum of several rows", needs="reduction")
def mean_for_sum(reference: Candidate, *given: Any, **options: Any) -> Any:
    """Asked for the sum it gives the mean."""
    if options.get("reduction") == "sum":
        options["reduction"] = "mean"
    return reference(*given, **options)


@_mutation("value", "reduction mean of several rows", needs="reduction")
def sum_for_mean(reference: Candidate, *given: Any, **options: Any) -> Any:
    """Asked for the mean it gives the sum."""
    if options.get("reduction", "mean") == "mean":
        options["reduction"] = "sum"
    return reference(*given, **options)


@_mutation("value", "logits with more digits than are left beside {offset}", SHIFTED, offset=(1e3, 1e6))
def offset_not_subtracted(reference: Candidate, x: Any, *given: Any, offset: float, **options: Any) -> Any:
    """{offset:g} is added to the logits and cancels, with their last digits."""
    return reference(x + offset, *given, **options)


@_mutation("value", "logits that are not equal", SHIFTED)
def uniform(reference: Candidate, x: Any, *given: Any, **options: Any) -> Any:
    """The result of equal logits: 1/n for each class."""
    return revalued(
        reference(x, *given, **options),
        lambda y: reference(torch.zeros_like(x), *given, **options),
    )


def mutations() -> tuple[Fault, ...]:
    """The mutations of all references, those without a meaning for an operation left out."""
    return tuple(
        Fault(
            f"{operation}-{mutation.breaks}-{mutation.name}",
            operation,
            functools.partial(mutation.action, reference),
            mutation.breaks,
            mutation.shown_by,
            "float32",
            mutation.summary,
        )
        for operation, reference in REFERENCES.items()
        for mutation in _MUTATIONS
        if mutation.suits(operation, reference)
    )
