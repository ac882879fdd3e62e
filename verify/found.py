"""Found: what one call has shown of a property, in its worst element."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from verify.calls import Call
from verify.floats import Enclosure, Format
from verify.judgement import NO_BOUND, NO_VALUE, Outcome, judge
from verify.oracle import Undecided
from verify.verdict import Status


@dataclass(frozen=True, slots=True)
class Found:
    """What a call showed: the outcome of its worst element, where that lies, and its exact value.

    ``position`` counts the elements from 0 in row-major order, None where no number was compared.
    ``call`` is another call that shows it, where it is not the one examined, and ``told`` says by what it was
    found, if that was a relation.
    """

    outcome: Outcome
    position: int | None = None
    truth: Enclosure | None = None
    call: Call | None = None
    told: str = ""


def refuted(told: str) -> Outcome:
    """An outcome that no number tells: it is infinitely wrong."""
    return Outcome(Status.REFUTED, ulp=math.inf, ratio=math.inf, allowed_ulp=0.0, reason=told)


def worst_of(found: list[Found]) -> Found:
    """The worst of several elements; its error in ulp is the largest of all that passed.

    A result that is right to have no elements passes.
    """
    if not found:
        return Found(Outcome(Status.PASSED))
    worst = max(found, key=lambda one: (rank(one.outcome), one.outcome.ratio))
    judged = [one.outcome for one in found if one.outcome.judged]
    ulp = max((outcome.ulp for outcome in judged), default=0.0)
    if not worst.outcome.judged or worst.outcome.status is Status.REFUTED:
        return worst
    return replace(worst, outcome=replace(worst.outcome, ulp=ulp))


def middle(truth: Enclosure | Undecided) -> float:
    """The exact value as a float; nan where it is not known."""
    return math.nan if isinstance(truth, Undecided) else float(truth.lower)


def found_at(position: int, got: Any, truth: Enclosure | Undecided, bound: Any, format: Format) -> Found:
    """What one element shows, of a known or unknown exact value."""
    if isinstance(truth, Undecided):
        return Found(Outcome(Status.UNKNOWN, got=got, reason=f"the oracle did not decide: {truth.reason}"))
    return Found(judge(got, truth, bound, format), position, truth)


def rank(outcome: Outcome) -> int:
    """Refuted before undecided before unbounded before passed before what has no value."""
    if outcome.status is Status.REFUTED:
        return 4
    if outcome.judged:
        return 1
    if outcome.reason.startswith(NO_VALUE):
        return 0
    return 2 if outcome.reason == NO_BOUND else 3
