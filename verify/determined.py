"""Determined variables: a statement whose hypotheses fix some of its variables, told of the others alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verify.claim import Formula, Hypothesis, Part, Relation
from verify.domain import Declaration
from verify.kernel.build import Index, build
from verify.kernel.terms import free, subterms
from verify.points import defined_by


def without_determined(part: Part) -> Part:
    """The statement about the variables that are left to choose.

    A variable that an equation of the hypotheses defines, itself or entry by entry, is computed from
    the others by whatever computes the formulas, and the equation is gone; what its declaration says of its
    sign and range takes the place of it. Distributions stay, as their entries are tied together.
    """
    defining = _defining(part)
    if not defining:
        return part
    computed = _Computed(part.given, defining)
    kept = [h for h in part.hypotheses if h not in defining.values()]
    ranges = [one for name, h in defining.items() for one in _ranges(name, h, part)]
    return replace(
        part,
        given=computed.chosen,
        left=computed.of(part.left),
        right=computed.of(part.right),
        hypotheses=tuple(
            replace(
                h,
                left=computed.of(h.left),
                right=computed.of(h.right),
                when=None if h.when is None else computed.of(h.when),
            )
            for h in (*kept, *ranges)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Computed:
    """Formulas over all variables as formulas over those that are chosen."""

    given: tuple[Declaration, ...]
    defining: Mapping[str, Hypothesis]

    @property
    def chosen(self) -> tuple[Declaration, ...]:
        """The declarations of the variables that are left to choose."""
        return tuple(d for d in self.given if d.name not in self.defining)

    def of(self, formula: Formula) -> Formula:
        """The formula with the determined variables computed; an index after the variables stays."""
        count = len(self.chosen)
        return lambda c, *values: formula(c, *self._all(c, values[:count]), *values[count:])

    def _all(self, c: Any, values: Sequence[Any]) -> list[Any]:
        known = {d.name: value for d, value in zip(self.chosen, values, strict=True)}
        lengths = {d.shape[0]: known[d.name] for d in self.chosen if d.shape}
        for name, h in self.defining.items():
            # Of what is not yet known no more than its length is asked for.
            arguments = [known.get(d.name, lengths.get(d.shape[0]) if d.shape else None) for d in self.given]
            known[name] = _value(c, h, arguments, lengths)
        return [known[d.name] for d in self.given]


def _value(c: Any, h: Hypothesis, arguments: list[Any], lengths: Mapping[Any, Any]) -> Any:
    if h.over is None:
        return h.right(c, *arguments)
    return c.family(lambda i: h.right(c, *arguments, i), over=lengths[h.over])


def _defining(part: Part) -> dict[str, Hypothesis]:
    """The equation that defines each determined variable, in an order in which they can be computed."""
    pending: dict[str, Hypothesis] = {}
    for h in part.hypotheses:
        name = defined_by(h, part.given)
        for d in part.given:
            if d.name == name and d.domain.kind == "real" and not d.domain.sums_to_one:
                pending.setdefault(d.name, h)
    lengths = {d.shape[0] for d in part.given if d.shape and d.name not in pending}
    pending = {name: h for name, h in pending.items() if h.over is None or h.over in lengths}
    found: dict[str, Hypothesis] = {}
    while ready := [name for name, h in pending.items() if not _used(h, part) & pending.keys()]:
        found |= {name: pending.pop(name) for name in ready}
    return found


def _used(h: Hypothesis, part: Part) -> set[str]:
    """The names of the variables whose numbers the right side of a hypothesis uses."""
    right = build(h.right, part.given, () if h.over is None else (Index(free("?")),))
    return {term.data for term in subterms(right) if term.head in ("var", "app")}


def _ranges(name: str, h: Hypothesis, part: Part) -> list[Hypothesis]:
    """What the declaration of a determined variable says of each number of it, as hypotheses."""
    at = [d.name for d in part.given].index(name)
    domain = part.given[at].domain

    def number(c: Any, *values: Any) -> Any:
        return values[at] if h.over is None else values[at][values[-1]]

    found = []
    if domain.sign != "any":
        relation: Relation = "<" if domain.sign == "positive" else "<="
        found.append(Hypothesis(f"{name}_above", lambda c, *v: c.number(0), relation, number, h.over))
    if domain.below_one:
        found.append(Hypothesis(f"{name}_below", number, "<", lambda c, *v: c.number(1), h.over))
    return found
