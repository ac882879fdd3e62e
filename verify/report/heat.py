"""Accuracy at a glance: the worst error of each implementation in each dtype on each device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from verify.judgement import DEFINITION
from verify.record import EvidenceRecord, RunRecord

GRADES = {
    "half": "at most half its bound",
    "within": "within its bound",
    "beyond": "beyond its bound",
    "far": "more than 100 times its bound",
}
"""The grades of a cell, best first, by the worst error / bound."""

_FAR = 100.0


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
    """A row for each implementation that has a name of its own, a column for each dtype and device."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def heat_map(run: RunRecord) -> HeatMap:
    """The worst error over all claims; compositions, comparisons and definitions are left out."""
    checks = [record for record in run.evidence if _single(record)]
    columns = tuple(dict.fromkeys((record.dtype, record.device) for record in checks))
    names = sorted({record.implementation for record in checks})
    return HeatMap(columns, tuple((name, tuple(_cell(checks, name, at) for at in columns)) for name in names))


def _single(record: EvidenceRecord) -> bool:
    whole = not any(joint in record.implementation for joint in (" + ", " against "))
    return whole and record.implementation != DEFINITION and record.worst_ratio is not None


def _cell(checks: Sequence[EvidenceRecord], name: str, at: tuple[str, str]) -> Cell | None:
    found = [one for one in checks if one.implementation == name and (one.dtype, one.device) == at]
    if not found:
        return None
    return Cell(_worst([one.worst_ulp for one in found]), _worst([one.worst_ratio for one in found]))


def _worst(values: Sequence[float | None]) -> float:
    return max(math.inf if value is None or math.isnan(value) else value for value in values)
