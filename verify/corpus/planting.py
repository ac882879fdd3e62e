"""How a fault or a right implementation is entered in the corpus: a decorator over a candidate."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Candidate = Callable[..., Any]
Decorator = Callable[[Candidate], Candidate]

FORMATS = ("float32", "float64", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Fault:
    """A wrong implementation: what it breaks, in which dtype, and the inputs that show it.

    ``breaks`` is "value", "gradient", "gradient of" a further tensor, or "side effects"; ``summary`` says
    in one line what is wrong.
    """

    id: str
    operation: str
    candidate: Candidate
    breaks: str
    shown_by: str
    dtype: str
    summary: str


@dataclass(frozen=True, slots=True)
class Right:
    """A right implementation, and the dtypes in which it is.

    ``grad`` is False where only its values are; ``needs`` is the library that it calls, if any.
    """

    id: str
    operation: str
    candidate: Candidate
    dtypes: tuple[str, ...]
    summary: str
    grad: bool = True
    needs: str = ""


def _variants(function: Candidate, given: dict[str, tuple[Any, ...]]) -> Any:
    """The function with each combination of the keywords given, under names of their own."""
    for values in itertools.product(*given.values()):
        chosen = dict(zip(given, values, strict=True))
        if not chosen:
            yield function.__name__, function, chosen
            continue
        variant = functools.partial(function, **chosen)
        name = f"{function.__name__}-{'-'.join(map(str, values))}"
        functools.update_wrapper(variant, function)
        del variant.__dict__["__wrapped__"]
        variant.__dict__["__name__"] = variant.__dict__["__qualname__"] = name
        yield name, variant, chosen


def _summary(function: Candidate) -> str:
    return (function.__doc__ or "").partition("\n")[0]


def planter(into: list[Fault], operation: str) -> Callable[..., Decorator]:
    """A decorator ``plant(breaks, shown_by, dtype=..., **variants)`` that enters faults of an operation.

    Each keyword beside ``dtype`` is a tuple of values of that keyword of the function: one fault for each
    combination. ``shown_by`` may name them in braces.
    """

    def plant(breaks: str, shown_by: str, *, dtype: str = "float32", **given: tuple[Any, ...]) -> Decorator:
        def entered(function: Candidate) -> Candidate:
            for name, candidate, chosen in _variants(function, given):
                into.append(
                    Fault(
                        f"{operation}-{breaks.replace(' ', '_')}-{name}",
                        operation,
                        candidate,
                        breaks,
                        shown_by.format(**chosen),
                        dtype,
                        _summary(function),
                    )
                )
            return function

        return entered

    return plant


def sower(into: list[Right], operation: str) -> Callable[..., Decorator]:
    """A decorator ``right(dtypes, grad=..., needs=..., **variants)`` that enters what is right."""

    def right(
        dtypes: tuple[str, ...] = FORMATS, *, grad: bool = True, needs: str = "", **given: tuple[Any, ...]
    ) -> Decorator:
        def entered(function: Candidate) -> Candidate:
            for name, candidate, _ in _variants(function, given):
                into.append(
                    Right(
                        f"{operation}-{name}", operation, candidate, dtypes, _summary(function), grad, needs
                    )
                )
            return function

        return entered

    return right
