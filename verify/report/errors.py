"""Where an implementation errs: plots of error / bound over float order and over a linear window."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from verify.judgement import DEFINITION
from verify.profile import WINDOW, points_of
from verify.record import EvidenceRecord, Figure
from verify.words import counted

_LEAST = 0.01
"""A smaller error / bound is drawn here: how much smaller tells nobody anything."""

_SHOWN = 4
_LONGEST = 44
_ENDS = ((-1.0, "−max"), (-0.49, "−1"), (0.0, "0"), (0.49, "1"), (1.0, "max"))

_WINDOW = tuple((float(at), str(at).replace("-", "−")) for at in range(-WINDOW, WINDOW + 1, WINDOW // 2))


def error_figures(records: Sequence[EvidenceRecord]) -> tuple[Figure, ...]:
    """The two plots for the checks of one claim: its worst implementations, each the worst of its checks.

    A plot over fewer than two places is left out, and so are both where the run kept no profile.
    """
    named: dict[str, list[EvidenceRecord]] = {}
    for record in records:
        if record.by_order:
            named.setdefault(_name(record), []).append(record)
    told = sorted(named, key=lambda name: (-_worst(named[name]), name))[:_SHOWN]
    which = counted(len(told), "implementation")
    if len(named) > len(told):
        which = f"the worst {len(told)} of {len(named)}"
    over = (
        ("float order", "the input of largest magnitude, in float order", "by_order", _ENDS),
        ("value", f"the input of largest magnitude, within ±{WINDOW}", "by_value", _WINDOW),
    )
    figures: list[Figure] = []
    for words, label, source, ends in over:
        series = tuple((name, _points(named[name], source)) for name in told)
        places = {x for _, points in series for x, _ in points}
        if len(places) > 1:
            near = source == "by_value" and max(map(abs, places)) <= WINDOW / 4
            ticks = tuple(tick for tick in ends if not near and (tick[0] >= 0 or min(places) < 0))
            title = f"Largest error / bound over {words}, {which}"
            # The marks are named below the first of the two, beside which the other one stands.
            unnamed = tuple(("", points) for _, points in series)
            figures.append(_figure(title, label, unnamed if figures else series, ticks))
    return tuple(figures)


def _figure(
    title: str,
    label: str,
    series: tuple[tuple[str, tuple[tuple[float, float], ...]], ...],
    ticks: tuple[tuple[float, str], ...],
) -> Figure:
    return Figure(
        id="errors",
        claim="",
        title=title,
        caption="",
        x_label=label,
        y_label="error / bound",
        series=series,
        log_y=True,
        bound=1.0,
        x_ticks=ticks,
        marks=True,
    )


def _name(record: EvidenceRecord) -> str:
    """What tells the series of a claim apart: the implementation, and of a definition what it computes."""
    name = (
        f"definition: {record.expression}" if record.implementation == DEFINITION else record.implementation
    )
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _worst(records: Iterable[EvidenceRecord]) -> float:
    return max(_size(record.worst_ratio) for record in records)


def _size(ratio: float | None) -> float:
    return math.inf if ratio is None or math.isnan(ratio) else ratio


def _points(records: Iterable[EvidenceRecord], source: str) -> tuple[tuple[float, float], ...]:
    """At each place the worst over the checks: sides, dtypes and devices."""
    worst: dict[float, float] = {}
    for record in records:
        for x, ratio in points_of(getattr(record, source)):
            worst[x] = max(_LEAST, ratio, worst.get(x, 0.0))
    return tuple(sorted(worst.items()))
