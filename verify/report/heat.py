"""Accuracy at a glance: the worst error of each implementation in each dtype on each device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verify.judgement import DEFINITION
from verify.record import CheckRecord, EvidenceRecord, RunRecord

GRADES = {
    "half": "at most half its bound",
    "within": "within its bound",
    "beyond": "beyond its bound",
    "far": "more than 100 times its bound",
}
"""The grades of a cell, best first, by the worst error / bound."""

_Record = EvidenceRecord | CheckRecord

_FAR = 100.0
_ROWS = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """The worst of the checks of one implementation in one dtype on one device."""

    ulp: float
    ratio: float

    @property
    def grade(self) -> str:
        """A key of GRADES."""
        if self.ratio <= 1:
            return "half" if self.ratio <= 0.5 else "within"
        return "beyond" if self.ratio <= _FAR else "far"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A row for each implementation with a name of its own and each function of a user.

    There is a column for each dtype and device. ``left_out``: how many rows, the most accurate ones, are
    not there.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    left_out: int = 0


def heat_map(run: RunRecord) -> HeatMap:
    """The worst error over all claims and properties, of 100 rows; compositions and definitions have none."""
    cells: dict[str, dict[tuple[str, str], list[_Record]]] = {}
    shown: tuple[_Record, ...] = (*filter(_single, run.evidence), *run.checks)
    for record in shown:
        if record.worst_ratio is not None:
            at = record.dtype, record.device
            cells.setdefault(_name(record), {}).setdefault(at, []).append(record)
    columns = tuple(dict.fromkeys(at for row in cells.values() for at in row))
    rows = [(name, tuple(_cell(row.get(at)) for at in columns)) for name, row in sorted(cells.items())]
    worst = sorted(rows, key=lambda row: -max(cell.ratio for cell in row[1] if cell))[:_ROWS]
    return HeatMap(columns, tuple(sorted(worst, key=lambda row: row[0])), len(rows) - len(worst))


def _single(record: EvidenceRecord) -> bool:
    whole = not any(joint in record.implementation for joint in (" + ", " against "))
    return whole and record.implementation != DEFINITION


def _name(record: _Record) -> str:
    """What a row is called: of a function also the operation that it is to compute."""
    if isinstance(record, CheckRecord):
        return f"{record.candidate} {record.claim}"
    return record.implementation


def _cell(found: Sequence[_Record] | None) -> Cell | None:
    if found is None:
        return None
    return Cell(_worst([one.worst_ulp for one in found]), _worst([one.worst_ratio for one in found]))


def _worst(values: Sequence[float | None]) -> float:
    return max(math.inf if value is None or math.isnan(value) else value for value in values)
