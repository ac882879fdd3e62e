"""Summaries: what all chunks of a sweep together have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.report.jsonable import unpack
from verify.sweeps.counts import BINS, Counts


@dataclass(slots=True)
class Summary:
    """The counts of all chunks; ``apart`` and ``failed`` as `chunks.examine` has them.

    ``parts``: for each part of each chunk, in float order, the place at which it begins, where it ends, and
    its largest error in ulp.
    """

    counts: Counts = field(default_factory=Counts)
    apart: int = 0
    failed: str = ""
    parts: list[tuple[int, int, float]] = field(default_factory=list)


_ADDED = ("inputs", "exact", "rounded", "faithful", "refuted", "undecided")


def summarised(found: Mapping[int, Mapping[str, Any]], bounds: Mapping[int, tuple[int, int]]) -> Summary:
    """What the chunks have found together; ``bounds`` says from where to where each one goes."""
    summary = Summary()
    counts = summary.counts
    for chunk in sorted(set(found) & set(bounds)):
        line = unpack(found[chunk])
        for name in _ADDED:
            setattr(counts, name, getattr(counts, name) + line[name])
        summary.apart += line["apart"]
        summary.failed = summary.failed or line["failed"]
        firsts = [n for n in (counts.first_refuted, line["first_refuted"]) if n is not None]
        counts.first_refuted = min(firsts, default=None)
        counts.worst = _larger(counts.worst, line["worst"])
        counts.steepest = _larger(counts.steepest, line["steepest"])
        for binade, added in line["histogram"].items():
            row = counts.histogram.setdefault(int(binade), [0] * BINS)
            row[: len(added)] = [a + b for a, b in zip(row, added, strict=False)]
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
