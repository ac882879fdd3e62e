"""Checks of functions of users, as the pytest plugin and the commands write them, made records of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verify.record import FORMAT_VERSION, OUTCOMES, CheckRecord, ExpectedRecord, RunRecord
from verify.verdict import Status, Verdict

_SUBJECT = re.compile(r"(?s)(.*) as (.*?): (.*) in (\S+) on (\S+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one item of pytest came to; ``verdict`` is None where nothing was run."""

    id: str
    outcome: str
    reason: str
    verdict: Verdict | None = None
    subject: str = ""
    expected: ExpectedRecord | None = None


@dataclass(frozen=True, slots=True)
class File:
    """What ``--verify-json`` writes: checks; or what ``check --json`` and `Results.to_json` do: verdicts."""

    checks: tuple[Entry, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    created: str = ""
    command: str = ""
    provenance: tuple[tuple[str, str], ...] = ()


def data_of_checks(raw: Any) -> Mapping[str, Any] | None:
    """The data of a `File` in decoded JSON; None for a report and for anything else.

    The one verdict that ``sweep --json`` prints is a list of one.
    """
    if not isinstance(raw, Mapping) or "claims" in raw:
        return None
    if "checks" in raw or "verdicts" in raw:
        return raw
    return {**raw, "verdicts": [raw]} if "subject" in raw and "status" in raw else None


def run_of(found: File) -> RunRecord:
    """A run that consists of these checks alone. Raises ``ValueError`` for an outcome that is none."""
    judged = (Entry("", outcome_of(one), one.reason, one) for one in found.verdicts)
    checks = tuple(_record(entry, place) for place, entry in enumerate((*found.checks, *judged)))
    return RunRecord(FORMAT_VERSION, found.created, found.command, None, found.provenance, (), checks=checks)


def outcome_of(verdict: Verdict) -> str:
    """What a check comes to of which no failure is expected: one of OUTCOMES."""
    if verdict.status is Status.UNKNOWN and verdict.reason.startswith("not run: "):
        return "not run"
    if not verdict.applicable:
        return "not applicable"
    return "held" if verdict else verdict.status.value


def _record(entry: Entry, place: int) -> CheckRecord:
    if entry.outcome not in OUTCOMES:
        raise ValueError(
            f"outcome {entry.outcome!r} at `$.checks[{place}].outcome` is none of {', '.join(OUTCOMES)}"
        )
    if entry.outcome in ("expected", "unexpected pass", "expired") and entry.expected is None:
        raise ValueError(
            f"`$.checks[{place}]` is {entry.outcome} and has no `expected`, as older releases wrote it"
        )
    verdict = entry.verdict
    if verdict is None:
        verdict = Verdict(entry.subject or entry.id, Status.UNKNOWN)
    whole = verdict.subject
    split = _SUBJECT.fullmatch(whole)
    candidate, operation, aspect, dtype, device = split.groups() if split else (whole, "", "", "", "")
    return CheckRecord(
        candidate=candidate,
        operation=operation,
        property=aspect,
        dtype=dtype,
        device=device,
        outcome=entry.outcome,
        status=verdict.status,
        id=entry.id,
        reason=entry.reason,
        coverage=verdict.coverage,
        inputs=verdict.inputs,
        worst_ulp=verdict.worst_ulp,
        worst_ratio=verdict.worst_ratio,
        grade=verdict.grade,
        counterexample=verdict.counterexample,
        reproducer=verdict.reproducer,
        witness=verdict.witness,
        expected=entry.expected,
        hint=verdict.hint,
    )
