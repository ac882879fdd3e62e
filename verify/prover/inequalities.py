"""Inequalities: what lies between the two sides as a sum of terms that are known not to be negative."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from verify.errors import KernelError
from verify.kernel import poly
from verify.kernel.assumptions import Assumptions
from verify.kernel.defined import require_defined
from verify.kernel.gaps import without_gaps
from verify.kernel.normal import Normalizer
from verify.kernel.poly import Poly
from verify.kernel.signs import sign_of
from verify.kernel.terms import ZERO, Term, num
from verify.kernel.theorem import agree
from verify.prover.candidates import Place, compared, others, places, simple, weighted
from verify.prover.clock import Clock
from verify.prover.combination import combination
from verify.prover.identities import Move
from verify.prover.rules import RuleSet, fewest, relevant, rule_sets

Kind = Callable[[Place], Iterator[Term]]

_MARK = ((num(1), 0),)
"""A key beside those of all monomials."""

_TURN = 12
"""So many sets of rules are tried with the few simple terms, then as many with the others, and so on."""

GAPS, SETS = "known inequalities and signs", "sets of rules for what lies between the sides"


def inequality(
    clock: Clock, given: Assumptions, left: Term, relation: str, right: Term
) -> tuple[Move, ...] | None:
    """The step from left to right, or None. It has yet to be checked by the kernel."""
    between = right if left == ZERO else Term("add", (right, Term("mul", (num(-1), left))))
    for gap, rules in _gaps(clock, given, relation, between, (left, right)):
        if clock.attempt(partial(agree, given, between, gap, rules)) is not None:
            return (Move(right, fewest(clock, given, between, gap, rules), relation, gap),)
    return None


def _gaps(
    clock: Clock, given: Assumptions, relation: str, between: Term, sides: tuple[Term, Term]
) -> Iterator[tuple[Term, RuleSet]]:
    """Terms of a known sign that may be what lies between, with the rules that may show it."""
    wanted = {"+"} if relation == "<" else {"+", "0+", "0"}
    if sign_of(given, between) in wanted:
        yield between, ()
    spots = places(given, *sides)
    series = [_trials(clock, given, between, spots, kind) for kind in (simple, weighted, compared)]
    while series:
        trials = list(itertools.islice(series[0], _TURN))
        series = [*series[1:], series[0]] if trials else series[1:]
        for known, rules in trials:
            gap = clock.attempt(partial(_combined, given, relation, between, known, rules), SETS)
            if gap is not None and sign_of(given, gap) in wanted:
                yield gap, rules


def _trials(
    clock: Clock, given: Assumptions, between: Term, spots: tuple[Place, ...], kind: Kind
) -> Iterator[tuple[list[Term], RuleSet]]:
    """Known terms of a kind with each set of rules that could show that they add up to what lies between."""
    known = _known(clock, given, spots, kind)
    for rules in rule_sets(_rules(given, between, known)):
        if clock.over:
            return
        yield known, rules


def _rules(given: Assumptions, between: Term, known: list[Term]) -> RuleSet:
    """The rules that could show that known terms add up to what lies between, but for cases."""
    found = relevant(given, between, *(without_gaps(t, given) for t in known))
    return tuple(rule for rule in found if not rule.startswith("cases:"))


def _known(clock: Clock, given: Assumptions, spots: tuple[Place, ...], kind: Kind) -> list[Term]:
    """The terms of a kind, at all places, that the kernel sees to have a value and not to be negative."""
    found = dict.fromkeys(place.whole(t) for place in spots for t in kind(place))
    found |= dict.fromkeys(t for place in spots for t in others(place))
    return [t for t in found if clock.attempt(partial(_is_known, given, t), GAPS)]


def _is_known(given: Assumptions, t: Term) -> bool:
    if sign_of(given, t) not in {"+", "0+"}:
        return False
    require_defined(given, t)
    return True


def _combined(
    given: Assumptions, relation: str, between: Term, known: list[Term], rules: RuleSet
) -> Term | None:
    """A sum of known terms, and of monomials of known sign, that is what lies between by these rules."""
    normal = Normalizer(frozenset(rules), sign_of)
    target = normal.norm(between, given)
    if not target:
        return ZERO
    terms, columns = [], []
    for t in known:
        column = _norm(normal, given, t)
        if column:
            terms.append(t)
            columns.append(column)
    for m in dict.fromkeys(m for column in (target, *columns) for m in column):
        t = poly.monomial_term(m, Fraction(1))
        sign = sign_of(given, t)
        if sign in {"+", "0+", "-", "0-"}:
            side = Fraction(1 if sign in {"+", "0+"} else -1)
            terms.append(poly.monomial_term(m, side))
            columns.append({m: side})
    factors = combination(columns, target) if relation == "<=" else _strict(given, terms, columns, target)
    if not factors:
        return None
    parts = tuple(
        t if c == 1 else Term("mul", (num(c), t)) for t, c in ((terms[j], c) for j, c in factors.items())
    )
    return parts[0] if len(parts) == 1 else Term("add", parts)


def _strict(
    given: Assumptions, terms: list[Term], columns: list[Poly], target: Poly
) -> dict[int, Fraction] | None:
    """Factors with which the sum has a positive term: before scaling, those of such terms add up to 1."""
    marked = [
        {**c, _MARK: Fraction(1)} if sign_of(given, t) == "+" else c
        for t, c in zip(terms, columns, strict=True)
    ]
    scale = len(marked)
    found = combination([*marked, poly.scale(target, Fraction(-1))], {_MARK: Fraction(1)})
    if not found or scale not in found:
        return None
    return {j: c / found[scale] for j, c in found.items() if j != scale}


def _norm(normal: Normalizer, given: Assumptions, t: Term) -> Poly | None:
    try:
        return normal.norm(t, given)
    except KernelError:
        return None
