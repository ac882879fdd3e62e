"""Strategies draw exact inputs of the declared domains, varied enough to find anything."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, seed, settings
from hypothesis import strategies as st

from verify import strategies
from verify.claim import Hypothesis
from verify.domain import Declaration, distribution, index, nonnegative, positive, probability, real, whole
from verify.floats import FORMATS, Dtype, format_named

ROOT = Path(__file__).parent.parent

STEADY = settings(
    max_examples=60,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
GIVEN = (
    real("x", "n"),
    distribution("p", "n"),
    distribution("q", "n", positive=True),
    probability("f"),
    positive("a", "n"),
    nonnegative("b", "n"),
    whole("w", "k"),
    index("y", "n"),
    index("labels", "n", "k"),
    real("g", "k", "n"),
)


def _numbers(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in _numbers(item)] if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("dtype", sorted(FORMATS))
def test_inputs_lie_in_their_domains(dtype: str) -> None:
    """Every drawn number is held by the format, and every declaration is kept."""

    @STEADY
    @given(strategies.inputs(GIVEN, dtype))
    def check(values: tuple[Any, ...]) -> None:
        x, p, q, f, a, b, w, y, labels, g = values
        numbers = [v for value in (x, p, q, f, a, b, w, g) for v in _numbers(value)]
        assert all(format_named(dtype).is_value(v) for v in numbers)
        assert sum(p) == 1 == sum(q)
        assert min(p) >= 0 < min(q)
        assert 0 < f < 1
        assert min(a) > 0 <= min(b)
        assert all(v.denominator == 1 and v >= 1 for v in w)
        assert len(x) == len(p) == len(a) == len(g[0])
        assert len(labels) == len(w) == len(g)
        assert all(1 <= label <= len(x) for label in (y, *labels))

    check()


@seed(1)
@STEADY
@given(strategies.logits("float32", 1000))
def test_a_wide_row_has_many_values(row: tuple[Fraction, ...]) -> None:
    """At float32 a row of 1000 entries has at least 500 different ones."""
    assert len(set(row)) >= 500


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a one-hot vector", lambda p: len(p) > 2 and max(p) == 1),
        ("a zero beside a positive entry", lambda p: min(p) == 0 and 0 < max(p) < 1),
        ("an entry below 2^-60", lambda p: 0 < min(p) < Fraction(1, 2**60)),
        ("an entry within 2^-20 of 1", lambda p: 1 - Fraction(1, 2**20) <= max(p) < 1),
    ],
)
def test_probabilities_include(name: str, found: Any) -> None:
    """The probability vectors of eight entries include the shapes that matter."""
    rows = st.integers(1, 8).flatmap(lambda n: strategies.probabilities("float32", n))
    assert find(rows, found, settings=settings(STEADY, max_examples=500, derandomize=False)), name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("the overflow edge of exp", lambda x: max(x) > 85),
        ("the underflow edge of exp", lambda x: max(x) - min(x) > 100),
        ("a common offset", lambda x: len(x) > 1 and min(x) > 1000),
        ("a subnormal entry", lambda x: 0 < max(x) < Fraction(1, 2**126)),
        ("ties at the maximum", lambda x: len(x) > 2 and sorted(x)[-1] == sorted(x)[-2] != min(x)),
        ("wholly negative", lambda x: max(x) < -99),
    ],
)
def test_logits_include(name: str, found: Any) -> None:
    """The rows of float32 logits include the regimes that matter."""
    rows = st.integers(1, 8).flatmap(lambda n: strategies.logits("float32", n))
    assert find(rows, found, settings=settings(STEADY, max_examples=500, derandomize=False)), name


@pytest.mark.parametrize(
    ("name", "dtype", "found"),
    [
        ("a small number of many digits", "float32", lambda x: x < 2**-10 and x.numerator > 2**20),
        ("a small power of two", "float32", lambda x: x < 2**-10 and x.numerator == 1),
        ("a large number of many digits", "float64", lambda x: x > 2**40 and x % 2**20 != 0),
    ],
)
def test_positive_numbers_include(name: str, dtype: Dtype, found: Any) -> None:
    """Sizes far from 1, with few digits and with many."""
    rows = strategies.declared(positive("v", 1), format_named(dtype), {})
    assert find(rows, lambda row: found(row[0]), settings=settings(STEADY, max_examples=500)), name


def test_large_scores_of_float64_have_more_digits_than_float32_holds() -> None:
    """A maximum that is found in float32 is then off by enough to overflow an exponential."""

    def loses(row: Any) -> bool:
        return abs(row[0] - Fraction(format_named("float32").round(row[0]))) > 1000

    rows = strategies.logits("float64", 2)
    assert find(rows, loses, settings=settings(STEADY, max_examples=500)) is not None


def test_failures_shrink_to_small_plain_numbers() -> None:
    """The simplest row of two different entries is made of quarters."""
    rows = strategies.inputs((real("x", "n"),), "float32")
    row = find(rows, lambda v: len(set(v[0])) > 1, settings=STEADY)[0]
    assert len(row) == 2
    assert all(abs(entry) <= Fraction(1, 4) for entry in row)


def _support(c: Any, p: Any, q: Any, i: int) -> Any:
    return q[i]


def test_hypotheses_are_kept() -> None:
    """A hypothesis over an index, under a condition, holds for every drawn input, zeros of p included."""
    supported = Hypothesis(
        "support", lambda c, p, q, i: c.number(0), "<", _support, over="n", when=lambda c, p, q, i: p[i]
    )
    seen = []

    @STEADY
    @given(strategies.inputs((distribution("p", "n"), distribution("q", "n")), "float32", (supported,)))
    def check(values: tuple[Any, ...]) -> None:
        p, q = values
        seen.append(0 in p)
        assert all(b > 0 for a, b in zip(p, q, strict=True) if a > 0)

    check()
    assert any(seen)


_DYADIC = Hypothesis(
    "dyadic", lambda c, p, w, i: p[i], "=", lambda c, p, w, i: c.exp(-(w[i] * c.log(2))), over="n"
)


def test_what_a_hypothesis_defines_is_not_left_to_chance() -> None:
    """Probabilities that are 2^-w_i, and so sum to 1 only for the lengths of a full code, of many kinds."""
    kinds: set[int] = set()

    @seed(0)
    @STEADY
    @given(strategies.inputs((distribution("p", "n"), whole("w", "n")), "float32", (_DYADIC,)))
    def look(values: tuple[Any, ...]) -> None:
        p, w = values
        assert p == tuple(Fraction(1, 2 ** int(k)) for k in w)
        assert sum(p) == 1
        kinds.add(len(p))

    look()
    assert len(kinds) > 4


@pytest.mark.parametrize("target", [positive("a"), probability("a"), real("a")])
def test_what_a_hypothesis_defines_stays_in_its_domain(target: Declaration) -> None:
    """A value outside the domain, or one that the format lacks, is not drawn."""
    third = Hypothesis("third", lambda c, a, b: a, "=", lambda c, a, b: b / 3)

    @seed(0)
    @settings(STEADY, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
    @given(strategies.inputs((target, real("b")), "float16", (third,)))
    def look(values: tuple[Any, ...]) -> None:
        a, b = values
        assert a == b / 3
        assert format_named("float16").is_value(a)
        assert a > 0 or target.domain.sign == "any"
        assert a < 1 or not target.domain.below_one

    look()


def test_inputs_that_break_a_hypothesis_are_not_drawn() -> None:
    """An input is drawn neither where a hypothesis is violated nor where it has no value."""
    below = Hypothesis("below", lambda c, x: c.log(x), "<", lambda c, x: c.number(0))
    drawn: list[Fraction] = []

    @settings(STEADY, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
    @given(values=strategies.inputs([real("x")], "float32", [below]))
    def check(values: Any) -> None:
        drawn.append(values[0])

    check()
    assert drawn
    assert all(0 < x < 1 for x in drawn)


_DRAWS = """
from verify.domain import distribution, real
from verify.strategies import explore, inputs
seen = []
given = (real("x", "n"), distribution("p", "n"))
explore(inputs(given, "float32"), lambda v: (seen.append(v), ({}, False))[1], seed=4, examples=400)
print(seen)
"""


def test_what_is_drawn_does_not_depend_on_what_is_loaded(tmp_path: Path) -> None:
    """One seed gives the same inputs whatever constants the source files imported before contain."""
    (tmp_path / "laden.py").write_text(f"NUMBERS = {list(range(100, 1100))}\n")
    load = f"import sys; sys.path.append({str(tmp_path)!r}); import laden\n"
    first, second = (
        subprocess.run(
            [sys.executable, "-c", extra + _DRAWS], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
        for extra in ("", load)
    )
    assert first == second


@pytest.mark.parametrize(("low", "high"), [(0, 5), (-3, 3), (-7, 2), (-2, 6), (3, 9), (-9, -4)])
def test_whole_numbers_cover_their_range(low: int, high: int) -> None:
    """Each number of the range is drawn, none outside it, and the simplest is nearest to 0."""
    drawn = set()
    strategies.explore(
        strategies.between(low, high), lambda k: (drawn.add(k), ({}, False))[1], seed=0, examples=400
    )
    assert drawn == set(range(low, high + 1))
    assert find(strategies.between(low, high), lambda k: True, settings=STEADY) == min(drawn, key=abs)
