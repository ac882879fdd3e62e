"""Profiles of errors: where an input is, what a record holds, and what is drawn of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest

from verify.floats import format_named
from verify.profile import Place, Profile, place_of, points_of
from verify.record import EvidenceRecord, RunRecord
from verify.report.errors import error_figures
from verify.report.html import page

NAMES = ("float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize("name", NAMES)
def test_the_ends_of_float_order_are_the_largest_numbers(name: str) -> None:
    """And 0 is in the middle, in every format."""
    largest = format_named(name).largest
    orders = [place_of(((x,),), format_named(name)).order for x in (-largest, Fraction(0), largest)]
    assert orders == [-32, 0, 32]


@pytest.mark.parametrize("name", NAMES)
def test_one_is_half_of_the_way(name: str) -> None:
    """As many floats lie below it as above it, but for a few."""
    assert place_of(((Fraction(1),),), format_named(name)).order in (15, 16)


def test_an_input_is_where_its_largest_number_is() -> None:
    """With its sign; labels do not count."""
    assert place_of(((Fraction(1), Fraction(-3)), 40), format_named("float32")).value == -12


def test_what_is_outside_of_the_window_is_in_float_order_only() -> None:
    """The window is as wide as exponentials matter in."""
    assert [place_of(((Fraction(x),),), format_named("float32")).value for x in (24, 25)] == [96, None]


def test_an_input_without_numbers_is_at_zero() -> None:
    """Such as one of labels alone."""
    assert place_of(((3,),), format_named("float32")) == Place(0, 0)


def test_a_profile_keeps_the_worst_of_each_stretch() -> None:
    """In order, and as text that is read back."""
    profile = Profile()
    for place, ratio in (
        (Place(16, 2), 0.5),
        (Place(16, None), 0.25),
        (Place(-16, -2), inf),
        (Place(16, 2), 0.123456),
    ):
        profile.add(place, ratio)
    assert profile.by_order() == "-0.5:inf 0.5:0.5"
    assert points_of(profile.by_value()) == [(-0.5, inf), (0.5, 0.5)]


def _check(run: RunRecord, name: str, order: str, **others: object) -> EvidenceRecord:
    return replace(run.evidence[0], implementation=name, by_order=order, **others)  # type: ignore[arg-type]


def test_a_plot_has_the_worst_of_all_dtypes_of_an_implementation(sample_run: RunRecord) -> None:
    """At each place, and nothing below a hundredth of the bound."""
    one = _check(sample_run, "f", "0:0.5 0.5:0.001", dtype="float16")
    other = _check(sample_run, "f", "0:2 0.5:0.0001")
    (figure,) = error_figures((one, other))
    assert figure.series == (("f", ((0.0, 2.0), (0.5, 0.01))),)
    assert (figure.bound, figure.log_y) == (1.0, True)


def test_a_plot_shows_the_worst_implementations(sample_run: RunRecord) -> None:
    """At most four, the worst first, and says of how many."""
    records = [
        _check(sample_run, f"f{n}", "0:1 1:1", worst_ratio=ratio) for n, ratio in enumerate((1, 9, inf, 3, 2))
    ]
    (figure,) = error_figures(records)
    assert [name for name, _ in figure.series] == ["f2", "f1", "f3", "f4"]
    assert figure.title.endswith("the worst 4 of 5")


def test_there_is_a_plot_over_the_value_where_there_are_two(sample_run: RunRecord) -> None:
    """The marks are named below the first plot, beside which it stands."""
    figures = error_figures((_check(sample_run, "f", "0:1 1:1", by_value="0.25:1 0.5:2"),))
    assert [[name for name, _ in figure.series] for figure in figures] == [["f"], [""]]


def test_definitions_of_two_sides_are_told_apart(sample_run: RunRecord) -> None:
    """By what they compute."""
    records = [_check(sample_run, "definition", "0:1 1:1", expression=text) for text in ("a", "b")]
    assert [name for name, _ in error_figures(records)[0].series] == ["definition: a", "definition: b"]


def test_a_report_without_profiles_has_no_such_plots(sample_run: RunRecord) -> None:
    """It was written by an older release, and is read all the same."""
    assert 'class="errors"' not in page(sample_run)
    found = _check(sample_run, "f", "0:1 1:1")
    assert 'class="errors"' in page(replace(sample_run, evidence=(found,)))


def test_a_profile_that_is_none_is_not_drawn(sample_run: RunRecord) -> None:
    """Whatever a report has in its place."""
    assert error_figures((_check(sample_run, "f", "<script> 1 inf:2 0:x"),)) == ()
