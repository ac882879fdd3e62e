"""Plots: where points and ticks are, what has no place, and how small a drawing is."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from math import inf, nan

import pytest

from verify.record import Figure
from verify.report.axes import axis
from verify.report.plots import svg, with_shared_axes

FIGURE = Figure("f", "", "a title", "", "x", "y", (("one", ((0.0, 0.0), (5.0, 5.0), (10.0, 10.0))),))


def _paths(figure: Figure, colour: str) -> list[str]:
    drawn = ElementTree.fromstring(svg(figure))
    return [one.get("d", "") for one in drawn.iter("path") if one.get("stroke") == colour]


def _line(figure: Figure) -> str:
    return _paths(figure, "var(--series-1)")[0]


@pytest.mark.parametrize(
    ("values", "log", "labels"),
    [
        ((0.0, 10.0), False, ["0", "2", "4", "6", "8", "10"]),
        ((-4.0, 4.0), False, ["−4", "−2", "0", "2", "4"]),
        ((0.0, 0.3), False, ["0", "0.1", "0.2", "0.3"]),
        ((0.01, 100.0), True, ["0.01", "0.1", "1", "10", "100"]),
        ((1e-3, 1e12), True, ["10⁻⁵", "1", "10⁵", "10¹⁰", "10¹⁵"]),
        ((2.0, 2.0), False, ["1.4", "1.6", "1.8", "2", "2.2", "2.4", "2.6"]),
        ((), False, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_ticks_are_round_numbers(values: tuple[float, ...], log: bool, labels: list[str]) -> None:
    """Steps of 1, 2 or 5 times a power of ten, and whole powers on a logarithmic axis."""
    assert [label for _, label in axis(values, log, 5).ticks] == labels


def test_a_point_is_where_its_axis_says() -> None:
    """The ends of a straight line are in the corners, and its middle is in the middle."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", _line(FIGURE))]
    (left, low), (across, up), (right, high) = zip(numbers[::2], numbers[1::2], strict=True)
    assert (across, up) == pytest.approx(((left + right) / 2, (low + high) / 2), abs=0.1)
    assert (left < right, low > high) == (True, True)


@pytest.mark.parametrize("gap", [nan, -inf])
def test_what_is_no_number_leaves_a_gap(gap: float) -> None:
    """The line ends before it and begins anew behind it."""
    series = (("one", ((0.0, 0.0), (4.0, 1.0), (5.0, gap), (6.0, 1.0), (10.0, 2.0))),)
    assert re.sub(r"[^ML]", "", _line(replace(FIGURE, series=series))) == "MLML"


def test_a_logarithmic_axis_has_no_place_for_zero() -> None:
    """It leaves a gap too."""
    series = (("one", ((0.0, 1.0), (5.0, 0.0), (10.0, 100.0))),)
    assert re.sub(r"[^ML]", "", _line(replace(FIGURE, series=series, log_y=True))) == "MM"


def test_what_is_infinite_is_at_the_upper_edge_which_says_so() -> None:
    """An error without end is not left out of its picture."""
    series = (("one", ((0.0, 0.0), (10.0, 10.0), (10.0, inf))),)
    line = _line(replace(FIGURE, series=series))
    assert line.split("L")[1] == line.split("L")[2]
    assert "at the upper edge: ∞" in svg(replace(FIGURE, series=series))
    assert "∞" not in svg(FIGURE)


def test_a_bound_is_drawn_across_and_named() -> None:
    """As a line of its own in the ink of the page, within the axes whatever the points are."""
    bounded = replace(FIGURE, bound=50.0)
    assert len(_paths(bounded, "currentColor")) == len(_paths(FIGURE, "currentColor")) + 1
    assert ">bound</text>" in svg(bounded)


def test_series_differ_in_more_than_colour() -> None:
    """By their dashes, and where points are marked by the shape of the mark."""
    series = tuple((f"s{place}", ((0.0, 1.0 * place), (1.0, 2.0))) for place in range(4))
    dashes = re.findall(
        r'series-\d\)" (stroke-width[^/]*?) d="M[\d.]+ [\d.]+L', svg(replace(FIGURE, series=series))
    )
    marks = re.findall(
        r'series-\d\)" (stroke-width[^/]*?) d="M[\d.]+ [\d.]+([^ML"]*)',
        svg(replace(FIGURE, series=series, marks=True)),
    )
    assert (len(set(dashes)), len(set(marks))) == (4, 4)


def test_text_of_a_figure_is_escaped() -> None:
    """Labels come from names of candidates."""
    hostile = "<script>\u202e\n</script>"
    drawn = svg(replace(FIGURE, title=hostile, x_label=hostile, y_label=hostile, series=((hostile, ()),)))
    assert "<script" not in drawn
    assert "\u202e" not in drawn


def test_ticks_with_words_stand_for_their_places() -> None:
    """Where the numbers along an axis are not what is to be read."""
    drawn = svg(replace(FIGURE, x_ticks=((0.0, "−max"), (10.0, "max"))))
    assert ">max</text>" in drawn
    assert ">4</text>" in drawn  # of the other axis alone
    assert drawn.count(">2</text>") == 1


def test_an_axis_with_ticks_of_its_own_ends_with_them() -> None:
    """Nothing is left empty beyond the last of them."""
    drawn = svg(replace(FIGURE, x_ticks=((0.0, "low"), (10.0, "high"))))
    line = _line(FIGURE)
    assert f'x="{line.rpartition("L")[2].split()[0]}"' in drawn


def test_a_thumbnail_is_small() -> None:
    """A curve of 60 points takes less than two kilobytes."""
    curve = tuple((float(n), n * n / 7) for n in range(60))
    assert len(svg(replace(FIGURE, series=(("", curve),)), small=True)) < 2000


def test_axes_are_drawn_once() -> None:
    """A second figure with the same axes refers to those of the first."""
    text = with_shared_axes(svg(FIGURE) + svg(replace(FIGURE, title="another")))
    assert (text.count('class="axes"'), text.count('<use href="#axes-1"/>')) == (1, 1)


def test_other_axes_are_drawn() -> None:
    """Two figures with different axes have each their own."""
    text = with_shared_axes(svg(FIGURE) + svg(replace(FIGURE, x_label="another")))
    assert [name in text for name in ('id="axes-1"', 'id="axes-2"', "<use")] == [True, True, False]


def test_marks_are_where_their_points_are() -> None:
    """Each mark is told by its distance from the end of the one before."""
    figure = replace(FIGURE, marks=True)
    steps = re.findall(r"m(-?\d+)([ -]\d+)h0", _line(figure))
    across, down = (list(itertools.accumulate(map(int, numbers))) for numbers in zip(*steps, strict=True))
    ends = [float(number) for number in re.findall(r"[\d.]+", _line(FIGURE))]
    assert (across, down) == ([round(x) for x in ends[::2]], [round(y) for y in ends[1::2]])
