"""Derivations: from the lines of a part to a theorem, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from verify.claim import Part, Step
from verify.errors import KernelError
from verify.kernel.assumptions import PATTERN, Assumptions, assume
from verify.kernel.build import build
from verify.kernel.defined import require_defined
from verify.kernel.terms import Term
from verify.kernel.theorem import Conditions, Theorem, as_fact, chain, equation, inequality


@dataclass(frozen=True, slots=True)
class Line:
    """A checked line: ``relation`` to the line before, and how the side conditions were met."""

    relation: str
    term: Term
    rules: tuple[str, ...]
    conditions: Conditions
    why: str
    gap: Term | None = None


@dataclass(frozen=True, slots=True)
class Derivation:
    """A theorem with the lines that lead to it; the first line is the left side."""

    theorem: Theorem
    lines: tuple[Line, ...]


def assumptions(part: Part) -> Assumptions:
    """What the part assumes, its hypotheses checked to have values, and its lemmas proved."""
    given = assume(part.given, part.hypotheses)
    for fact in given.facts:
        inner = given if fact.over is None else given.with_index(PATTERN, fact.over)
        if fact.when is not None:
            require_defined(inner, fact.when)
            inner = inner.with_case(fact.when)
        require_defined(inner, fact.left)
        require_defined(inner, fact.right)
    lemmas = tuple(as_fact(derive(p).theorem, p.id, given) for p in part.lemmas)
    return given.with_facts(lemmas)


def infer(
    given: Assumptions, before: Term, relation: str, after: Term, step: Step, gap: Term | None
) -> Theorem:
    """The theorem of one step. Raises KernelError if the kernel does not accept it."""
    if relation == "=":
        if gap is not None:
            raise KernelError("an equation has no gap")
        return equation(given, before, after, step.rules)
    if gap is None:
        raise KernelError("an inequality needs a gap: an expression equal to right minus left")
    return inequality(given, before, step.relation, after, gap, step.rules)


def derive(part: Part) -> Derivation:
    """Check every step of ``part``. Raises KernelError at the first that does not follow."""
    given = assumptions(part)
    left, right = build(part.left, part.given), build(part.right, part.given)
    total = equation(given, left, left)
    lines = [Line("", left, (), {}, "")]
    for number, step in enumerate(part.steps, 1):
        try:
            after = build(step.to, part.given)
            gap = build(step.gap, part.given) if step.gap is not None else None
            theorem = infer(given, total.right, step.relation, after, step, gap)
        except Exception as error:  # fail closed: a crash is a rejection
            raise KernelError(f"{part.id}, step {number}: {error}") from error
        total = chain(total, theorem)
        lines.append(Line(step.relation, after, step.rules, theorem.conditions, step.why, gap))
    if total.right != right:
        total = chain(total, equation(given, total.right, right))
        lines.append(Line("=", right, (), {}, ""))
    if total.relation != part.relation and (total.relation, part.relation) not in {("<", "<="), ("=", "<=")}:
        raise KernelError(f"{part.id}: the steps show {total.relation}, the statement says {part.relation}")
    return Derivation(total, tuple(lines))
