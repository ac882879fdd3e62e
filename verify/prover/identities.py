"""Identities: one step by a set of rules, or two steps through a normal form of one of the sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from verify.kernel import poly
from verify.kernel.assumptions import Assumptions
from verify.kernel.normal import Normalizer
from verify.kernel.signs import sign_of
from verify.kernel.terms import Term, map_leaves
from verify.kernel.theorem import agree
from verify.prover.candidates import bare
from verify.prover.clock import Clock
from verify.prover.rules import RuleSet, fewest, relevant, rule_sets

ONE_STEP, TWO_STEPS = "sets of rules for one step", "pairs of sets of rules for two steps"


@dataclass(frozen=True, slots=True)
class Move:
    """A line that is found: the term, its relation to the line before, the rules, and the gap if any."""

    to: Term
    rules: RuleSet
    relation: str = "="
    gap: Term | None = None


def identity(clock: Clock, given: Assumptions, left: Term, right: Term) -> tuple[Move, ...] | None:
    """The steps from left to right, or None. They have yet to be checked by the kernel."""
    rules = _joined(clock, given, left, right, ONE_STEP)
    if rules is not None:
        return (Move(right, fewest(clock, given, left, right, rules)),)
    for middle in _normal_forms(clock, given, left, right):
        first = _joined(clock, given, left, middle, TWO_STEPS)
        second = _joined(clock, given, middle, right, TWO_STEPS) if first is not None else None
        if first is not None and second is not None:
            return (
                Move(middle, fewest(clock, given, left, middle, first)),
                Move(right, fewest(clock, given, middle, right, second)),
            )
    return None


def _joined(clock: Clock, given: Assumptions, left: Term, right: Term, kind: str) -> RuleSet | None:
    """A set of rules that makes the two sides equal."""
    for rules in rule_sets(relevant(given, left, right)):
        if clock.over:
            return None
        if clock.attempt(partial(agree, given, left, right, rules), kind) is not None:
            return rules
    return None


def _normal_forms(clock: Clock, given: Assumptions, *sides: Term) -> Iterator[Term]:
    """Other forms of the sides: with exponentials of sums taken apart, and what rules make of them."""
    seen = set(sides)
    for side in sides:
        apart = _taken_apart(bare(side))
        if apart not in seen:
            seen.add(apart)
            yield apart
        rules = [r for r in relevant(given, side) if not r.startswith("cases:")]
        for chosen in [(), *((r,) for r in rules), tuple(rules)]:
            form = clock.attempt(partial(normal_form, given, side, chosen))
            if form is not None and form not in seen:
                seen.add(form)
                yield form


def _taken_apart(t: Term) -> Term:
    """A term with e^s e^t for every e^(s + t)."""

    def change(node: Term, _: int) -> Term | None:
        if node.head != "exp" or node.args[0].head != "add":
            return None
        return Term("mul", tuple(_taken_apart(Term("exp", (a,))) for a in node.args[0].args))

    return map_leaves(t, change)


def normal_form(given: Assumptions, t: Term, rules: RuleSet) -> Term:
    """What the rules make of a term."""
    return poly.to_term(Normalizer(frozenset(rules), sign_of).norm(t, given))
