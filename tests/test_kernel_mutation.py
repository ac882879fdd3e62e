"""Mutants of true steps: what the kernel accepts, the refuter must not refute."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from verify.claim import Claim, Part
from verify.errors import VerifyError
from verify.kernel.assumptions import Assumptions
from verify.kernel.defined import require_defined
from verify.kernel.derivation import Line, assumptions, derive
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


_PAIRS = (
    ("log_le", "xlogx_ge"),
    ("xlogy_le", "rel_entr_ge"),
    ("exp_mono", "log_mono"),
    ("ceil_above", "ceil_below"),
)
_GAPS = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
"""Inequalities of as many terms that stand in for one another."""


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
    if t.head == "diff":
        yield t.args[0]
    if t.head == "gap" and t.data in _GAPS:
        yield Term("gap", t.args, _GAPS[t.data])
        yield Term("gap", t.args[::-1], t.data)
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


@dataclass(frozen=True, slots=True)
class _Step:
    """A true step with its operations unfolded, and the mutants of its formula and of its gap."""

    before: Term
    after: Term
    line: Line
    mutants: list[Term]
    gaps: list[Term]


def _steps(part: Part) -> Iterator[_Step]:
    names = [d.name for d in part.given if d.domain.kind != "index"]
    labels = [free(d.name) for d in part.given if d.domain.kind == "index" and not d.shape]

    def mutants(t: Term) -> list[Term]:
        return _thinned(_mutants(t, [*labels, position(1)], names), t, part)

    for previous, line in itertools.pairwise(derive(part).lines):
        after = unfold(line.term)
        gaps = mutants(unfold(line.gap)) if line.gap is not None else []
        yield _Step(unfold(previous.term), after, line, mutants(after), gaps)


def _accepted_and_false(part: Part) -> Iterator[str]:
    """The mutants of a part that the kernel accepts although they are false."""
    given = assumptions(part)
    tried = [arguments for _, arguments in points(part, 1, 3)]
    for step in _steps(part):
        relation = step.line.relation
        for mutant in step.mutants:
            if _accepted(given, step.before, mutant, relation, step.line):
                a, b = (_evaluator(t, part, given) for t in (step.before, mutant))
                if {judge_point(a, relation, b, v) for v in tried} & {"refuted", "undefined"}:  # type: ignore[arg-type]
                    yield f"{step.before.key} {relation} {mutant.key}"
        for mutant in step.gaps:
            if _is_another_gap(given, step, mutant):
                yield f"gap {mutant.key}"


def _is_another_gap(given: Assumptions, step: _Step, mutant: Term) -> bool:
    """Whether a mutant is taken for what lies between the sides although it is not equal to the gap."""
    assert step.line.gap is not None
    rules, gap = step.line.rules, without_gaps(unfold(step.line.gap), given)
    difference = Term("add", (step.after, Term("mul", (num(-1), step.before))))
    try:
        require_defined(given, mutant)
        if agree(given, difference, mutant, rules) is None:
            return False
        return agree(given, gap, without_gaps(mutant, given), rules) is None
    except VerifyError:
        return False


@pytest.mark.parametrize("name", _ALL)
def test_no_mutant_of_a_step_is_accepted_and_refuted(name: str) -> None:
    """Of all mutants of the steps of a derivation the kernel accepts none that is false."""
    assert list(_accepted_and_false(_ALL[name])) == []


def test_there_are_enough_mutants() -> None:
    """At least five thousand distinct mutants of true steps are tried, and some in every part."""
    counts = [sum(len(s.mutants) + len(s.gaps) for s in _steps(part)) for part in _ALL.values()]
    assert min(counts) > 0
    assert sum(counts) >= 5000


def test_a_mutant_that_is_accepted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The survey itself: with a kernel that takes two sides for equal whatever they are, it objects."""
    monkeypatch.setitem(globals(), "agree", lambda *_: {})
    assert list(_accepted_and_false(_ALL["kl-one-hot"])) != []


def test_mutation_changes_terms() -> None:
    """The mutator itself: a quotient is turned round, and a sum loses a term."""
    a, b = Term("var", data="a"), Term("var", data="b")
    mutants = set(_mutants(Term("div", (a, b)), [], ["a", "b"]))
    assert Term("div", (b, a)) in mutants
    assert a in set(_mutants(Term("add", (a, b)), [], ["a", "b"]))
    assert all(s.head for m in mutants for s in subterms(m))
