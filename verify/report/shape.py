"""The shapes in which a run is shown: findings and evidence grouped, numbers and statuses in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verify.record import ClaimRecord, EvidenceRecord, RunRecord
from verify.report.summary import established, findings
from verify.verdict import Status

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Finding:
    """One implementation that computes one side of one claim wrongly: the worst case and the others."""

    worst: EvidenceRecord
    others: tuple[EvidenceRecord, ...]

    @property
    def anchor(self) -> str:
        """A fragment name that is unique on the page."""
        record = self.worst
        return slug(f"finding-{record.claim}-{record.part}-{record.side}-{record.implementation}")


@dataclass(frozen=True, slots=True)
class EvidenceSummary:
    """The numeric checks of one claim, in five numbers."""

    checks: int
    refuted: int
    unknown: int
    inputs: int
    worst_ulp: float | None
    worst_ratio: float | None


def grouped(evidence: Sequence[EvidenceRecord]) -> tuple[Finding, ...]:
    """The refuted checks, one entry for each claim, side and implementation, worst first."""
    groups: dict[tuple[str, str, str, str], list[EvidenceRecord]] = {}
    for record in findings(evidence):
        groups.setdefault((record.claim, record.part, record.side, record.implementation), []).append(record)
    return tuple(Finding(records[0], tuple(records[1:])) for records in groups.values())


def evidence_of(run: RunRecord, claim: str) -> tuple[EvidenceRecord, ...]:
    """The numeric checks of the claim with this id, in the order in which they were run."""
    return tuple(record for record in run.evidence if record.claim == claim)


def summary_of(records: Sequence[EvidenceRecord]) -> EvidenceSummary:
    """Counts and the largest errors over the checks; an error without a number counts as infinite."""
    return EvidenceSummary(
        checks=len(records),
        refuted=sum(record.status == Status.REFUTED for record in records),
        unknown=sum(record.status == Status.UNKNOWN for record in records),
        inputs=sum(record.inputs for record in records),
        worst_ulp=_largest([record.worst_ulp for record in records]),
        worst_ratio=_largest([record.worst_ratio for record in records]),
    )


def standing(claim: ClaimRecord) -> str:
    """The status of a claim in words that a reader needs no key for."""
    if not established(claim):
        return "not established"
    return {"refuted": "false as worded, proved as corrected", "cited": "rests on a cited theorem"}.get(
        claim.status, claim.status
    )


def tone(claim: ClaimRecord) -> str:
    """The class of a claim on the page: holds, corrected, opinion or fails."""
    if not established(claim):
        return "fails"
    return {"refuted": "corrected", "opinion": "opinion"}.get(claim.status, "holds")


def quantity(value: float | None) -> str:
    """A number to three significant digits, with a power of ten where it is large or small."""
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
    """``text`` with everything but letters, digits and hyphens made a hyphen, for a fragment name."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text).split())


def _largest(values: Sequence[float | None]) -> float | None:
    known = [math.inf if math.isnan(value) else value for value in values if value is not None]
    return max(known, default=None)
