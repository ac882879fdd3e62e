"""Figures as SVG that stands inside a page: small, with no styles of its own, coloured by the page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from verify.record import Figure
from verify.report.axes import Axis, axis
from verify.report.text import visible

_DASHES = ("", "7 3", "2 3", "9 3 2 3")
_MARKS = (
    (0, 0, "h0", 'stroke-width="5.5" stroke-linecap="round"'),
    (0, 0, "h0", 'stroke-width="4.5" stroke-linecap="square"'),
    (-4, 0, "h8", 'stroke-width="2"'),
    (0, -4, "v8", 'stroke-width="2"'),
)
"""Where the path of a mark begins, the path, and how it is stroked: dot, square, lying and standing bar."""

_LINE = 15


@dataclass(frozen=True, slots=True)
class _Frame:
    """The inside of the axes, in the units of the drawing, and its axes."""

    left: float
    right: float
    top: float
    bottom: float
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float] | None:
        """Where a point is drawn; None where it has no place. What is infinitely large is at the top."""
        if not math.isfinite(x) or math.isnan(y) or y == -math.inf or (self.y.log and y <= 0):
            return None
        up = 1.0 if y == math.inf else self.y.place(y)
        return (
            round(self.left + (self.right - self.left) * self.x.place(x), 1),
            round(self.bottom + (self.top - self.bottom) * up, 1),
        )


def svg(figure: Figure, *, small: bool = False) -> str:
    """The figure as an ``<svg>`` element; ``small``: a thumbnail.

    A point that is not a number and, on a logarithmic axis, one <= 0 leaves a gap; one that is
    infinitely large is drawn at the upper edge, which then says so. Ink is ``currentColor`` and series k
    has the colour ``var(--series-k)``, so that a page in light, in dark and on paper colours it, and a
    dash or mark of its own. The same figure gives the same bytes.
    """
    width, inside = (360, 120) if small else (720, 250)
    height = 24 + inside + 40 + _LINE * sum(bool(label) for label, _ in figure.series)
    frame = _framed(figure, width, inside, most=4 if small else 8)
    pieces = [f'<g class="axes">{"".join([*_axes(figure, frame), *_bound(figure, frame)])}</g>']
    for place, (_, points) in enumerate(figure.series):
        pieces += (_scattered if figure.marks else _curve)(points, frame, place % 4)
    pieces += _legend(figure, frame)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(visible(figure.title))}" '
        f'font-size="{11 if small else 12}" fill="currentColor">{"".join(pieces)}</svg>'
    )


def with_shared_axes(page: str) -> str:
    """A page whose figures draw axes that stand on it before by reference to the first ones."""
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        if (axes := found[0]) in names:
            return f'<use href="#{names[axes]}"/>'
        names[axes] = f"axes-{len(names) + 1}"
        return f'<g id="{names[axes]}"{axes.removeprefix("<g")}'

    return re.sub(r'<g class="axes">.*?</g>', named, page, flags=re.DOTALL)


def _framed(figure: Figure, width: int, inside: int, most: int) -> _Frame:
    points = [(x, y) for _, series in figure.series for x, y in series if math.isfinite(x)]
    tall = [y for _, y in points if math.isfinite(y)] + ([] if figure.bound is None else [figure.bound])
    y = axis(tall, figure.log_y, 4 if inside < 200 else 6)
    across = [x for x, _ in points] + [at for at, _ in figure.x_ticks]
    x = axis(across, False, most)
    if figure.x_ticks:
        x = Axis(min(across), max(across), False, figure.x_ticks)
    left = 10 + 7 * max(len(label) for _, label in y.ticks)
    return _Frame(left, width - 14, 24, 24 + inside, x, y)


def _axes(figure: Figure, frame: _Frame) -> Iterator[str]:
    """Lines across at each tick, what the ticks say, and the labels of both axes."""
    lines, numbers = [], []
    for value, label in frame.y.ticks:
        if (found := frame.at(frame.x.low, value)) is not None:
            lines.append(f"M{frame.left:g} {found[1]:g}H{frame.right:g}")
            numbers.append(_text(frame.left - 6, found[1] + 4, label, "end"))
    yield f'<path d="{"".join(lines)}" stroke="currentColor" stroke-opacity=".15"/>'
    yield from numbers
    for value, label in frame.x.ticks:
        across = frame.left + (frame.right - frame.left) * frame.x.place(value)
        yield _text(across, frame.bottom + 16, label, "middle")
    yield _text((frame.left + frame.right) / 2, frame.bottom + 31, figure.x_label, "middle")
    yield _text(0, 11, figure.y_label)
    if any(y == math.inf for _, series in figure.series for _, y in series):
        yield _text(frame.right, 11, "at the upper edge: ∞", "end")


def _text(x: float, y: float, words: str, anchor: str = "") -> str:
    how = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.5g}" y="{y:g}"{how}>{escape(visible(words))}</text>'


def _bound(figure: Figure, frame: _Frame) -> Iterator[str]:
    if figure.bound is not None and (found := frame.at(0, figure.bound)) is not None:
        yield (
            f'<path d="M{frame.left:g} {found[1]:g}H{frame.right:g}" stroke="currentColor"/>'
            f"{_text(frame.right, found[1] - 4, 'bound', 'end')}"
        )


def _curve(points: Sequence[tuple[float, float]], frame: _Frame, place: int) -> Iterator[str]:
    """One series as a line that breaks where a point has no place."""
    line, drawing = [], False
    for point in points:
        found = frame.at(*point)
        if found is not None:
            line.append(f"{'L' if drawing else 'M'}{found[0]:g} {found[1]:g}")
        drawing = found is not None
    if line:
        yield _stroked("".join(line), place, _drawn(place))


def _scattered(points: Sequence[tuple[float, float]], frame: _Frame, place: int) -> Iterator[str]:
    """One series as marks."""
    across, down, mark, stroke = _MARKS[place]
    places = dict.fromkeys(
        (round(x), round(y)) for x, y in filter(None, (frame.at(*point) for point in points))
    )
    if places:
        wide, tall = (int(mark[1:]) if mark[0] == way else 0 for way in "hv")
        path, before = [], (-across, -down)
        for x, y in places:
            path.append(f"m{x - before[0]}{y - before[1]:+}{mark}".replace("+", " "))
            before = x + wide, y + tall
        yield _stroked("".join(path), place, stroke)


def _stroked(path: str, place: int, how: str) -> str:
    return f'<path fill="none" stroke="var(--series-{place + 1})" {how} d="{path}"/>'


def _drawn(place: int) -> str:
    """How the line of a series without marks is stroked."""
    return 'stroke-width="1.8"' + (f' stroke-dasharray="{_DASHES[place]}"' if place else "")


def _legend(figure: Figure, frame: _Frame) -> Iterator[str]:
    """Below the axes, a line for each series that has a name."""
    y = frame.bottom + 36
    for place, (label, _) in enumerate(figure.series):
        if label:
            y += _LINE
            across, down, mark, stroke = _MARKS[place % 4]
            if figure.marks:
                sample = f"M{frame.left + 11 + across:g} {y - 4 + down:g}{mark}"
                yield _stroked(sample, place % 4, stroke)
            else:
                yield _stroked(f"M{frame.left:g} {y - 4:g}h22", place % 4, _drawn(place % 4))
            yield _text(frame.left + 30, y, label)
