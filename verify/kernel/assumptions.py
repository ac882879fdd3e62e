"""Assumptions: what a statement may rely on (declarations, index ranges, hypotheses, cases)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from verify.claim import Hypothesis
from verify.domain import Declaration, Size
from verify.errors import KernelError
from verify.kernel.build import Index, build
from verify.kernel.terms import ONE, Term, free, subterms

PATTERN = "?"
"""Name of the free index that stands for "every index" in a hypothesis with a range."""


@dataclass(frozen=True, slots=True)
class Fact:
    """``left relation right``, named; for every index ``?`` in 1..``over`` if ``over`` is given.

    ``when``: it holds only where this term is > 0. ``lemma``: it was proved, not assumed.
    """

    name: str
    left: Term
    relation: str
    right: Term
    over: Size | None = None
    when: Term | None = None
    lemma: bool = False


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Declarations by name, ranges of the free indices, facts, and terms > 0 in the present case."""

    declarations: Mapping[str, Declaration]
    ranges: Mapping[str, Size]
    facts: tuple[Fact, ...] = ()
    cases: tuple[Term, ...] = ()
    key: str = field(init=False)

    def __post_init__(self) -> None:
        facts = [
            (f.name, f.left.key, f.relation, f.right.key, f.over, f.when and f.when.key, f.lemma)
            for f in self.facts
        ]
        cases = [c.key for c in self.cases]
        key = repr((sorted(self.declarations.items()), sorted(self.ranges.items()), facts, cases))
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "declarations", MappingProxyType(dict(self.declarations)))
        object.__setattr__(self, "ranges", MappingProxyType(dict(self.ranges)))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Assumptions) and self.key == other.key

    def fresh(self) -> str:
        """A name that no free index has."""
        k = 0
        while f"#{k}" in self.ranges:
            k += 1
        return f"#{k}"

    def with_index(self, name: str, size: Size) -> Assumptions:
        """These assumptions and a fresh index in 1..size."""
        if name in self.ranges:
            raise KernelError(f"the index {name} is not fresh")
        return replace(self, ranges={**self.ranges, name: size})

    def with_case(self, positive: Term) -> Assumptions:
        """These assumptions in the case that ``positive`` is > 0."""
        return replace(self, cases=(*self.cases, positive))

    def with_facts(self, facts: tuple[Fact, ...]) -> Assumptions:
        """These assumptions and further facts."""
        return replace(self, facts=(*self.facts, *facts))

    def fact(self, name: str) -> Fact:
        """The fact of that name."""
        for f in self.facts:
            if f.name == name:
                return f
        raise KernelError(f"no hypothesis is named {name!r}; there are {[f.name for f in self.facts]}")

    def in_range(self, index: Term, size: Size) -> bool:
        """Whether ``index`` is certainly in 1..size (every size is at least 1)."""
        if index.head == "free":
            return bool(self.ranges.get(index.data) == size)
        if index.head == "position":
            return bool(1 <= index.data <= (size if isinstance(size, int) else 1))
        if index.head == "label":
            d = self.declarations.get(index.data)
            return d is not None and d.domain.bound == size and self.fits(d, index.args)
        return False

    def fits(self, declaration: Declaration, indices: tuple[Term, ...]) -> bool:
        """Whether the indices are as many as the axes of the family, and each in range."""
        shape = declaration.shape
        return len(shape) == len(indices) and all(
            self.in_range(i, s) for i, s in zip(indices, shape, strict=True)
        )

    def sizes(self) -> set[Size]:
        """The lengths that the declarations mention."""
        declared = self.declarations.values()
        found = {s for d in declared for s in d.shape} | {d.domain.bound for d in declared}
        return {s for s in found if s is not None}


def assume(given: tuple[Declaration, ...], hypotheses: tuple[Hypothesis, ...]) -> Assumptions:
    """The assumptions of a statement: its declarations, what they imply, and its hypotheses."""
    for d in given:
        _require_plain(d.name, *d.shape, d.domain.bound)
    for h in hypotheses:
        _require_plain(h.name, h.over)
    declarations = {d.name: d for d in given}
    if len(declarations) != len(given):
        raise KernelError(f"a variable is declared twice: {[d.name for d in given]}")
    ranges: dict[str, Size] = {}
    facts: list[Fact] = []
    for d in given:
        if d.domain.kind == "index":
            if d.domain.bound is None:
                raise KernelError(f"the label {d.name} has no range; declare index({d.name!r}, size)")
            if not d.shape:
                ranges[d.name] = d.domain.bound
        if d.domain.sums_to_one:
            facts.append(_sums_to_one(d))
    for h in hypotheses:
        extra = (Index(free(PATTERN)),) if h.over is not None else ()
        left, right = build(h.left, given, extra), build(h.right, given, extra)
        when = build(h.when, given, extra) if h.when is not None else None
        facts.append(Fact(h.name, left, h.relation, right, h.over, when))
    names = [f.name for f in facts]
    if len(set(names)) != len(names):
        raise KernelError(f"two hypotheses have one name: {names}")
    return Assumptions(declarations, ranges, tuple(facts))


def _require_plain(*names: Size | None) -> None:
    """Names of variables, hypotheses and lengths are identifiers; fixed lengths are at least 1."""
    for name in names:
        if isinstance(name, str) and not name.isidentifier():
            raise KernelError(f"{name!r} is not a name; use letters, digits and underscores")
        if isinstance(name, int) and name < 1:
            raise KernelError(f"a length of {name} leaves nothing; lengths are at least 1")


def _sums_to_one(d: Declaration) -> Fact:
    *outer, last = d.shape
    if len(outer) > 1:
        raise KernelError(f"{d.name}: a family of distributions has at most two axes, not {len(d.shape)}")
    indices = (*(free(PATTERN) for _ in outer), Term("bound", data=0))
    total = Term("sum", (Term("app", indices, d.name),), last)
    return Fact(f"sum_{d.name}", total, "=", ONE, outer[0] if outer else None)


def indices_in(term: Term) -> set[Term]:
    """The index terms that occur in ``term`` and do not depend on a binder."""
    found = {t for t in subterms(term) if t.head in {"free", "position", "label"}}
    return {t for t in found if not any(s.head == "bound" for s in subterms(t))}
