"""Worst cases: a table of what sweeps have found, and the ratchet that notices when it gets worse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from verify.errors import ReportFormatError, UnavailableError
from verify.report.jsonable import pack, unpack
from verify.verdict import Verdict

FORMAT = 1
"""The version of the table."""

FACTOR = 1.01
"""A worst error, or error / bound, larger by more than this factor is a regression."""

KEY = ("operation", "form", "property", "dtype", "device", "candidate")
"""What a row is about; of one torch version there is one row for each."""


def recorded(head: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    """The row of a sweep."""
    counts = dict(verdict.counts or {})
    return {
        **{name: head[name] for name in (*KEY, "torch")},
        "status": verdict.status.value,
        "coverage": verdict.coverage,
        "inputs": verdict.inputs,
        "worst_ulp": verdict.worst_ulp,
        "worst_ratio": verdict.worst_ratio,
        **{
            name: counts.get(name)
            for name in ("exact", "correctly_rounded", "faithful", "refuted", "undecided")
        },
        "worst": counts.get("worst"),
        "steepest": counts.get("steepest"),
    }


def compared(row: Mapping[str, Any], table: Iterable[Mapping[str, Any]]) -> str:
    """By how much a sweep is worse than rows of its subject, of any torch version; empty if it is not.

    Compared are sweeps that have judged as many inputs.
    """
    for other in table:
        same = all(other[name] == row[name] for name in KEY) and other["inputs"] == row["inputs"]
        for name in ("worst_ulp", "worst_ratio", "refuted") if same else ():
            before, now = other[name], row[name]
            if before is not None and now is not None and now > before * FACTOR:
                was = f"{before:.9g} with torch {other['torch']}"
                return f"{name} was {was} and is {now:.9g}, more than {FACTOR:g} times as large"
    return ""


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a JSON object, of each subject and torch version the last one."""
    last = {tuple(str(row[name]) for name in (*KEY, "torch")): dict(row) for row in rows}
    told = {"format_version": FORMAT, "factor": FACTOR, "rows": [last[key] for key in sorted(last)]}
    return json.dumps(pack(told), indent=1, allow_nan=False) + "\n"


def read_table(path: Path) -> tuple[dict[str, Any], ...]:
    """The rows of a file; ``UnavailableError`` where there is none, ``ReportFormatError`` for another."""
    try:
        told = unpack(json.loads(path.read_text(encoding="utf-8")))
        rows = tuple(told["rows"])
        if told["format_version"] != FORMAT or not all({*KEY, "inputs", "torch"} <= set(row) for row in rows):
            raise ValueError("another version, or rows without a subject")
    except OSError as error:
        raise UnavailableError(
            f"the table {path} cannot be read ({error.strerror}); make it with --table"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ReportFormatError(
            f"{path} is no table of worst cases ({error}); make it with --table"
        ) from None
    return rows
