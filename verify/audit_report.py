"""Audit reports: which wrong implementations a test lets pass, and why, as data and as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from verify.audit_words import share_text, wrong_text
from verify.certificates import GRADES
from verify.floats import format_named
from verify.report.jsonable import pack
from verify.snapshots import Difference

NO_BACKWARD, IDLE, LOOSE, UNKNOWN = "no backward pass", "never exercised", "within tolerance", "not compared"
"""Why a test lets something pass: it looks at no gradients; its inputs make the wrong one as right as correct
ones are; it sees an error and does not mind; or the runs differ, so that nothing is known."""

SHOWN = 12
"""Kinds of survivors that are shown for each reason; the JSON has all."""

_HEADS = {
    NO_BACKWARD: "the test makes no backward pass, so that wrong gradients survive",
    LOOSE: "the test sees an error and lets it pass",
    IDLE: "the inputs of the test never exercise it: there it is as right as correct ones are",
    UNKNOWN: "its results could not be compared with right ones",
}
"""What is said above the survivors of each reason."""

_ORDER = (LOOSE, NO_BACKWARD, IDLE, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Entry:
    """One implementation in a report.

    ``summary`` says what it does, ``breaks`` whether its value or its gradient is wrong, ``shown_by`` on
    which inputs. A wrong one has the ``grade`` of its error and what certifies it: the ``witness`` (a call,
    for ``verify.replay``), ``exact`` and ``got`` there, the error in ``ulp`` and ``relative`` to the exact
    number, ``share`` of the largest entry there, and ``ordinary``, the error at an ordinary call as a share
    of the largest entry. ``reason`` is the kind of ``told``, which says why the test let it pass, or what the
    test said. ``passed`` is how far results and gradients were from right ones in the test.
    """

    id: str
    summary: str
    told: str = ""
    reason: str = ""
    breaks: str = ""
    shown_by: str = ""
    grade: str = ""
    dtype: str = ""
    ulp: float = 0.0
    relative: float = 0.0
    share: float = 0.0
    ordinary: float = 0.0
    exact: str = ""
    got: str = ""
    witness: str = ""
    passed: Difference | None = None

    @property
    def rank(self) -> tuple[int, float, float]:
        """Worst first."""
        grade = GRADES.index(self.grade) if self.grade in GRADES else len(GRADES)
        return grade, -self.ordinary, -self.share


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit of a test found.

    ``survivors``: wrong implementations that the test passed, worst first. ``killed``: those that it failed.
    ``false_alarms``: correct ones that it failed. ``not_applicable``: wrong ones of which it made no call
    that they compute, in a dtype in which they are wrong. ``undecided``: runs that did not come to an end.
    ``vacuous``: why the test says nothing at all, empty if it does. ``right``: how many correct ones passed.
    ``facts``: what the test asked, in words. ``remarks``: what else was noticed. ``advice``: what to change.
    ``instead``: a line that checks the implementation without the test.
    """

    test: str
    operation: str
    survivors: tuple[Entry, ...]
    killed: tuple[Entry, ...]
    false_alarms: tuple[Entry, ...]
    not_applicable: tuple[Entry, ...]
    undecided: tuple[Entry, ...]
    vacuous: str
    right: int
    calls: int
    facts: tuple[str, ...]
    remarks: tuple[str, ...]
    advice: tuple[str, ...]
    instead: str
    seconds: float

    @property
    def worst(self) -> str:
        """The worst grade that survives; empty where nothing does."""
        return self.survivors[0].grade if self.survivors else ""

    @property
    def tried(self) -> int:
        """How many wrong implementations the test had to do with."""
        return len(self.survivors) + len(self.killed)

    def survive(self, grade: str) -> bool:
        """Whether something of this grade or a worse one survives."""
        return any(GRADES.index(one.grade) <= GRADES.index(grade) for one in self.survivors)

    def to_json(self) -> str:
        """The report as a JSON object; an infinite number as {"$number": "inf"} (docs/json.md)."""
        return json.dumps(pack(asdict(self)), indent=1, allow_nan=False)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(report: AuditReport) -> Iterator[str]:
    """The report, worst first."""
    yield from _head(report)
    for fact in (*report.facts, *(f"note: {remark}" for remark in report.remarks)):
        yield f"  {fact}"
    if not report.tried and not report.vacuous and report.not_applicable:
        yield f"  none of the wrong ones applies: {report.not_applicable[0].told}"
    if report.vacuous:
        yield f"vacuous: {report.vacuous}"
    for alarm in report.false_alarms:
        yield f"false alarm: {alarm.id} is correct ({alarm.summary.rstrip('.')}) and fails: {alarm.told}"
    for one in report.undecided:
        yield f"undecided: {one.id}: {one.told}"
    if report.vacuous and report.survivors:
        yield f"  the {len(report.survivors)} that survive are in the JSON: the test would pass others, too"
    else:
        yield from _survivors(report.survivors)
    if report.advice:
        yield ""
        yield "what to change"
        yield from (f"  - {line}" for line in report.advice)
    yield ""
    yield "in its place"
    yield f"  {report.instead}"


def _head(report: AuditReport) -> Iterator[str]:
    count = len(report.survivors)
    yield (
        f"{report.test} as {report.operation}: {count} of {report.tried} wrong implementations survive"
        f"{_grades(report.survivors)}"
    )
    alarms = f", {len(report.false_alarms)} do not" if report.false_alarms else ""
    idle = f"; {len(report.not_applicable)} wrong ones not applicable" if report.not_applicable else ""
    yield f"  {report.right} correct implementations pass{alarms}{idle}; {report.seconds:.1f} s"


def _grades(entries: Sequence[Entry]) -> str:
    grades = [one.grade for one in entries]
    told = ", ".join(f"{grades.count(grade)} {grade}" for grade in GRADES if grade in grades)
    return f": {told}" if told else ""


def _survivors(survivors: Iterable[Entry]) -> Iterator[str]:
    """A block for each reason, the worst first; variants of one mistake are told together."""
    reasons: dict[str, list[Entry]] = {}
    for entry in survivors:
        reasons.setdefault(entry.reason, []).append(entry)
    for reason in sorted(reasons, key=lambda one: (GRADES.index(reasons[one][0].grade), _ORDER.index(one))):
        entries = reasons[reason]
        kinds = _kinds(entries)
        yield ""
        yield f"{_HEADS[reason]} ({len(entries)}{_grades(entries)})"
        for kind in kinds[:SHOWN]:
            yield from _kind(kind)
        if len(kinds) > SHOWN:
            yield f"  and {len(kinds) - SHOWN} more kinds, which the JSON has"


def _kind(entries: Sequence[Entry]) -> Iterator[str]:
    first = entries[0]
    what = "" if first.breaks == "value" else f"{first.breaks}: "
    more = f" (and {len(entries) - 1} like it)" if len(entries) > 1 else ""
    yield f"  {first.grade:8}  {what}{first.summary.rstrip('.')}{more}  [{first.id}]"
    yield f"            certified: {certified(first)}"
    if first.reason in (LOOSE, IDLE):
        yield f"            {first.told}"


def _kinds(survivors: Iterable[Entry]) -> list[list[Entry]]:
    grouped: dict[tuple[str, str], list[Entry]] = {}
    for entry in survivors:
        stem = entry.id.rstrip("0123456789.-e")
        grouped.setdefault((stem, entry.grade), []).append(entry)
    return list(grouped.values())


def certified(entry: Entry) -> str:
    """The certified error of a wrong implementation, in one line."""
    witness = f"{wrong_text(entry.got, entry.exact, entry.ulp)} at its witness in {entry.dtype}"
    if entry.ordinary <= 16 * float(format_named(entry.dtype).unit_roundoff):
        return witness
    return f"{share_text(entry.ordinary)} off at an ordinary call; {witness}"
