"""The shapes in which a run is shown: findings and evidence grouped, numbers and statuses in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from zlib import crc32

from verify.judgement import DEFINITION
from verify.record import CheckRecord, ClaimRecord, EvidenceRecord, PartRecord, RunRecord
from verify.report.summary import Functions, Summary, established, findings
from verify.verdict import Counterexample, Status
from verify.words import counted

Record = EvidenceRecord | CheckRecord
"""What can be a finding: a numeric check of a claim, or one of a function of a user."""

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Finding:
    """One implementation that is wrong: its worst case, and every other refuted check that it explains.

    The implementation is one that computes claims, or a function of a user.
    """

    name: str
    worst: Record
    others: tuple[Record, ...]

    @property
    def anchor(self) -> str:
        """A fragment name that is unique on the page."""
        # Names that a user gives may have one slug: a checksum tells them apart.
        told = f"{self.name}-{self.worst.claim}"
        checksum = f"-{crc32(told.encode(errors='replace')):08x}" if is_check(self.worst) else ""
        return slug(f"finding-{told}{checksum}")


@dataclass(frozen=True, slots=True)
class EvidenceSummary:
    """The numeric checks of one claim, in five numbers, and the check with the largest error / bound."""

    checks: int
    refuted: int
    unknown: int
    inputs: int
    worst_ulp: float | None
    worst_ratio: float | None
    worst: EvidenceRecord | None


def is_check(record: Record) -> bool:
    """Whether a record is of a function of a user."""
    return isinstance(record, CheckRecord)


def found_in(run: RunRecord) -> tuple[Finding, ...]:
    """The findings of a run: in what computes the claims, and in functions of users."""
    return grouped((*run.evidence, *run.checks))


def grouped(records: Sequence[Record]) -> tuple[Finding, ...]:
    """The refuted checks, one entry for each implementation at fault, worst first.

    A composition and a comparison of two sides stand under the implementation in them that is also
    wrong by itself; where there is none, by themselves.
    """
    refuted = findings(records)
    single = {_key(record, record.implementation) for record in refuted if len(_names(record)) == 1}
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in refuted:
        keys = [_key(record, name) for name in _names(record)]
        blamed = next((key for key in keys if key in single), _key(record, record.implementation))
        groups.setdefault(blamed, []).append(record)
    found = []
    for (name, _), group in groups.items():
        worst = next((record for record in group if record.implementation == name), group[0])
        found.append(Finding(name, worst, tuple(record for record in group if record is not worst)))
    places = {record: place for place, record in enumerate(refuted)}
    return tuple(sorted(found, key=lambda finding: places[finding.worst]))


def _names(record: Record) -> list[str]:
    """The implementations that a record names: those of a composition, and of two sides compared."""
    if is_check(record):
        return [record.implementation]
    return [name for side in record.implementation.split(" against ") for name in side.split(" + ")]


def _key(record: Record, name: str) -> tuple[str, str]:
    """What tells implementations apart: their name, and of those without one of their own the claim.

    A function of a user is one by its name and the operation that it is to compute.
    """
    return name, record.claim if name == DEFINITION or is_check(record) else ""


def by_claim(evidence: Sequence[EvidenceRecord]) -> dict[str, list[EvidenceRecord]]:
    """The numeric checks of each claim by its id, in the order in which they were run."""
    groups: dict[str, list[EvidenceRecord]] = {}
    for record in evidence:
        groups.setdefault(record.claim, []).append(record)
    return groups


def worst_of(records: Sequence[EvidenceRecord], most: int) -> Sequence[EvidenceRecord]:
    """The records as they are, or where there are more than ``most`` the worst of them, worst first.

    Of those that are not refuted the worst of each implementation comes before the second of any.
    """
    if len(records) <= most:
        return records
    ordered = sorted(records, key=_badness)
    turns: Counter[tuple[str, str, str, str]] = Counter()
    found: list[tuple[int, EvidenceRecord]] = []
    for record in ordered:
        turns[_measured(record)] += 1
        found.append((0 if record.status == Status.REFUTED else turns[_measured(record)], record))
    kept = sorted(found, key=lambda pair: pair[0])[:most]
    return sorted((record for _, record in kept), key=_badness)


def _badness(record: EvidenceRecord) -> tuple[int, float]:
    return record.status.rank, -(_largest([record.worst_ratio]) or 0.0)


def _measured(record: EvidenceRecord) -> tuple[str, str, str, str]:
    """What is measured: an implementation on one side of a part."""
    return record.implementation, record.expression, record.part, record.side


def by_implementation(records: Sequence[EvidenceRecord]) -> tuple[tuple[EvidenceRecord, ...], ...]:
    """The checks of one implementation on one side of a part together, in the order of the first of each."""
    groups: dict[tuple[str, str, str, str], list[EvidenceRecord]] = {}
    for record in records:
        groups.setdefault(_measured(record), []).append(record)
    return tuple(map(tuple, groups.values()))


def summary_of(records: Sequence[EvidenceRecord]) -> EvidenceSummary:
    """Counts and the largest errors over the checks; an error without a number counts as infinite."""
    measured = [record for record in records if record.worst_ratio is not None]
    return EvidenceSummary(
        checks=len(records),
        refuted=sum(record.status == Status.REFUTED for record in records),
        unknown=sum(record.status == Status.UNKNOWN for record in records),
        inputs=sum(record.inputs for record in records),
        worst_ulp=_largest([record.worst_ulp for record in records]),
        worst_ratio=_largest([record.worst_ratio for record in records]),
        worst=max(measured, key=lambda record: _largest([record.worst_ratio]) or 0.0, default=None),
    )


def headline(summary: Summary, findings: Sequence[Finding]) -> str:
    """The result of a run in one line: the claims, the implementations measured, the functions checked."""
    measured = [finding for finding in findings if not is_check(finding.worst)]
    told = [_claims_headline(summary, measured)] if summary.of_claims else []
    told += [_functions_headline(summary.functions)] if summary.functions.functions else []
    return "; ".join(told)


def _functions_headline(functions: Functions) -> str:
    if not functions.judged:
        return f"{counted(functions.functions, 'function')}, no check was run"
    refuted = f"{functions.refuted} refuted" if functions.refuted else "none refuted"
    told = [f"{counted(functions.functions, 'function')} checked", refuted]
    told += [f"{functions.known} known to fail"] if functions.known else []
    told += (
        [f"{counted(functions.outcomes['unknown'], 'check')} undecided"]
        if functions.outcomes["unknown"]
        else []
    )
    told += [f"{counted(functions.stale, 'expected failure')} to remove or renew"] if functions.stale else []
    return ", ".join(told)


def _claims_headline(summary: Summary, findings: Sequence[Finding]) -> str:
    if not summary.claims:
        return "No claim was judged"
    held = summary.claims - summary.open
    of = f"{held} of {counted(summary.claims, 'claim')}" if summary.open else counted(summary.claims, "claim")
    if not summary.checks:
        return f"{of} established, nothing measured"
    if not findings:
        return f"{of} established, no measured error beyond its bound"
    beyond = counted(len(findings), "implementation").replace(" ", "\N{NO-BREAK SPACE}")
    return f"{of} established, {beyond} beyond the bound"


def standing(claim: ClaimRecord) -> str:
    """The status of a claim in words that a reader needs no key for."""
    if not established(claim):
        if claim.status != "refuted":
            return "not established"
        return "refuted" if claim.literal is None else "refuted as worded, no correction established"
    return {"refuted": "false as worded, proved as corrected", "cited": "rests on a cited theorem"}.get(
        claim.status, claim.status
    )


MARKS = {"holds": "✓", "corrected": "±", "opinion": "○", "fails": "✗"}
"""The mark that goes with each tone, for those who do not see its colour."""


def tone(claim: ClaimRecord) -> str:
    """The class of a claim on the page, a key of MARKS."""
    if not established(claim):
        return "fails"
    return {"refuted": "corrected", "opinion": "opinion"}.get(claim.status, "holds")


def attempts(part: PartRecord) -> str:
    """What the refuter said of a statement, at how many points and at which sizes."""
    if part.refuter == "refuted" and not part.points:
        return "refuted at the witness"
    if not part.points:
        return "no point tried"
    sizes = f", sizes {', '.join(map(str, part.sizes))}" if part.sizes else ""
    return f"{part.refuter} at {counted(part.points, 'exact point')}{sizes}"


def side_of(record: EvidenceRecord) -> str:
    """What of a statement a check is about, in words."""
    told = {"left": "left side", "right": "right side", "between": "two sides compared"}
    return told.get(record.side, record.side)


def named(record: Record) -> str:
    """The implementation, and the expression that it computes where it has no other name."""
    return f"{record.implementation} ({record.expression})" if record.expression else record.implementation


def measure(record: Record) -> str:
    """How wrong a refuted check is, in words: in ulp and against its bound."""
    case = record.worst_case or record.counterexample
    wordless = case is not None and case.exact == ""
    if wordless or (is_check(record) and record.worst_ulp is None):
        return record.reason or "refuted"
    if record.worst_ulp is None:
        return "the two sides differ in exact arithmetic"
    if not math.isfinite(record.worst_ulp):
        if is_check(record) and case is not None and math.isfinite(case.error_ulp):
            here = f"{quantity(case.error_ulp)} ulp off at the simplest that was found"
            return f"the result is not a number at some input, and {here}"
        return _not_a_number(case)
    bound = f"up to {quantity(record.worst_ratio)} times its bound"
    if record.worst_ratio == math.inf:
        bound = "also where no error is allowed"
    return f"up to {quantity(record.worst_ulp)} ulp off, {bound}"


def error_of(case: Counterexample) -> str:
    """The error at one input in words, and what was allowed there."""
    if math.isfinite(case.allowed_ulp):
        allowed = f"{quantity(case.allowed_ulp)} ulp are allowed"
        if math.isfinite(case.error_ulp):
            return f"{quantity(case.error_ulp)} ulp, where {allowed}"
        return f"{_not_a_number(case)}; {allowed}"
    error = f"is {quantity(case.error_ulp)} ulp off"
    if not math.isfinite(case.error_ulp):
        error = _not_a_number(case).removeprefix("the result ")
    return f"the algorithm has no finite bound at this input, and the result {error}"


def _not_a_number(case: Counterexample | None) -> str:
    """What an infinite error is."""
    if case is not None and finite(case.exact) is None:
        return f"the result is {case.got} where the exact value is {case.exact}"
    got = "infinite or nan" if case is None or finite(case.got) is not None else case.got
    return f"the result is {got} where the exact value is finite"


def finite(number: str) -> Decimal | None:
    """The number that a text is; None for an infinity, for nan and for what is no number."""
    try:
        value = Decimal(number)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def quantity(value: float | None) -> str:
    """A number to three significant digits, with a power of ten where it is large or small.

    >>> [quantity(value) for value in (0.49999, 8080.0, 1.23e9, float("inf"), None)]
    ['0.5', '8,080', '1.2 × 10⁹', '∞', '–']
    """
    if value is None:
        return "–"
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def slug(text: str) -> str:
    """``text`` as a fragment name: letters, digits and hyphens.

    >>> slug("five-bits-is-2^-5")
    'five-bits-is-2-5'
    """
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text).split())


def _largest(values: Sequence[float | None]) -> float | None:
    known = [math.inf if math.isnan(value) else value for value in values if value is not None]
    return max(known, default=None)
