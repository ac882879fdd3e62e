"""Candidates: terms that are not negative, made of the known inequalities at arguments from a statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from itertools import permutations

from verify.domain import Size
from verify.kernel.assumptions import Assumptions
from verify.kernel.signs import sign_of
from verify.kernel.terms import (
    ONE,
    ZERO,
    Term,
    close_binder,
    free,
    map_leaves,
    num,
    open_binder,
    replace,
    subterms,
)

_INDEX = "@"
"""The index of a candidate that is summed; no declared name has this character."""

_INNER = "@@"

_MOST = 8
"""So many arguments of each kind are tried at one place, those that come first in the statement."""

_FEW = 3

_NOT_NEGATIVE = frozenset({"+", "0+"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an inequality is used: of the statement itself, or at each index of a size, to be summed."""

    given: Assumptions
    size: Size | None
    values: tuple[Term, ...]
    """Terms whose logarithms, exponentials or entries occur there, not negative."""
    denominators: tuple[Term, ...]
    exponents: tuple[Term, ...]
    ceiled: tuple[Term, ...]
    means: tuple[Term, ...] = ()
    """Of a place that is summed: sums and quotients of the whole statement, to compare the terms with."""

    def whole(self, t: Term) -> Term:
        """A term at this place as a term of the statement."""
        return t if self.size is None else Term("sum", (close_binder(t, _INDEX),), self.size)


def places(given: Assumptions, left: Term, right: Term) -> tuple[Place, ...]:
    """The statement itself, and each size over which it sums or multiplies.

    Where one side is a logarithm, what it is of is compared with the exponential of the other.
    """
    sides = bare(left), bare(right)
    raised = [Term("exp", (b,)) for a, b in (sides, sides[::-1]) if a.head == "log"]
    assumed = [t for fact in given.facts if fact.over is None for t in (fact.left, fact.right)]
    plain = [*raised, *sides, *map(bare, assumed)]
    sizes = dict.fromkeys(node.data for t in plain for node in subterms(t) if node.head in {"sum", "prod"})
    top = _place(given, None, [node for t in plain for node in _closed(t)])
    means = [t for t in top.values if t.head in {"sum", "mul", "div"} and sign_of(given, t) == "+"]
    found = [top]
    for size in sizes:
        bodies = [
            open_binder(node.args[0], free(_INDEX))
            for t in plain
            for node in _closed(t)
            if node.head in {"sum", "prod"} and node.data == size
        ]
        inside = given.with_index(_INDEX, size)
        share = Term("div", (ONE, num(size) if isinstance(size, int) else Term("size", data=size)))
        place = _place(inside, size, [*(node for t in bodies for node in _closed(t)), share])
        found.append(replace_fields(place, means=tuple(means[:_FEW])))
    return tuple(found)


def bare(t: Term) -> Term:
    """A term with operations unfolded and without what is only a condition."""
    return map_leaves(t, lambda node, _: bare(node.args[0]) if node.head in {"call", "where"} else None)


def _closed(t: Term) -> Iterator[Term]:
    """The nodes of a term whose indices are not those of a sum around them."""
    for node in subterms(t):
        if not any(s.head == "bound" and s.data >= depth for s, depth in _with_depth(node)):
            yield node


def _with_depth(t: Term, depth: int = 0) -> Iterator[tuple[Term, int]]:
    yield t, depth
    for a in t.args:
        yield from _with_depth(a, depth + (t.head in {"sum", "prod", "entries"}))


def _place(given: Assumptions, size: Size | None, nodes: list[Term]) -> Place:
    inside = [a for node in nodes if node.head in {"log", "xlogy"} for a in node.args]
    entries = [node for node in nodes if node.head in {"app", "var", "exp"}]
    shares = [node for node in nodes if size is not None and node.head == "div" and node.args[0] == ONE]
    joined = [node for node in nodes if size is None and node.head in {"sum", "prod"}]
    values = dict.fromkeys((*inside, *joined, *entries, *shares))
    below = dict.fromkeys(node.args[1] for node in nodes if node.head == "div")
    return Place(
        given,
        size,
        tuple(t for t in values if sign_of(given, t) in _NOT_NEGATIVE)[:_MOST],
        tuple(t for t in below if sign_of(given, t) == "+")[:_MOST],
        tuple(dict.fromkeys(node.args[0] for node in nodes if node.head == "exp"))[:_MOST],
        tuple(dict.fromkeys(node.args[0] for node in nodes if node.head == "ceil"))[:_MOST],
    )


def others(place: Place) -> Iterator[Term]:
    """Of a sum of terms that are not negative: the sum without one of them, which is named or runs itself."""
    if place.size is None:
        return
    i, inner = free(_INDEX), free(_INNER)
    labels = [
        free(name) for name, size in place.given.ranges.items() if size == place.size and name != _INDEX
    ]
    for v in (t for t in place.values if i in subterms(t)):
        for k in labels:
            rest = place.whole(_times(_minus(ONE, Term("delta", (i, k))), v))
            named = replace(v, i, k)
            yield rest
            yield Term("div", (rest, Term("add", (named, rest))))
            yield _gap("log_mono", named, Term("add", (named, rest)))
        pair = _times(_times(_minus(ONE, Term("delta", (i, inner))), v), replace(v, i, inner))
        yield place.whole(Term("sum", (close_binder(pair, _INNER),), place.size))


def simple(place: Place) -> Iterator[Term]:
    """The known inequalities at the arguments themselves, hypotheses, and signs."""
    positive = [t for t in place.values if sign_of(place.given, t) == "+"]
    for t in positive:
        yield _gap("log_le", t)
    for t in place.values:
        yield t
        yield _gap("xlogx_ge", t)
        yield from (_gap(name, t, s) for name in ("rel_entr_ge", "xlogy_le") for s in place.values)
    for t in place.ceiled:
        yield from (_gap("ceil_above", t), _gap("ceil_below", t))
    for s, t in permutations(place.exponents, 2):
        yield _gap("exp_mono", s, t)
    for s, t in permutations(positive, 2):
        yield _gap("log_mono", s, t)
    yield from _hypotheses(place)
    yield from (_minus(ONE, t) for t in place.values if t.head in {"app", "var"})


def weighted(place: Place) -> Iterator[Term]:
    """The same at quotients and with factors, and squares of differences."""
    positive = [t for t in place.values if sign_of(place.given, t) == "+"]
    for t in positive:
        quotients = [Term("div", (s, t)) for s in (*positive, ONE) if s != t]
        for weight in (ONE, *place.values):
            yield from (_times(weight, _gap("log_le", q)) for q in quotients)
            yield _times(weight, _gap("log_le", t))
        yield from (_times(t, _gap("xlogx_ge", Term("div", (s, t)))) for s in place.values if s != t)
    for weight in (ONE, *place.values):
        for h in _hypotheses(place):
            yield _times(weight, h)
            yield _times(weight, _gap("exp_mono", ZERO, h))
            yield _times(weight, _gap("exp_mono", ZERO, _times(Term("log", (num(2),)), h)))
    for weight in place.values:
        yield from (_times(weight, _gap(n, t)) for t in place.ceiled for n in ("ceil_above", "ceil_below"))
        yield from (_times(weight, s) for s in place.values)
    for t in place.denominators:
        yield from (Term("div", (known, t)) for known in simple(place))
    for s, t in permutations(place.values, 2):
        if s < t:
            yield Term("pow", (_minus(s, t),), 2)


def compared(place: Place) -> Iterator[Term]:
    """The known inequalities at the quotients of the terms of a sum by a mean: those of Jensen and Gibbs."""
    positive = [t for t in place.values if sign_of(place.given, t) == "+"]
    for mean in place.means:
        for weight in (ONE, *place.values):
            yield from (_times(weight, _gap("log_le", Term("div", (t, mean)))) for t in positive)
        for s in place.values:
            yield from (_gap("rel_entr_ge", s, Term("mul", (t, mean))) for t in place.values)


def _hypotheses(place: Place) -> Iterator[Term]:
    given = place.given
    for fact in given.facts:
        if fact.over is None:
            yield _gap(f"hyp:{fact.name}")
        else:
            names = [free(name) for name, size in given.ranges.items() if size == fact.over]
            yield from (_gap(f"hyp:{fact.name}", i) for i in names)


def _gap(name: str, *arguments: Term) -> Term:
    return Term("gap", arguments, name)


def _times(a: Term, b: Term) -> Term:
    return b if a == ONE else Term("mul", (a, b))


def _minus(a: Term, b: Term) -> Term:
    return Term("add", (a, Term("mul", (num(-1), b))))
