"""Audit the rows of benchmarks/public_tests.py and write the table of docs/audit.md; and time an audit.

Each row that was audited is kept in a journal at once: what is there is not audited again. With --write the
table between the marks in docs/audit.md is written anew. With --time one test is run alone and audited, and
the ratio of both times is printed beside the number of implementations.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from public_tests import ROWS, Row

import verify
from verify.audit_report import AuditReport, Entry
from verify.audit_words import off_text
from verify.corpus import REFERENCES
from verify.terminal import Steps
from verify.trial import tried

PAGE = Path(__file__).parent.parent / "docs" / "audit.md"
BEGIN, END = "<!-- rows of benchmarks/audits.py -->", "<!-- end of the rows -->"
HEAD = (
    "| row | decides by | inputs | fails | passes, though it sees the error | the worst three of these | "
    "never exercised | fails, among others |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
SECONDS = 300.0


def _kinds(entries: Iterable[Entry]) -> list[Entry]:
    """One entry for each summary, in order."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.summary, entry)
    return list(first.values())


def _named(entry: Entry) -> str:
    what = "" if entry.breaks == "value" else f"{entry.breaks}: "
    return f"{what}{entry.summary.rstrip('.').lower()}"


def _passing(entry: Entry) -> str:
    off = f" ({off_text(entry.passed)} off)" if entry.passed is not None else ""
    return _named(entry) + off


def _graded(entries: list[Entry]) -> str:
    grades = [entry.grade for entry in entries]
    told = ", ".join(f"{grades.count(g)} {g}" for g in ("gross", "moderate", "subtle") if g in grades)
    return f"{len(entries)}: {told}" if entries else "0"


def cells(report: AuditReport) -> list[str]:
    """What the report says of a row, in the last five columns of the table."""
    seen = [one for one in report.survivors if one.reason == "within tolerance"]
    idle = [one for one in report.survivors if one.reason != "within tolerance"]
    worst = _kinds(sorted((one for one in seen if one.grade == "gross"), key=lambda one: -_off(one)))[:3]
    killed = _kinds(sorted(report.killed, key=lambda one: one.rank))[:3]
    wrongly = len(report.false_alarms)
    alarms = f"; and {wrongly} correct one{'s' * (wrongly > 1)}" if wrongly else ""
    return [
        f"{len(report.killed)} of {report.tried}{alarms}",
        _graded(seen),
        "; ".join(map(_passing, worst)) or "none",
        str(len(idle)),
        "; ".join(map(_named, killed)) or "none",
    ]


def _off(entry: Entry) -> float:
    return entry.passed.share if entry.passed is not None else 0.0


def audited(row: Row) -> dict[str, Any]:
    """The audit of a row, as the line of a journal."""
    with Steps(None) as steps:
        report = verify.audit(
            row.test,
            row.operation,
            time_limit=SECONDS,
            progress=lambda entrant, attempt: steps.finished(f"{row.id}: {entrant.id}"),
        )
    return {
        "id": row.id,
        "cells": cells(report),
        "seconds": report.seconds,
        "undecided": len(report.undecided),
    }


def line_of(row: Row, told: list[str]) -> str:
    """The line of the table for a row."""
    return f"| {row.suite} | {row.decides} | {row.inputs} | {' | '.join(told)} |"


def write(done: dict[str, list[str]]) -> None:
    """Put the table between the marks of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = "".join(f"{line_of(row, done[row.id])}\n" for row in ROWS if row.id in done)
    partial = PAGE.with_suffix(".partial")
    partial.write_text(f"{before}{BEGIN}\n{HEAD}{lines}{END}{after}", encoding="utf-8")
    os.replace(partial, PAGE)


def print_ratio(row: Row) -> None:
    """How long an audit takes, in runs of the test on the reference."""
    reference = REFERENCES[row.operation]
    once = min(tried(row.test, reference, SECONDS).seconds for _ in range(5))
    report = verify.audit(row.test, row.operation, time_limit=SECONDS)
    wrong = report.tried + len(report.not_applicable) + len(report.undecided)
    allowed = (wrong + 10) * once + 5
    print(
        f"{row.id}: one run {once:.4f} s, audit of {wrong} wrong implementations {report.seconds:.2f} s, "
        f"{report.seconds / allowed:.2f} times ({wrong} + 10) runs and 5 s; {len(report.undecided)} undecided"
    )


def main() -> int:
    """Audit what the journal does not have."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="rows whose id contains this")
    parser.add_argument("--journal", type=Path, default=Path("audits.jsonl"), help="the file of results")
    parser.add_argument("--write", action="store_true", help="write the table of docs/audit.md")
    parser.add_argument("--time", action="store_true", help="print how long audits take, and nothing else")
    asked = parser.parse_args()
    rows = [row for row in ROWS if asked.only in row.id]
    if asked.time:
        for row in rows:
            print_ratio(row)
        return 0
    lines = asked.journal.read_text(encoding="utf-8").splitlines() if asked.journal.exists() else []
    done = {told["id"]: told["cells"] for told in map(json.loads, lines)}
    for row in rows:
        if row.id not in done:
            told = audited(row)
            done[row.id] = told["cells"]
            with asked.journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")
        print(line_of(row, done[row.id]), flush=True)
    if asked.write:
        write(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
