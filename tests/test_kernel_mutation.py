"""Mutants of true steps: what the kernel accepts, the refuter must not refute."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from verify.claim import Claim, Part
from verify.errors import VerifyError
from verify.kernel.assumptions import Assumptions
from verify.kernel.defined import require_defined
from verify.kernel.derivation import assumptions, derive
from verify.kernel.gaps import without_gaps
from verify.kernel.interpret import Interpreter
from verify.kernel.signs import sign_of
from verify.kernel.terms import INDEX_HEADS, Term, free, num, position, subterms, unfold
from verify.kernel.theorem import agree
from verify.points import points
from verify.refuter import judge_point

pytestmark = pytest.mark.slow

PROOFS = pytest.importorskip("proofs")
_PER_TERM = 60
_PER_TERM_BEYOND = 15
"""Beyond the article there are three times as many statements, with longer terms."""


def _parts(claim: Claim) -> Iterator[Part]:
    yield from (p for p in (*claim.parts, *claim.holds_when) if p.steps)
    if claim.corrected:
        yield from _parts(claim.corrected)


_ALL = {p.id: p for c in PROOFS.CLAIMS for p in _parts(c)}
_BEYOND = {p.id for c in PROOFS.BEYOND for p in _parts(c)}


def _variants(t: Term, indices: list[Term], names: list[str]) -> Iterator[Term]:
    """``t`` with its root changed: swapped, dropped, negated, another constant, index or function."""
    if t.head in INDEX_HEADS:
        yield from (i for i in indices if i != t)
        return
    yield Term("mul", (num(-1), t))
    if t.head == "num":
        yield num(t.data + 1)
    if t.head in {"div", "xlogy"}:
        yield Term(t.head, t.args[::-1], t.data)
    if t.head in {"add", "mul", "div", "xlogy"}:
        yield from t.args
    swaps = {"exp": "log", "log": "exp", "sum": "prod", "prod": "sum", "add": "mul", "mul": "add"}
    if t.head in swaps:
        yield Term(swaps[t.head], t.args, t.data)
    if t.head in {"exp", "log", "ceil"}:
        yield t.args[0]
    if t.head == "pow":
        yield Term("pow", t.args, t.data + 1)
    if t.head in {"app", "var"}:
        yield from (Term(t.head, t.args, n) for n in names if n != t.data)
        yield Term("add", (t, num(1)))


def _mutants(t: Term, indices: list[Term], names: list[str], depth: int = 0) -> Iterator[Term]:
    """Every term that differs from ``t`` in one place."""
    here = [*indices, *(Term("bound", data=d) for d in range(depth))]
    yield from _variants(t, here, names)
    inner = depth + 1 if t.head in {"sum", "prod"} else depth
    for k, a in enumerate(t.args):
        for m in _mutants(a, indices, names, inner):
            yield Term(t.head, (*t.args[:k], m, *t.args[k + 1 :]), t.data)


def _thinned(mutants: Iterator[Term], original: Term, part: Part) -> list[Term]:
    """Distinct mutants, evenly thinned."""
    distinct = list(dict.fromkeys(m for m in mutants if m != original))
    kept = _PER_TERM_BEYOND if part.id in _BEYOND else _PER_TERM
    return distinct[:: max(1, len(distinct) // kept)]


def _evaluator(t: Term, part: Part, given: Assumptions) -> Any:
    """A formula over a context that evaluates the term."""
    plain = without_gaps(t, given)

    def formula(c: Any, *values: Any) -> Any:
        named = dict(zip((d.name for d in part.given), values, strict=True))
        sizes = {}
        for d in part.given:
            axis = named[d.name]
            for size in d.shape:
                sizes[size] = axis
                axis = axis[1]
        return Interpreter(c, named, sizes)(plain)

    return formula


def _accepted(given: Assumptions, before: Term, mutant: Term, relation: str, line: Any) -> bool:
    """Whether the kernel would take the mutant for the next line (needless rules allowed)."""
    try:
        require_defined(given, mutant)
        if relation == "=":
            return agree(given, before, mutant, line.rules) is not None
        difference = Term("add", (mutant, Term("mul", (num(-1), before))))
        sign = sign_of(given, line.gap)
        strong = sign == "+" or (relation == "<=" and sign in {"0+", "0"})
        return strong and agree(given, difference, line.gap, line.rules) is not None
    except VerifyError:
        return False


def _survey(part: Part) -> tuple[int, list[str]]:
    """The number of mutants of a part, and those that were accepted although they are false."""
    given = assumptions(part)
    lines = derive(part).lines
    names = [d.name for d in part.given if d.domain.kind != "index"]
    indices = [free(d.name) for d in part.given if d.domain.kind == "index" and not d.shape]
    tried = [arguments for _, arguments in points(part, 1, 3)]
    count, wrong = 0, []
    for previous, line in itertools.pairwise(lines):
        before, after = unfold(previous.term), unfold(line.term)
        for mutant in _thinned(_mutants(after, [*indices, position(1)], names), after, part):
            count += 1
            if _accepted(given, before, mutant, line.relation, line):
                a, b = (_evaluator(t, part, given) for t in (before, mutant))
                outcomes = {judge_point(a, line.relation, b, v) for v in tried}  # type: ignore[arg-type]
                if outcomes & {"refuted", "undefined"}:
                    wrong.append(f"{before.key} {line.relation} {mutant.key}")
        if line.gap is not None:
            count += _count_wrong_gaps(given, before, after, line, indices, names, wrong, part)
    return count, wrong


def _count_wrong_gaps(
    given: Assumptions,
    before: Term,
    after: Term,
    line: Any,
    indices: list[Term],
    names: list[str],
    wrong: list[str],
    part: Part,
) -> int:
    """Mutants of the gap: none may be accepted unless it is equal to the gap."""
    gap = unfold(line.gap)
    mutants = _thinned(_mutants(gap, indices, names), gap, part)
    difference = Term("add", (after, Term("mul", (num(-1), before))))
    for mutant in mutants:
        try:
            require_defined(given, mutant)
            same = agree(given, difference, mutant, line.rules) is not None
            if (
                same
                and agree(given, without_gaps(gap, given), without_gaps(mutant, given), line.rules) is None
            ):
                wrong.append(f"gap {mutant.key}")
        except VerifyError:
            continue
    return len(mutants)


@pytest.mark.parametrize("name", _ALL)
def test_no_mutant_of_a_step_is_accepted_and_refuted(name: str) -> None:
    """Of all mutants of the steps of a derivation the kernel accepts none that is false."""
    _, wrong = _survey(_ALL[name])
    assert wrong == []


def test_there_are_enough_mutants() -> None:
    """More than a thousand distinct mutants of true steps are tried, in every part."""
    counts = []
    for part in _ALL.values():
        lines = derive(part).lines
        names = [d.name for d in part.given if d.domain.kind != "index"]
        for line in lines[1:]:
            after = unfold(line.term)
            counts.append(len(_thinned(_mutants(after, [position(1)], names), after, part)))
    assert min(counts) > 0
    assert sum(counts) > 1000


def test_mutation_changes_terms() -> None:
    """The mutator itself: a quotient is turned round, and a sum loses a term."""
    a, b = Term("var", data="a"), Term("var", data="b")
    mutants = set(_mutants(Term("div", (a, b)), [], ["a", "b"]))
    assert Term("div", (b, a)) in mutants
    assert a in set(_mutants(Term("add", (a, b)), [], ["a", "b"]))
    assert all(s.head for m in mutants for s in subterms(m))
