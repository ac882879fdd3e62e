"""Tallies: what was seen of one implementation, or of the two sides against each other, over all inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.claim import Relation
from verify.floats import Enclosure, Format
from verify.judgement import FAILED, NO_BOUND, NO_VALUE, RELATED, Implementation, Outcome, Values, as_float
from verify.oracle import Undecided
from verify.verdict import Status


@dataclass(slots=True)
class Tally:
    """The outcomes of one implementation: counts, the worst of each kind, and the worst refuting input."""

    seen: int = 0
    judged: int = 0
    declined: int = 0
    unbounded: int = 0
    undecided: int = 0
    outside: int = 0
    related: int = 0
    failed: int = 0
    worst_ulp: float = 0.0
    worst_ratio: float = 0.0
    accuracy: float | None = None
    height: float | None = None
    worst: tuple[Values, Outcome] | None = None
    declined_because: str = ""
    undecided_because: str = ""
    failed_because: str = ""

    def add(self, outcome: Outcome, values: Values) -> None:
        """Count one outcome."""
        self.seen += 1
        if outcome.judged:
            self.judged += 1
            self.worst_ulp = max(self.worst_ulp, outcome.ulp)
            self.worst_ratio = max(self.worst_ratio, outcome.ratio)
            if outcome.accuracy is not None:
                self.accuracy = max(self.accuracy or 0.0, outcome.accuracy)
            if outcome.height is not None:
                self.height = max(self.height or 0.0, outcome.height)
            if outcome.status is Status.REFUTED and (self.worst is None or outcome.size > self.worst[1].size):
                self.worst = values, outcome
        elif not outcome.applicable:
            self.declined += 1
            self.declined_because = self.declined_because or outcome.reason
        elif outcome.reason.startswith(NO_VALUE):
            self.outside += 1
        elif outcome.reason.startswith(FAILED):
            self.failed += 1
            self.failed_because = self.failed_because or outcome.reason.removeprefix(f"{FAILED}: ")
        elif outcome.reason == NO_BOUND:
            self.unbounded += 1
        elif outcome.reason == RELATED:
            self.related += 1
        else:
            self.undecided += 1
            self.undecided_because = self.undecided_because or outcome.reason

    @property
    def never_applicable(self) -> bool:
        """Whether the implementation declined every input that it was given."""
        return self.seen > 0 and self.declined == self.seen

    @property
    def status(self) -> Status:
        """Refuted by one input; unknown if an input stayed undecided or none was judged; else passed."""
        if self.worst is not None:
            return Status.REFUTED
        return Status.PASSED if self.judged and not self.undecided else Status.UNKNOWN

    @property
    def reason(self) -> str:
        """What a reader has to know about the inputs that were not judged."""
        told = []
        if not self.judged:
            told.append("no input of the domain was judged")
        if self.undecided:
            told.append(f"undecided on {self.undecided} of {self.seen} inputs: {self.undecided_because}")
        if self.failed:
            told.append(
                f"{self.failed} of {self.seen} calls failed and were not judged: {self.failed_because}"
            )
        if self.unbounded:
            told.append(f"{NO_BOUND} for {self.unbounded} of {self.seen} inputs, which were not judged")
        if self.related:
            told.append(f"{self.related} of {self.seen} inputs are so large that each was {RELATED}")
        if self.outside and not self.judged:
            told.append(f"{NO_VALUE} for {self.outside} of {self.seen} inputs")
        if self.declined:
            told.append(f"not applicable to {self.declined} of {self.seen} inputs: {self.declined_because}")
        return "; ".join(told)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two results for the two sides at one input; ``ratio`` is their gap over what both bounds allow."""

    left: Implementation
    right: Implementation
    values: Values
    gap_ulp: float
    allowed_ulp: float
    ratio: float


@dataclass(slots=True)
class Between:
    """The two sides against each other: in exact arithmetic, and as computed."""

    relation: Relation
    inputs: int = 0
    pairs: int = 0
    worst: Pair | None = None
    violating: Values | None = None
    undecided: int = 0

    @property
    def reason(self) -> str:
        """What a reader has to know about the inputs that were not compared."""
        if self.undecided:
            return f"the oracle left {self.undecided} of {self.inputs + self.undecided} inputs undecided"
        return "" if self.inputs else "no input of the domain was compared"

    def add_exact(self, left: Enclosure | Undecided, right: Enclosure | Undecided, values: Values) -> None:
        """Count whether the enclosures of the two sides allow the relation."""
        if isinstance(left, Undecided) or isinstance(right, Undecided):
            self.undecided += 1
            return
        self.inputs += 1
        holds = left.lower <= right.upper and (self.relation != "=" or right.lower <= left.upper)
        if not holds and self.violating is None:
            self.violating = values

    def add_pairs(
        self, outcomes: Mapping[Implementation, Outcome], truth: Enclosure, values: Values, format: Format
    ) -> None:
        """Compare every result for the left side with every one for the right, and keep the worst pair."""
        pair = worst_pair(outcomes, truth, values, format, self.relation)
        if pair is not None:
            self.pairs += 1
            if self.worst is None or pair.ratio > self.worst.ratio:
                self.worst = pair


def worst_pair(
    outcomes: Mapping[Implementation, Outcome],
    truth: Enclosure,
    values: Values,
    format: Format,
    relation: Relation,
) -> Pair | None:
    """The pair of results that breaks the relation most, in units of what the two bounds allow."""
    usable = [(i, o) for i, o in outcomes.items() if o.judged and o.bound is not None]
    pairs = [
        _pair(first, second, truth, values, format, relation)
        for first in usable
        for second in usable
        if first[0].side == "left" and second[0].side == "right"
    ]
    return max(pairs, key=lambda pair: pair.ratio, default=None)


def _pair(
    first: tuple[Implementation, Outcome],
    second: tuple[Implementation, Outcome],
    truth: Enclosure,
    values: Values,
    format: Format,
    relation: Relation,
) -> Pair:
    (left, a), (right, b) = first, second
    allowed = (a.bound or Fraction(0)) + (b.bound or Fraction(0))
    gap = _gap(a.got, b.got, relation)
    ulp = format.ulp(truth.upper)
    if isinstance(gap, float):
        return Pair(left, right, values, math.inf, as_float(allowed / ulp), math.inf)
    ratio = as_float(gap / allowed) if allowed else math.inf if gap else 0.0
    return Pair(left, right, values, as_float(gap / ulp), as_float(allowed / ulp), ratio)


def _gap(a: Any, b: Any, relation: Relation) -> Fraction | float:
    """By how much two results break the relation; infinite for a nan or for different infinities."""
    if a == b or (relation != "=" and a < b):
        return Fraction(0)
    if isinstance(a, float) or isinstance(b, float):
        return math.inf
    return abs(Fraction(a) - Fraction(b))
