"""Points: exact rational values for the variables of a statement, inside its domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from random import Random
from typing import Any

from verify.claim import Hypothesis, Part
from verify.contexts.ball import BallContext
from verify.contexts.family import Family
from verify.domain import Declaration, Size
from verify.errors import DomainError, PrecisionError

Accepted = Mapping[str, Set[str]]

LENGTHS = (1, 2, 3, 4, 5, 8, 13)
"""The values that the refuter gives to a named size."""
_TRIES = 60
_PLAIN = 16
"""So many plain points at most are made for one length."""
CERTAIN: Accepted = {"=": {"equal"}, "<=": {"less", "equal"}, "<": {"less"}}
"""The orders of left and right, as balls compare them, that show a relation."""
_COMPUTED: Accepted = {**CERTAIN, "=": {"equal", "undecided"}}
_STATED: Accepted = {**_COMPUTED, "<=": {"less", "equal", "undecided"}}


@dataclass(frozen=True, slots=True)
class Point:
    """Lengths by name, and a value for each declared variable: Fractions, ints for labels, tuples."""

    lengths: tuple[tuple[str, int], ...]
    values: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        parts = [f"{name} = {n}" for name, n in self.lengths]
        return ", ".join([*parts, *(f"{name} = {shown(value)}" for name, value in self.values)])


def shown(value: Any) -> str:
    """A value as text: fractions, and families in parentheses."""
    if isinstance(value, tuple):
        return "(" + ", ".join(shown(v) for v in value) + ")"
    return str(value)


def points(part: Part, seed: int, per_length: int) -> Iterator[tuple[Point, tuple[Any, ...]]]:
    """Points that satisfy the hypotheses of ``part``, with the arguments for its formulas.

    First come plain ones, where sides that touch often do, and are exact. An equation whose left side
    is one variable defines it, so such a variable may have an irrational value; the arguments then
    hold a ball for it.
    """
    random = Random(f"{seed} {part.id}")
    names = sorted({s for s in _sizes(part) if isinstance(s, str)})
    for length in LENGTHS[:3] if names else LENGTHS[:1]:
        lengths = dict.fromkeys(names, length)
        for values in islice(product(*(_plain(d, d.shape, lengths) for d in part.given)), _PLAIN):
            yield from _settled(part, values, lengths)
    for length in LENGTHS:
        found = tries = 0
        while found < per_length and tries < _TRIES:
            tries += 1
            lengths = {name: length if k == 0 else random.choice(LENGTHS[:5]) for k, name in enumerate(names)}
            for settled in _settled(part, _values(part, lengths, random), lengths):
                found += 1
                yield settled


def _settled(
    part: Part, values: tuple[Any, ...], lengths: dict[str, int]
) -> Iterator[tuple[Point, tuple[Any, ...]]]:
    """The point of these values with its arguments; nothing where a hypothesis fails."""
    arguments = settle(part, values, lengths)
    if arguments is not None:
        named = tuple((d.name, v) for d, v in zip(part.given, values, strict=True))
        yield Point(tuple(lengths.items()), named), arguments


def _plain(d: Declaration, shape: tuple[Size, ...], lengths: Mapping[str, int]) -> tuple[Any, ...]:
    """0 and 1 as far as the domain has them, and families of the one or the other alone; labels are 1."""
    if not shape:
        return _plain_numbers(d)
    n = length_of(shape[0], lengths)
    if len(shape) == 1 and d.domain.sums_to_one:
        return ((Fraction(1, n),) * n,)
    return tuple((value,) * n for value in _plain(d, shape[1:], lengths))


def _plain_numbers(d: Declaration) -> tuple[Fraction | int, ...]:
    if d.domain.kind == "index":
        return (1,)
    if d.domain.below_one:
        return (Fraction(1, 2),)
    return (Fraction(1),) if d.domain.sign == "positive" else (Fraction(0), Fraction(1))


def settle(
    part: Part, values: tuple[Any, ...], lengths: dict[str, int], *, stated: bool = False
) -> tuple[Any, ...] | None:
    """Arguments with the defined variables computed; None if a hypothesis fails at this point.

    At a ``stated`` point (a witness written down with its reason) a hypothesis ``<=`` may hold with
    an equality that balls cannot confirm.
    """
    accepted = _STATED if stated else _COMPUTED
    context = BallContext(192)
    given = {d.name: context.lift(v) for d, v in zip(part.given, values, strict=True)}
    try:
        for h in reversed(part.hypotheses):
            _define(h, part, given, lengths, context)
        arguments = tuple(given[d.name] for d in part.given)
        fits = all(in_domain(d, given[d.name], context) for d in part.given)
        true = all(holds(h, arguments, lengths, context, accepted) for h in part.hypotheses)
    except (DomainError, PrecisionError):
        return None
    return arguments if fits and true else None


def _sizes(part: Part) -> Iterator[Size]:
    for d in part.given:
        yield from d.shape
        if d.domain.bound is not None:
            yield d.domain.bound


def _values(part: Part, lengths: dict[str, int], random: Random) -> tuple[Any, ...]:
    """A value for each variable; now and then the same one for two of the same kind."""
    values: list[Any] = []
    for d in part.given:
        twins = [
            v for e, v in zip(part.given, values, strict=False) if (e.domain, e.shape) == (d.domain, d.shape)
        ]
        same = twins and random.random() < 0.2
        values.append(twins[-1] if same else _draw(d, d.shape, lengths, random))
    return tuple(values)


def _draw(d: Declaration, shape: tuple[Size, ...], lengths: dict[str, int], random: Random) -> Any:
    if not shape:
        return _number(d, lengths, random)
    n = length_of(shape[0], lengths)
    if len(shape) == 1 and d.domain.sums_to_one:
        return _distribution(n, d.domain.sign == "positive", random)
    return tuple(_draw(d, shape[1:], lengths, random) for _ in range(n))


def length_of(size: Size, lengths: Mapping[str, int]) -> int:
    """The length that a size stands for."""
    return size if isinstance(size, int) else lengths[size]


def _number(d: Declaration, lengths: dict[str, int], random: Random) -> Fraction | int:
    domain = d.domain
    if domain.kind == "index":
        return random.randint(1, length_of(domain.bound or 1, lengths))
    if domain.kind == "integer":
        return Fraction(random.choice((1, 1, 2, 2, 3, 4, 5, 7)))
    if not domain.below_one and random.random() < 0.15:
        return Fraction(1)
    if domain.below_one:
        return random.choice((Fraction(random.randint(1, 15), 16), Fraction(1, 1000), Fraction(999, 1000)))
    if domain.sign == "any":
        return Fraction(random.randint(-32, 32), random.choice((1, 4, 8)))
    zero = domain.sign == "nonnegative" and random.random() < 0.25
    return Fraction(0) if zero else Fraction(random.randint(1, 40), random.choice((1, 8, 10)))


def _distribution(n: int, positive: bool, random: Random) -> tuple[Fraction, ...]:
    style = random.random()
    if not positive and style < 0.2:
        weights = [0] * n
    else:
        weights = [random.randint(1 if positive or style < 0.6 else 0, 9) for _ in range(n)]
    if sum(weights) == 0:
        weights[random.randrange(n)] = 1
    return tuple(Fraction(w, sum(weights)) for w in weights)


def _define(
    h: Hypothesis, part: Part, given: dict[str, Any], lengths: dict[str, int], context: BallContext
) -> None:
    """Give the variable that is the left side of an equation the value of the right side."""
    name = defined_by(h, part.given)
    if name is None:
        return
    arguments = tuple(given[d.name] for d in part.given)
    if h.over is None:
        given[name] = h.right(context, *arguments)
    else:
        n = length_of(h.over, lengths)
        given[name] = Family(tuple(h.right(context, *arguments, i) for i in range(1, n + 1)))


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
    """Stands for a variable, or its entry at ``index``, while a formula is asked what it is."""

    declaration: Declaration | None = None
    index: Any = None

    def __getitem__(self, index: Any) -> _Probe:
        return _Probe(self.declaration, index)


def defined_by(h: Hypothesis, given: Sequence[Declaration]) -> str | None:
    """The variable that an equation defines: its left side is it, or its entry at the running index."""
    if h.relation != "=" or h.when is not None:
        return None
    running = _Probe()
    try:
        result = h.left(None, *map(_Probe, given), *([running] if h.over is not None else []))
    except (TypeError, AttributeError):
        return None
    if not isinstance(result, _Probe) or result.declaration is None:
        return None
    shape = () if h.over is None else (h.over,)
    whole = result.index is (running if shape else None)
    return result.declaration.name if whole and result.declaration.shape == shape else None


def in_domain(d: Declaration, value: Any, context: BallContext) -> bool:
    """Whether a number or family of the ball context is in a declared domain, as far as balls tell."""
    if isinstance(value, Family):
        if d.domain.sums_to_one and not isinstance(value[1], Family):
            total = context.sum(lambda i: value[i], over=value)
            if context.compare(total, 1) not in _COMPUTED["="]:
                return False
        return all(in_domain(d, v, context) for v in value)
    if d.domain.kind == "index":
        return True
    low = {"any": None, "nonnegative": "<=", "positive": "<"}[d.domain.sign]
    if low and context.compare(0, value) not in _COMPUTED[low]:
        return False
    return not d.domain.below_one or context.compare(value, 1) == "less"


def holds(
    h: Hypothesis,
    arguments: tuple[Any, ...],
    lengths: Mapping[str, int],
    context: BallContext,
    accepted: Accepted = CERTAIN,
) -> bool:
    """Whether a hypothesis holds for arguments of the ball context, at every index it ranges over.

    It does not where a side is infinite. Raises DomainError and PrecisionError where a side has no
    value, or none at this precision.
    """
    places: list[tuple[int, ...]] = [()]
    if h.over is not None:
        places = [(i,) for i in range(1, length_of(h.over, lengths) + 1)]
    for i in places:
        if h.when is not None and context.compare(h.when(context, *arguments, *i), 0) != "greater":
            continue
        left, right = h.left(context, *arguments, *i), h.right(context, *arguments, *i)
        if infinite(context, left) or infinite(context, right):
            return False
        if context.compare(left, right) not in accepted[h.relation]:
            return False
    return True


def infinite(context: BallContext, number: Any) -> bool:
    """Whether a number of the ball context is an infinity, such as log 0."""
    enclosure = context.enclosure(number)
    return enclosure.is_point and isinstance(enclosure.lower, float)
