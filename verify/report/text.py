"""A claim and a run in plain lines for a terminal; each line has the style in which it is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import category

from verify.record import ClaimRecord, EvidenceRecord, PartRecord, RunRecord
from verify.report.comparison import KINDS, Comparison
from verify.report.shape import attempts, grouped, measure, named, quantity, standing, summary_of, tone
from verify.report.summary import counted
from verify.verdict import Status

_STYLES = {"holds": "green", "corrected": "yellow", "opinion": "blue", "fails": "bold red"}

_CHANGES = 12
"""How many changes of a kind a terminal shows; the page shows more."""


class Line(NamedTuple):
    """One line of output and its style: a colour, ``bold``, ``dim`` or nothing."""

    text: str
    style: str = ""


def visible(text: str) -> str:
    """The text with what would steer a terminal (escapes, line breaks, changes of direction) replaced."""
    return "".join("\N{REPLACEMENT CHARACTER}" if category(c) in ("Cc", "Cf") else c for c in text)


def verdicts(claims: Sequence[ClaimRecord]) -> Iterator[Line]:
    """One line a claim: its id and where it stands, and why where that is not established."""
    width = max((len(claim.id) for claim in claims), default=0)
    for claim in claims:
        yield Line(f"{claim.id:<{width}}  {standing(claim)}", _STYLES[tone(claim)])
        if tone(claim) == "fails":
            for part in _parts(claim):
                if part.reason and part.status not in ("proved", "cited"):
                    yield Line(f"    {part.id}: {part.reason}")
        for part in _parts(claim):
            yield from _found(part, "    ")


def columns(rows: Sequence[tuple[str, str]], width: int) -> Iterator[Line]:
    """Two columns, the second one wrapped below itself, or below the first where it has no room."""
    first = max((len(name) for name, _ in rows), default=0) + 2
    for name, words in rows:
        if first <= width // 2:
            yield from _hanging(f"{name:<{first}}{words}", width, "", " " * first)
        else:
            yield Line(name)
            yield from _hanging(words, width, "    ", "    ")


def explanation(claim: ClaimRecord, evidence: Sequence[EvidenceRecord], width: int) -> Iterator[Line]:
    """Statement, assumptions, derivation step by step, status and evidence, at most ``width`` wide."""
    yield Line(f"{claim.id}: {standing(claim)}", _STYLES[tone(claim)])
    yield from _wrapped(claim.words, width)
    yield from _wrapped(f"source: {claim.section}", width, style="dim")
    yield from _claim_body(claim, width)
    yield Line("")
    yield from _evidence(evidence, width)


def findings(run: RunRecord) -> Iterator[Line]:
    """One line for each finding, worst first."""
    for finding in grouped(run.evidence):
        worst = finding.worst
        yield Line(
            f"refuted: {named(worst)} in {worst.dtype} on {worst.device}, {worst.claim}: {measure(worst)}",
            "red",
        )


def changes(comparison: Comparison) -> Iterator[Line]:
    """What changed since the older run, a line each, of each kind the first ones; then how many."""
    for name, before, after in comparison.facts:
        yield Line(f"{name}: {before} before, {after} now", "dim")
    for kind in KINDS:
        found = comparison.of(kind)
        for change in found[:_CHANGES]:
            style = "red" if change.worse else "green" if kind == "fixed" else "yellow"
            yield Line(f"{kind}: {change.claim}, {change.what}: {change.before} → {change.after}", style)
        if len(found) > _CHANGES:
            yield Line(f"{kind}: and {len(found) - _CHANGES} more on the page", "dim")
    yield Line(comparison.sentence)


def _parts(claim: ClaimRecord) -> Iterator[PartRecord]:
    yield from claim.parts
    if claim.corrected is not None:
        yield from _parts(claim.corrected)
    yield from claim.holds_when


def _claim_body(claim: ClaimRecord, width: int) -> Iterator[Line]:
    for assumption in claim.assumptions:
        yield from _wrapped(f"assuming {assumption}", width)
    if claim.literal is not None:
        yield Line("")
        yield Line("As worded", "bold")
        yield from _wrapped(claim.literal.text, width, "    ")
        yield from _wrapped(f"{claim.literal.status}: {claim.witness or claim.literal.reason}", width, "  ")
        yield from _opinions(claim.literal, width)
    for part in claim.parts:
        yield from _part(part, width)
    if claim.corrected is not None:
        yield Line("")
        yield Line(f"As corrected: {standing(claim.corrected)}", _STYLES[tone(claim.corrected)])
        yield from _wrapped(claim.corrected.words, width)
        yield from _claim_body(claim.corrected, width)
    if claim.holds_when:
        yield Line("")
        yield Line("When the wording does hold", "bold")
        for part in claim.holds_when:
            yield from _part(part, width)
    for remark in claim.remarks:
        yield from _wrapped(f"Remark: {remark}", width)


def _part(part: PartRecord, width: int) -> Iterator[Line]:
    yield Line("")
    yield from _wrapped(f"{part.id}: {part.words}", width, style="bold")
    yield from _wrapped(part.text, width, "    ")
    for assumption in part.assumptions:
        yield from _wrapped(f"assuming {assumption}", width, "  ", "dim")
    for number, step in enumerate(part.steps, start=1):
        yield from _hanging(f"  {number:>2}. {step.text}", width, "", " " * 8)
        if step.why:
            yield from _wrapped(step.why, width, "      ", "dim")
        for rule in step.rules:
            met = f" ({'; '.join(rule.conditions)})" if rule.conditions else ""
            yield from _wrapped(f"by {rule.name}: {rule.words}{met}", width, "      ", "dim")
        if step.gap_text:
            sign = "positive" if step.relation == "<" else "not negative"
            yield from _wrapped(f"right minus left, which is {sign}: {step.gap_text}", width, "      ")
    if part.citation:
        yield from _wrapped(f"from the literature: {part.citation}", width, "  ")
    yield from _found(part, "  ")
    outcome = f"{part.status}: {part.reason}" if part.reason else part.status
    yield from _wrapped(outcome, width, "  ", "green" if part.status in ("proved", "cited") else "red")
    yield from _opinions(part, width)


def _found(part: PartRecord, indent: str) -> Iterator[Line]:
    """The steps that the prover found, unwrapped, so that they can be pasted into the part."""
    if part.found:
        yield Line(f"{indent}{part.id}: no derivation is given; this one was found, for steps=(...):")
        for line in part.found.splitlines():
            yield Line(f"{indent}    {line}")


def _opinions(part: PartRecord, width: int) -> Iterator[Line]:
    yield from _wrapped(f"refuter: {attempts(part)}; SymPy: {part.sympy}", width, "  ", "dim")


def _evidence(evidence: Sequence[EvidenceRecord], width: int) -> Iterator[Line]:
    if not evidence:
        yield Line("no numeric evidence at hand; `lossproof run` gathers it", "dim")
        return
    numbers = summary_of(evidence)
    yield Line(f"Measured: {counted(numbers.checks, 'check')}, {counted(numbers.inputs, 'input')}", "bold")
    for record in evidence:
        yield from _wrapped(
            f"{record.status}: {named(record)} ({record.side}), {record.dtype} on {record.device}, "
            f"{counted(record.inputs, 'input')}{_measured(record)}",
            width,
            "  ",
            "red" if record.status == "refuted" else "",
        )


def _measured(record: EvidenceRecord) -> str:
    if record.status == Status.REFUTED:
        return f", {measure(record)}"
    if record.worst_ulp is None:
        return ""
    return f", worst {quantity(record.worst_ulp)} ulp, {quantity(record.worst_ratio)} times its bound"


def _wrapped(text: str, width: int, indent: str = "", style: str = "") -> Iterator[Line]:
    yield from _hanging(text, width, indent, f"{indent}  ", style)


def _hanging(text: str, width: int, first: str, others: str, style: str = "") -> Iterator[Line]:
    for line in textwrap.wrap(
        text,
        max(width, len(others) + 20),
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Line(line, style)
