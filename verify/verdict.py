"""Verdicts: what was found out, as a value that can be stored, compared and combined."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Coverage = Literal["exhaustive", "searched", "witness"]


class Status(enum.StrEnum):
    """The four outcomes, ordered so that ``min`` over many is the outcome of the whole."""

    REFUTED = "refuted"
    UNKNOWN = "unknown"
    PASSED = "passed"
    PROVED = "proved"

    @property
    def rank(self) -> int:
        """Position in the order refuted < unknown < passed < proved."""
        return _ORDER.index(self)

    def __lt__(self, other: str) -> bool:
        return self.rank < Status(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Status(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Status(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Status(other).rank


_ORDER = list(Status)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input on which a subject is wrong.

    ``inputs`` maps argument names to readable exact values; ``exact`` is the true result to 30
    significant digits; ``got`` is what the subject returned; ``error_ulp`` is in units of the last
    place of the result's format and ``allowed_ulp`` the bound in the same unit.
    """

    inputs: tuple[tuple[str, str], ...]
    exact: str
    got: str
    error_ulp: float
    allowed_ulp: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check.

    ``status``: refuted, unknown, passed (numerically) or proved. ``coverage``: every input,
    searched inputs, or one witness. ``inputs``: how many inputs were judged. ``applicable`` is False for
    a property that the subject does not have, such as a gradient in class probabilities of a function
    of labels. ``worst_ulp``: largest
    error in ulp of the result's format. ``worst_ratio``: largest error divided by its bound.
    ``level``: what decided, "stable", "upcast" or "accurate". ``grade``: whether results are "stable" only or
    "accurate", None where that was not looked at; ``accuracy``: largest error divided by what "accurate"
    allows; ``height``: the additions in a row that explain the errors (docs/check.md).
    ``witness``: the refuting call as one line of text that brings it back bit by bit.
    ``counts``: of a sweep, what was counted over all inputs, as plain data (docs/json.md).
    ``hint``: the values of an option with which no call was refuted, where that is no accident, in words.
    """

    subject: str
    status: Status
    reason: str = ""
    coverage: Coverage | None = None
    inputs: int = 0
    applicable: bool = True
    worst_ulp: float | None = None
    worst_ratio: float | None = None
    level: str | None = None
    grade: str | None = None
    accuracy: float | None = None
    height: float | None = None
    counterexample: Counterexample | None = None
    reproducer: str | None = None
    witness: str | None = None
    counts: Mapping[str, Any] | None = field(default=None, hash=False)
    hint: str = ""

    def __bool__(self) -> bool:
        """True for proved and passed, and for nothing else."""
        return self.status >= Status.PASSED


def overall(statuses: Iterable[Status]) -> Status:
    """The status of many together: the least; of none, unknown."""
    return min(statuses, default=Status.UNKNOWN)
