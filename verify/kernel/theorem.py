"""Theorems: the only place where one can be made, by a handful of inferences that fail closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from typing import Final

from verify.claim import Relation
from verify.errors import KernelError
from verify.kernel import poly
from verify.kernel.assumptions import Assumptions, Fact
from verify.kernel.defined import require_defined
from verify.kernel.normal import Normalizer
from verify.kernel.rules import words
from verify.kernel.signs import sign_of
from verify.kernel.terms import ZERO, Term, free, free_indices, num, open_binder, position, replace, subterms
from verify.kernel.text import text

_KEY: Final = object()
Conditions = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Theorem:
    """``left relation right`` for all points of ``given``. Made by the functions of this file only."""

    key: InitVar[object]
    given: Assumptions
    left: Term
    relation: Relation
    right: Term
    conditions: Conditions = field(default_factory=dict, compare=False)

    def __post_init__(self, key: object) -> None:
        if key is not _KEY:
            raise KernelError("a Theorem is made by the kernel's inferences only")


def equation(given: Assumptions, left: Term, right: Term, rules: tuple[str, ...] = ()) -> Theorem:
    """``left = right``, if their normal forms agree by exactly these rules, none of them needless.

    Raises KernelError if a side has no value somewhere, a side condition does not follow, the
    forms differ, or a rule could be left out.
    """
    _require_rules(rules)
    _require_closed(given, left, right)
    require_defined(given, left)
    require_defined(given, right)
    conditions = agree(given, left, right, rules)
    if conditions is None:
        raise KernelError(f"by {_names(rules)} {text(left)} and {text(right)} are not seen to be equal")
    for r in rules:
        if _agree_without(given, left, right, tuple(x for x in rules if x != r)):
            raise KernelError(f"the rule {r} is not needed here; leave it out")
    return Theorem(_KEY, given, left, "=", right, conditions)


def inequality(
    given: Assumptions, left: Term, relation: Relation, right: Term, gap: Term, rules: tuple[str, ...] = ()
) -> Theorem:
    """``left <= right`` (or <), if right - left equals ``gap`` by the rules and gap >= 0 (> 0)."""
    if relation not in {"<=", "<"}:
        raise KernelError(f"an inequality is <= or <, not {relation!r}")
    _require_closed(given, gap)
    require_defined(given, gap)
    difference = Term("add", (right, Term("mul", (num(-1), left))))
    same = equation(given, difference, gap, rules)
    sign = sign_of(given, gap)
    if sign != "+" and (relation == "<" or sign not in {"0+", "0"}):
        wanted = ">" if relation == "<" else ">="
        raise KernelError(f"{text(gap)} {wanted} 0 does not follow from its form and the assumptions")
    require_defined(given, left)
    require_defined(given, right)
    return Theorem(_KEY, given, left, relation, right, same.conditions)


def chain(first: Theorem, second: Theorem) -> Theorem:
    """From ``a R b`` and ``b S c`` the relation of a and c, under the same assumptions."""
    if first.given != second.given:
        raise KernelError("theorems under different assumptions cannot be joined")
    if first.right != second.left:
        raise KernelError(f"{text(first.right)} and {text(second.left)} are not the same term")
    relation: Relation = "="
    if "<" in {first.relation, second.relation}:
        relation = "<"
    elif "<=" in {first.relation, second.relation}:
        relation = "<="
    return Theorem(_KEY, first.given, first.left, relation, second.right)


def as_fact(theorem: Theorem, name: str, given: Assumptions) -> Fact:
    """A proved theorem as a fact under ``given``, which must contain all that it assumed."""
    have = set(given.facts)
    own = theorem.given
    agrees = all(given.declarations.get(n) == d for n, d in own.declarations.items())
    assumed = {f for f in own.facts if not f.lemma}
    if not agrees or not assumed <= have or own.cases:
        raise KernelError(f"the lemma {name} assumes something that is not assumed here")
    if any(given.ranges.get(n) != s for n, s in own.ranges.items()):
        raise KernelError(f"the lemma {name} speaks of an index that has another range here")
    return Fact(name, theorem.left, theorem.relation, theorem.right, lemma=True)


def _require_closed(given: Assumptions, *terms: Term) -> None:
    """Every free index of the terms is one that the assumptions speak of."""
    for t in terms:
        stray = free_indices(t) - given.ranges.keys()
        if stray:
            raise KernelError(f"the index {min(stray)} in {text(t)} has no range")


def _agree_without(given: Assumptions, left: Term, right: Term, fewer: tuple[str, ...]) -> bool:
    """Whether fewer rules do as well; that they make no sense together is no agreement."""
    try:
        return agree(given, left, right, fewer) is not None
    except KernelError:
        return False


def _require_rules(rules: tuple[str, ...]) -> None:
    for r in rules:
        words(r)
    if len(set(rules)) != len(rules):
        raise KernelError(f"a rule is named twice: {_names(rules)}")


def _names(rules: tuple[str, ...]) -> str:
    return ", ".join(rules) or "ring arithmetic alone"


def agree(given: Assumptions, left: Term, right: Term, rules: tuple[str, ...]) -> Conditions | None:
    """The side conditions used if the rules make the two sides equal, else None.

    Says nothing about definedness and about needless rules: ``equation`` does.
    """
    plain = frozenset(r for r in rules if not r.startswith("cases:"))
    split = [r.partition(":")[2] for r in rules if r.startswith("cases:")]
    if len(split) > 1:
        raise KernelError("one case distinction a step, please")
    normal = Normalizer(plain, sign_of)
    difference = Term("add", (left, Term("mul", (num(-1), right))))
    if not split:
        if normal.norm(difference, given):
            return None
    elif not all(normal.zero(t, a) for a, t in _cases(given, difference, split[0], normal)):
        return None
    found = {r: tuple(c) for r, c in normal.conditions.items()}
    return found | {f"cases:{n}": (_case_words(given, n),) for n in split}


def _case_words(given: Assumptions, name: str) -> str:
    d = given.declarations[name]
    if d.domain.kind == "index":
        return f"{name} = " + ", ".join(str(k + 1) for k in range(int(d.domain.bound or 0)))
    return f"{name}[i] = 0 and {name}[i] > 0" if d.shape else f"{name} = 0 and {name} > 0"


def _cases(
    given: Assumptions, difference: Term, name: str, normal: Normalizer
) -> Iterator[tuple[Assumptions, Term]]:
    """What has to be 0, and under which assumptions, for ``difference`` to be 0 in every case."""
    d = given.declarations.get(name)
    if d is None:
        raise KernelError(f"cases:{name}: no variable has that name")
    if d.domain.kind == "index":
        if d.shape or not isinstance(d.domain.bound, int):
            raise KernelError(f"cases:{name}: only a label with a fixed number of values can be listed")
        for k in range(1, d.domain.bound + 1):
            yield given, replace(difference, free(name), position(k))
        return
    if any(t.head == "diff" for t in subterms(difference)):
        raise KernelError(f"cases:{name}: not over a derivative, which needs a neighbourhood; take it first")
    if d.domain.sign != "nonnegative" or len(d.shape) > 1:
        raise KernelError(f"cases:{name}: needs a variable >= 0 with at most one axis")
    variable, body = Term("var", data=name), difference
    if d.shape:
        index = given.fresh()
        given = given.with_index(index, d.shape[0])
        variable = Term("app", (free(index),), name)
        body = _merged(difference, index, d.shape[0], normal, given)
    yield given, replace(body, variable, ZERO)
    yield given.with_case(variable), body


def _merged(difference: Term, index: str, size: object, normal: Normalizer, given: Assumptions) -> Term:
    """The body b of a difference that is a sum of b over ``index``; zero sums leave zero bodies."""
    parts: list[Term] = []
    for m, c in normal.norm(difference, given).items():
        sums = [t for t, k in m if t.head == "sum" and t.data == size and k == 1]
        if len(sums) != 1 or index in {i for t, _ in m for i in free_indices(t)}:
            raise KernelError("cases: the two sides do not differ by one sum over the index of the cases")
        rest = tuple(x for x in m if x[0] != sums[0])
        factor = poly.monomial_term(rest, c)
        parts.append(Term("mul", (factor, open_binder(sums[0].args[0], free(index)))))
    return Term("add", tuple(parts))
