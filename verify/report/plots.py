"""Figures as SVG that stands inside a page: small, with no styles of its own, coloured by the page."""

from __future__ import annotations

import math
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
    pieces = [*_axes(figure, frame), *_bound(figure, frame)]
    for place, (_, points) in enumerate(figure.series):
        pieces += (_scattered if figure.marks else _curve)(points, frame, place % 4)
    pieces += _legend(figure, frame)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(visible(figure.title))}" '
        f'font-size="{11 if small else 12}" fill="currentColor">{"".join(pieces)}</svg>'
    )


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
            numbers.append(f'<text x="{frame.left - 6:g}" y="{found[1] + 4:g}">{label}</text>')
    yield f'<path d="{"".join(lines)}" stroke="currentColor" stroke-opacity=".15"/>'
    yield f'<g text-anchor="end">{"".join(numbers)}</g>'
    below = []
    for value, label in frame.x.ticks:
        across = frame.left + (frame.right - frame.left) * frame.x.place(value)
        below.append(f'<text x="{across:.5g}" y="{frame.bottom + 16:g}">{escape(visible(label))}</text>')
    middle = (frame.left + frame.right) / 2
    below.append(f'<text x="{middle:g}" y="{frame.bottom + 31:g}">{escape(visible(figure.x_label))}</text>')
    yield f'<g text-anchor="middle">{"".join(below)}</g>'
    yield f'<text x="0" y="11">{escape(visible(figure.y_label))}</text>'
    if any(y == math.inf for _, series in figure.series for _, y in series):
        yield f'<text x="{frame.right:g}" y="11" text-anchor="end">at the upper edge: ∞</text>'


def _bound(figure: Figure, frame: _Frame) -> Iterator[str]:
    if figure.bound is not None and (found := frame.at(0, figure.bound)) is not None:
        yield (
            f'<path d="M{frame.left:g} {found[1]:g}H{frame.right:g}" stroke="currentColor"/>'
            f'<text x="{frame.right:g}" y="{found[1] - 4:g}" text-anchor="end">bound</text>'
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
        yield _stroked("".join(f"M{x + across} {y + down}{mark}" for x, y in places), place, stroke)


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
            yield f'<text x="{frame.left + 30:g}" y="{y:g}">{escape(visible(label))}</text>'
