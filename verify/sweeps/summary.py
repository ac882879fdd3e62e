"""Summaries: what all chunks of a sweep together have found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.report.jsonable import unpack
from verify.sweeps.counts import BINS


@dataclass(slots=True)
class Summary:
    """The counts of `Counts`, added up over chunks.

    ``parts``: for each part of each chunk, in float order, the place at which it begins, where it ends, and
    its largest error in ulp.
    """

    inputs: int = 0
    exact: int = 0
    rounded: int = 0
    faithful: int = 0
    refuted: int = 0
    undecided: int = 0
    apart: int = 0
    first_refuted: int | None = None
    histogram: dict[int, list[int]] = field(default_factory=dict)
    parts: list[tuple[int, int, float]] = field(default_factory=list)
    worst: tuple[float, int, float] | None = None
    steepest: tuple[float, int, float] | None = None
    failed: str = ""


_COUNTED = ("inputs", "exact", "rounded", "faithful", "refuted", "undecided", "apart")


def summarised(found: Mapping[int, Mapping[str, Any]], bounds: Mapping[int, tuple[int, int]]) -> Summary:
    """What the chunks have found together; ``bounds`` says from where to where each one goes."""
    summary = Summary()
    for chunk in sorted(set(found) & set(bounds)):
        line = unpack(found[chunk])
        for name in _COUNTED:
            setattr(summary, name, getattr(summary, name) + line[name])
        summary.failed = summary.failed or line["failed"]
        first = line["first_refuted"]
        if first is not None and (summary.first_refuted is None or first < summary.first_refuted):
            summary.first_refuted = first
        for name in ("worst", "steepest"):
            setattr(summary, name, _larger(getattr(summary, name), line[name]))
        for binade, counts in line["histogram"].items():
            row = summary.histogram.setdefault(int(binade), [0] * BINS)
            row[: len(counts)] = [a + b for a, b in zip(row, counts, strict=False)]
        _add_parts(summary, line["profile"], *bounds[chunk])
    return summary


def _larger(first: Any, second: Any) -> tuple[float, int, float] | None:
    """The one with the larger number; of equals that which comes first."""
    known = [(one[0], one[1], one[2]) for one in (first, second) if one is not None]
    return max(known, key=lambda one: (one[0], -one[1]), default=None)


def _add_parts(summary: Summary, profile: list[float], start: int, stop: int) -> None:
    edges = [start + (stop - start) * k // len(profile) for k in range(len(profile) + 1)]
    summary.parts += [
        (low, high, top) for low, high, top in zip(edges, edges[1:], profile, strict=False) if low < high
    ]


def largest(histogram: list[int]) -> float:
    """The edge of the last bin that is not empty."""
    last = max((k for k, count in enumerate(histogram) if count), default=0)
    return math.ldexp(1.0, last - 1)
