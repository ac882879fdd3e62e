"""Conclusions: the verdict of a sweep, with its worst input confirmed by mpmath."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from verify.elements import element, formula_of
from verify.errors import VerifyError
from verify.floats import Bound, Enclosure
from verify.judgement import as_float, text_of
from verify.oracle import confirm
from verify.search import Search
from verify.signatures import name_of
from verify.sweeps.counts import EDGES, numbers_of
from verify.sweeps.subject import Subject
from verify.sweeps.summary import Summary
from verify.verdict import Counterexample, Status, Verdict
from verify.words import counted


def subject_of(subject: Subject, covered: str = "every input") -> str:
    """What the verdict of a sweep is about, in words; ``covered`` says which inputs were asked for."""
    name = f"{name_of(subject.candidate)} as {subject.form.operation}"
    what = f"{subject.judged} of {covered} of {subject.form.words}"
    return f"{name}: {what} in {subject.dtype} on {subject.device}"


def concluded(subject: Subject, summary: Summary, coverage: Mapping[str, Any]) -> Verdict:
    """The verdict. ``coverage``: which inputs were asked for, and which chunks are missing."""
    complete = not coverage["missing"]
    every = coverage["all"] and complete and not summary.failed
    status = _status(summary, coverage)
    verdict = Verdict(
        subject_of(subject, coverage["covered"]),
        status,
        reason="; ".join(told for told in _reasons(summary, coverage, every) if told),
        coverage="exhaustive" if every else "searched",
        inputs=summary.counts.inputs,
        level="stable",
        worst_ulp=summary.counts.worst and summary.counts.worst[0],
        worst_ratio=summary.counts.steepest[0]
        if summary.counts.steepest
        else (0.0 if summary.counts.inputs else None),
        counts=_counts(subject, summary, coverage),
    )
    return _refuted(subject, summary, verdict) if summary.counts.refuted else verdict


def _status(summary: Summary, coverage: Mapping[str, Any]) -> Status:
    if summary.failed or summary.counts.refuted or coverage["contradicted"]:
        return Status.REFUTED
    if coverage["missing"] or summary.counts.undecided or not summary.counts.inputs:
        return Status.UNKNOWN
    return Status.PASSED


def _reasons(summary: Summary, coverage: Mapping[str, Any], every: bool) -> list[str]:
    told = [summary.failed]
    if coverage["contradicted"]:
        told.append(
            f"chunk {coverage['contradicted'][0]} was computed twice with different results: the function is "
            "not deterministic"
        )
    if coverage["missing"]:
        told.append(f"incomplete: {coverage['missing']} of {coverage['chunks']} chunks are missing")
    told.append(coverage["shard"])
    if summary.counts.refuted:
        told.append(f"{summary.counts.refuted:,} of {summary.counts.inputs:,} inputs are beyond the bound")
    told.append(f"every input: {summary.counts.inputs:,}" if every and not summary.counts.refuted else "")
    if summary.counts.undecided:
        told.append(f"undecided on {summary.counts.undecided:,} of {summary.counts.inputs:,} inputs")
    if not summary.counts.inputs:
        told.append("no input was judged")
    if summary.apart:
        told.append(f"{summary.apart:,} of the inputs computed again have another result in other company")
    if coverage["torn"]:
        told.append(f"left out of the journal: {counted(coverage['torn'], 'damaged line')}")
    return told


def _counts(subject: Subject, summary: Summary, coverage: Mapping[str, Any]) -> dict[str, Any]:
    """What was counted, as plain data (docs/json.md)."""
    order, first = subject.order, summary.counts.first_refuted
    histogram = []
    for binade, counts in sorted(summary.counts.histogram.items()):
        least = order.value(
            (binade * order.binade) + (order.binade - 1 if binade * order.binade < order.half else 0)
        )
        histogram.append([float(least), counts[: max((k + 1 for k, n in enumerate(counts) if n), default=0)]])
    return {
        "exact": summary.counts.exact,
        "correctly_rounded": summary.counts.rounded,
        "faithful": summary.counts.faithful,
        "refuted": summary.counts.refuted,
        "undecided": summary.counts.undecided,
        "first_refuted": None if first is None else [float(x) for x in _arguments(subject, first)],
        "apart": summary.apart,
        "missing_chunks": coverage["missing"],
        "worst": _shown(subject, summary.counts.worst),
        "steepest": _shown(subject, summary.counts.steepest),
        "edges": list(EDGES),
        "histogram": histogram,
    }


def _arguments(subject: Subject, place: int) -> tuple[Bound, ...]:
    return tuple(subject.order.value(n) for n in numbers_of(place, subject.form.arity))


def _shown(subject: Subject, found: tuple[float, int, float] | None) -> dict[str, Any] | None:
    """An input with its result, and the exact value to 30 digits, confirmed by mpmath."""
    if found is None:
        return None
    _, place, got = found
    arguments = _arguments(subject, place)
    outcome, truth = subject.outcome(_bound(got), *arguments)
    return {
        "input": [float(argument) for argument in arguments],
        "got": got,
        "exact": _confirmed(subject, arguments, truth),
        "ulp": outcome.ulp,
        "ratio": outcome.ratio,
        "allowed_ulp": outcome.allowed_ulp,
    }


def _bound(got: float) -> Bound:
    return Fraction(got) if math.isfinite(got) else got


def _confirmed(subject: Subject, arguments: tuple[Bound, ...], truth: Enclosure | None) -> str:
    if truth is None:
        return ""
    formula, values = formula_of(subject.call(*arguments), subject.judged)
    try:
        return confirm(lambda c, *x: element(formula(c, *x), subject.position), values, truth, lazy=True)
    except VerifyError as error:
        return f"not confirmed: {error}"


def _refuted(subject: Subject, summary: Summary, verdict: Verdict) -> Verdict:
    """With a counterexample: the worst refuted input, replayed by itself as a check would."""
    assert summary.counts.steepest is not None
    _, place, got = summary.counts.steepest
    arguments = _arguments(subject, place)
    replayed = _replayed(subject, arguments)
    if replayed.status is Status.REFUTED:
        return replace(
            verdict,
            counterexample=replayed.counterexample,
            reproducer=replayed.reproducer,
            witness=replayed.witness,
            reason=f"{verdict.reason}; {replayed.reason}",
        )
    shown = _shown(subject, summary.counts.steepest) or {}
    names = ("x", "y")[: subject.form.arity]
    example = Counterexample(
        tuple((name, text_of(value)) for name, value in zip(names, arguments, strict=True)),
        shown["exact"],
        text_of(_bound(got)),
        as_float(shown["ulp"]),
        shown["allowed_ulp"],
    )
    alone = "; computed by itself this input is right" if replayed.status is Status.PASSED else ""
    return replace(verdict, counterexample=example, reason=verdict.reason + alone)


def _replayed(subject: Subject, arguments: tuple[Bound, ...]) -> Verdict:
    """The verdict of a check about one call; unknown where an argument is infinite."""
    if any(isinstance(argument, float) and argument - argument != 0 for argument in arguments):
        return Verdict(subject_of(subject), Status.UNKNOWN)
    search = Search(
        subject.candidate,
        subject.contract,
        {},
        "",
        subject.judged,
        subject.dtype,
        subject.device,
        True,
        1,
        0,
        None,
        "stable",
    )
    return search.replayed(subject.call(*arguments))
