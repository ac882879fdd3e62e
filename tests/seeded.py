"""A seeded fault: what is replaced in the kernel, and the false statement that it lets pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verify.claim import Hypothesis, Part, Step
from verify.domain import distribution, index, positive, probability, real

G, H, Y, K = real("g", "n"), real("h", "n"), index("y", "n"), index("k", "n")
P, Q = distribution("p", "n"), distribution("q", "n", positive=True)
A, B, X, Z, T = positive("a"), positive("b"), real("x"), real("z"), probability("t")


@dataclass(frozen=True)
class Fault:
    """``where.what`` replaced by ``fault``: ``room`` is wrong about ``rule``, and ``part`` is accepted."""

    room: Any
    rule: str
    where: Any
    what: str
    fault: Any
    part: Part


def part(
    given: tuple[Any, ...],
    left: Callable[..., Any],
    relation: Any,
    right: Callable[..., Any],
    *rules: str,
    gap: Any = None,
    assumed: tuple[Hypothesis, ...] = (),
    lemmas: tuple[Part, ...] = (),
    shown: Any = None,
) -> Part:
    """A statement with one step; ``shown``: the relation of the step, where it is another."""
    steps = (Step(right, rules, "", shown or relation, gap),)
    return Part("seeded", "", given, left, relation, right, assumed, steps, lemmas)


def yes(*_: Any) -> bool:
    """A check that says yes to everything."""
    return True
