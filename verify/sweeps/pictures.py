"""Pictures of a sweep: the largest error over float order, and over the linear window where it matters."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from verify.record import Figure
from verify.report.plots import svg
from verify.sweeps.counts import numbers_of
from verify.sweeps.subject import Subject
from verify.sweeps.summary import Summary

WINDOW = 24.0
"""Half the width of the linear window; a smaller domain is shown whole."""

POINTS = 2000
"""Points of a plot, at most; of several the largest is shown."""


def figures(subject: Subject, summary: Summary) -> tuple[Figure, Figure]:
    """The largest error in ulp, over the number of the input in float order, and over its value."""
    parts = [(low, high, top) for low, high, top in summary.parts if low < high]
    order = [((low - _zero(subject)) / _scale(subject), top) for low, _, top in parts]
    linear = []
    for low, high, top in parts:
        ends = [_value(subject, place) for place in (low, high - 1)]
        middle = (ends[0] + ends[1]) / 2
        if all(math.isfinite(end) for end in ends) and abs(middle) <= WINDOW:
            linear.append((middle, top))
    title = f"{subject.form.operation}: {subject.judged} of {subject.form.words} in {subject.dtype}"
    by_order = Figure(
        id="float-order",
        claim="",
        title=f"{title}, over float order",
        caption="The largest error of neighbouring inputs, by number in float order; a unit is a binade.",
        x_label="binades from 0, in float order" + (" of the first argument" * (subject.form.arity - 1)),
        y_label="largest error, ulp",
        series=(("largest error", tuple(_thinned(order))),),
        log_y=_wide(order),
    )
    by_value = Figure(
        id="linear-window",
        claim="",
        title=f"{title}, where it matters",
        caption=f"The same over the value of the input, within {WINDOW:g} of 0.",
        x_label="x",
        y_label="largest error, ulp",
        series=(("largest error", tuple(_gathered(linear))),),
        log_y=_wide(linear),
    )
    return by_order, by_value


def _zero(subject: Subject) -> int:
    return subject.order.half << (16 * (subject.form.arity - 1))


def _scale(subject: Subject) -> int:
    return subject.order.binade << (16 * (subject.form.arity - 1))


def _value(subject: Subject, place: int) -> float:
    return float(subject.order.value(numbers_of(place, subject.form.arity)[0]))


def _wide(points: Sequence[tuple[float, float]]) -> bool:
    """Whether a logarithmic axis shows more."""
    tops = [top for _, top in points if 0 < top < math.inf]
    return bool(tops) and max(tops) > 20


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `POINTS` points, the largest of each group of neighbours."""
    points = [point for point in points if math.isfinite(point[1])]
    step = max(1, -(-len(points) // POINTS))
    return [max(points[k : k + step], key=lambda point: point[1]) for k in range(0, len(points), step)]


def _gathered(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of the points in each of some hundred stretches of the axis the largest."""
    width = WINDOW / 200
    best: dict[int, tuple[float, float]] = {}
    for x, top in points:
        if math.isfinite(top):
            best[round(x / width)] = max((x, top), best.get(round(x / width), (x, top)), key=lambda p: p[1])
    return [best[key] for key in sorted(best)]


def page(title: str, drawn: Sequence[Figure]) -> str:
    """A page of its own with the figures."""
    body = "\n".join(
        f"<figure>{svg(figure)}<figcaption>{html.escape(figure.title)}. {html.escape(figure.caption)}"
        "</figcaption></figure>"
        for figure in drawn
    )
    style = "body{font:16px sans-serif;max-width:60em;margin:2em auto}:root{--series-1:#1f5fa8}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{style}</style></head><body><h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n"
    )
