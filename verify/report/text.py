"""A claim and a run in plain lines for a terminal; each line has the style in which it is shown."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import category

from verify.record import OUTCOMES, ClaimRecord, EvidenceRecord, PartRecord, RunRecord
from verify.report.checked import FAILING, expected_of, words_of
from verify.report.comparison import KINDS, Comparison
from verify.report.notation import notation
from verify.report.shape import attempts, found_in, measure, named, quantity, standing, summary_of, tone
from verify.report.summary import summarise, told_outcome
from verify.verdict import Status
from verify.words import counted

_STYLES = {"holds": "green", "corrected": "yellow", "opinion": "blue", "fails": "bold red"}

_OUTCOMES = {
    "held": "green",
    "unknown": "yellow",
    "expected": "yellow",
    "not applicable": "dim",
    "not run": "yellow",
}

_FINDINGS = 40
"""How many findings a terminal shows; the page shows more."""

_EXPECTED = 12
"""How many expected failures a terminal shows; the page shows more."""

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
            if claim.literal is not None and claim.witness:
                yield Line(f"    {claim.literal.id}: refuted at {claim.witness}")
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


def findings(run: RunRecord, width: int) -> Iterator[Line]:
    """One line for each finding, worst first, or two where one is too long; then how many more."""
    found = found_in(run)
    for worst in (finding.worst for finding in found[:_FINDINGS]):
        where = f"refuted: {notation(named(worst))} in {worst.dtype} on {worst.device}"
        what = f"{worst.claim}: {measure(worst)}"
        if len(where) + len(what) + 2 <= width:
            yield Line(f"{where}, {what}", "red")
        else:
            yield from _wrapped(where, width, style="red")
            yield from _wrapped(what, width, " " * len("refuted: "))
    if len(found) > _FINDINGS:
        yield Line(f"refuted: and {len(found) - _FINDINGS} more on the page", "dim")


def expected_failures(run: RunRecord, width: int) -> Iterator[Line]:
    """One line for each failure that is expected, the one to look at first in front; then how many more."""
    known = expected_of(run)
    for check in known[:_EXPECTED]:
        style = "red" if check.outcome in FAILING else "yellow"
        where = f"{check.candidate} {check.claim}: {check.property} in {check.dtype} on {check.device}"
        yield from _hanging(f"{where}, {words_of(check)}", width, "expected: ", " " * 10, style)
    if len(known) > _EXPECTED:
        yield Line(f"expected: and {len(known) - _EXPECTED} more on the page", "dim")


def summary(run: RunRecord, width: int) -> Iterator[Line]:
    """A table of what the run amounts to: how many of each thing, and what became of them."""
    found = summarise(run)
    claims = [
        (found.proved, "proved", "green"),
        (found.corrected, "false as worded, proved as corrected", "yellow"),
        (found.cited, "resting on a cited theorem", "green"),
        (found.opinions, "opinion" if found.opinions == 1 else "opinions", "blue"),
        (found.open, "NOT established", "bold red"),
    ]
    checks = [
        (found.passed, "passed", "green"),
        (found.refuted, "refuted", "red"),
        (found.unknown, "undecided", "yellow"),
        (found.expected, "refuted as expected", "yellow"),
    ]
    status = Counter(one.status for one in run.sweeps if one.inputs)
    sweeps = [
        (status[Status.PASSED] + status[Status.PROVED], "passed", "green"),
        (status[Status.REFUTED], "refuted", "red"),
        (status[Status.UNKNOWN], "undecided", "yellow"),
    ]
    functions = [
        (found.functions.outcomes[outcome], told_outcome(outcome), _OUTCOMES.get(outcome, "red"))
        for outcome in OUTCOMES
    ]
    tables = {"claims": claims, "numeric checks": checks, "every input": sweeps, "functions": functions}
    for name, counts in tables.items():
        for place, (count, words, style) in enumerate(one for one in counts if one[0]):
            yield Line(f"{'' if place else name:<16}{count:>7,}  {words}", style)
    for place, entry in enumerate(found.not_run):
        told = f"{'' if place else 'not run':<25}{entry.what}: {entry.why}"
        yield Line(told if len(told) <= width else f"{told[: width - 1]}…", "yellow")


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
        yield from _wrapped(claim.literal.text, width, "    ", "cyan")
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
    yield from _wrapped(part.text, width, "    ", "cyan")
    for assumption in part.assumptions:
        yield from _wrapped(f"assuming {assumption}", width, "  ", "dim")
    for number, step in enumerate(part.steps, start=1):
        yield from _hanging(f"  {number:>2}. {notation(step.text)}", width, "", " " * 8, "cyan")
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
    if part.unmeasured:
        yield from _wrapped(f"not measured: {part.unmeasured}", width, "  ", "dim")


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
        told = "`lossproof run` gathers it for the claims of `lossproof list`, --evidence names its file"
        yield Line(f"no numeric evidence at hand; {told}", "dim")
        return
    numbers = summary_of(evidence)
    yield Line(f"Measured: {counted(numbers.checks, 'check')}, {counted(numbers.inputs, 'input')}", "bold")
    several = len({record.part for record in evidence}) > 1
    for record in evidence:
        where = f"{record.part}, {record.side}" if several else record.side
        yield from _wrapped(
            f"{record.status}: {named(record)} ({where}), {record.dtype} on {record.device}, "
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
    yield from _hanging(notation(text), width, indent, f"{indent}  ", style)


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
