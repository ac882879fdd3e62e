"""The refuter: tries a statement at exact rational points, in balls; a refutation is a proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from verify.claim import Part, Relation, Witness
from verify.contexts.ball import BallContext
from verify.contexts.exact import ExactContext, to_decimal
from verify.errors import DomainError, KernelError, PrecisionError, UsageError
from verify.kernel.build import build
from verify.kernel.terms import unfold
from verify.points import Point, infinite, points, settle

Outcome = Literal["refuted", "supported", "undefined", "unknown"]
_PRECISIONS: dict[Relation, tuple[int, ...]] = {"=": (192,), "<=": (192,), "<": (192, 768, 3072)}
_FALSE: dict[Relation, set[str]] = {"=": {"less", "greater"}, "<=": {"greater"}, "<": {"greater", "equal"}}
_TRUE: dict[Relation, set[str]] = {"=": {"equal"}, "<=": {"less", "equal"}, "<": {"less"}}


@dataclass(frozen=True, slots=True)
class Attack:
    """What came of trying a statement.

    ``refuted``: false at ``witness``, a proof of falsity. ``supported``: true, or not distinguishable
    from true at 192 bits, at ``points`` different points with sizes ``sizes``. ``undefined``: a side has no
    value at ``witness``. ``unknown``: no point of the domain was found.
    """

    outcome: Outcome
    points: int = 0
    sizes: tuple[int, ...] = ()
    witness: str | None = None


def attack(part: Part, *, seed: int = 0, per_length: int = 6, first: Witness | None = None) -> Attack:
    """Try ``part`` at the given witness, if any, or else at plain points and then at random ones, all exact.

    A strict inequality between a formula and itself is false wherever the formula has a value.
    """
    same = part.relation == "<" and _identical(part)
    trials: Iterable[tuple[Point, tuple[Any, ...], str]] = (
        (point, arguments, "") for point, arguments in points(part, seed, per_length)
    )
    if first is not None:
        trials = [_stated(part, first)]
    tried: set[Point] = set()
    for point, arguments, note in trials:
        outcome = judge_point(part.left, "=" if same else part.relation, part.right, arguments)
        if same and outcome == "supported":
            outcome = "refuted"
        if outcome != "unknown":
            tried.add(point)
        if outcome in {"refuted", "undefined"}:
            witness = _describe(part, point, arguments, outcome, note)
            return Attack(outcome, len(tried), _lengths(tried), witness)
    return Attack("supported" if tried else "unknown", len(tried), _lengths(tried))


def _identical(part: Part) -> bool:
    """Whether the two sides are the same formula once all operations are written out."""
    try:
        left, right = (unfold(build(f, part.given)) for f in (part.left, part.right))
    except KernelError:
        return False
    return left == right


def _lengths(tried: set[Point]) -> tuple[int, ...]:
    return tuple(sorted({n for point in tried for _, n in point.lengths}))


def judge_point(
    left: Callable[..., Any], relation: Relation, right: Callable[..., Any], arguments: tuple[Any, ...]
) -> Outcome:
    """Whether ``left relation right`` is false, true as far as can be seen, or without value there."""
    outcome: Outcome = "unknown"
    for bits in _PRECISIONS[relation]:
        context = BallContext(bits)
        try:
            a, b = (context.evaluate(f, *arguments) for f in (left, right))
            if any(infinite(context, x) for x in (a, b)):
                return "undefined"
            order = context.compare(a, b)
        except DomainError:
            return "undefined"
        except PrecisionError:
            continue
        if order in _FALSE[relation]:
            return "refuted"
        if order in _TRUE[relation]:
            return "supported"
        if relation != "<":
            outcome = "supported"
    return outcome


def _stated(part: Part, witness: Witness) -> tuple[Point, tuple[Any, ...], str]:
    values = dict(witness.values)
    exact = tuple(_exact(values[d.name], d.domain.kind == "index") for d in part.given)
    arguments = settle(part, exact, dict(witness.sizes), stated=True)
    if arguments is None:
        raise UsageError(f"{part.id}: the witness {dict(witness.values)} does not satisfy the hypotheses")
    named = tuple((d.name, v) for d, v in zip(part.given, exact, strict=True))
    return Point(witness.sizes, named), arguments, witness.note


def _exact(value: Any, label: bool) -> Any:
    if isinstance(value, tuple):
        return tuple(_exact(v, label) for v in value)
    return value if label else Fraction(value)


def _describe(part: Part, point: Point, arguments: tuple[Any, ...], outcome: Outcome, note: str) -> str:
    """The witness in words, with both sides computed by mpmath, independently of the balls."""
    if outcome == "undefined":
        return f"{point}: a side has no value there"
    context = ExactContext(60)
    exact = tuple(v for _, v in point.values)
    if any(_irrational(a, v) for a, v in zip(arguments, exact, strict=True)):
        return f"{point}"
    left, right = (to_decimal(context.evaluate(f, *exact), 12) for f in (part.left, part.right))
    apart = _apart(part, arguments) if left == right else ""
    return f"{point}: left {left}, right {right}{apart}" + (f" ({note})" if note else "")


def _apart(part: Part, arguments: tuple[Any, ...]) -> str:
    """How far apart sides are that look alike; nothing where they are equal."""
    context = BallContext(_PRECISIONS["<"][-1])
    left, right = (context.evaluate(f, *arguments) for f in (part.left, part.right))
    if context.compare(left, right) in {"equal", "undecided"}:
        return ""
    return f", left - right = {to_decimal(context.enclosure(left - right).lower, 3)}"


def _irrational(argument: Any, value: Any) -> bool:
    """Whether a variable was computed from others, so that the drawn value is not the one used."""
    context = BallContext()
    if isinstance(value, tuple):
        return any(_irrational(a, v) for a, v in zip(argument, value, strict=True))
    return not isinstance(value, int) and context.compare(argument, value) != "equal"
