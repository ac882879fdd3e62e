"""Families of families: tables made inside a formula mean what declared ones mean, and keep their ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from verify.claim import Part
from verify.contexts.latex import shown
from verify.domain import index, real
from verify.errors import KernelError
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.text import text
from verify.kernel.theorem import equation
from verify.operations.logsumexp import logsumexp
from verify.refuter import attack

_W, _N, _K = real("w", "n", "d"), index("m", "n"), index("k", "d")
_GIVEN = (_W, _N, _K)


def _doubled(c: Any, w: Any) -> Any:
    """A table with twice the entries of another."""
    return c.family(lambda i: c.family(lambda j: 2 * w[i, j], over=w[i]), over=w)


def _accepted(given: Any, left: Callable[..., Any], right: Callable[..., Any], *rules: str) -> bool:
    try:
        equation(assume(given, ()), build(left, given), build(right, given), rules)
    except KernelError:
        return False
    return True


# name -> (left, right, rules) over a table w, a row m and a column k
EQUAL: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[str, ...]]] = {
    "an entry at a pair": (lambda c, w, m, k: _doubled(c, w)[m, k], lambda c, w, m, k: 2 * w[m, k], ()),
    "an entry of a row": (lambda c, w, m, k: _doubled(c, w)[m][k], lambda c, w, m, k: 2 * w[m, k], ()),
    "a sum over a row": (
        lambda c, w, m, k: c.sum(lambda j: _doubled(c, w)[m, j], over=_doubled(c, w)[m]),
        lambda c, w, m, k: 2 * c.sum(lambda j: w[m, j], over=w[m]),
        ("sum_linear",),
    ),
    "an operation on a row": (
        lambda c, w, m, k: c.call(logsumexp, _doubled(c, w)[m]),
        lambda c, w, m, k: c.log(c.sum(lambda j: c.exp(2 * w[m, j]), over=w[m])),
        (),
    ),
    "rows as they are": (
        lambda c, w, m, k: c.family(lambda i: w[i], over=w)[m, k],
        lambda c, w, m, k: w[m, k],
        (),
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_a_table_made_in_a_formula_has_the_entries_that_it_says(name: str) -> None:
    """Its entries, rows and sums are those of the formula that makes it."""
    left, right, rules = EQUAL[name]
    assert _accepted(_GIVEN, left, right, *rules)


@pytest.mark.parametrize("name", EQUAL)
def test_a_table_means_the_same_to_the_refuter(name: str) -> None:
    """Balls agree with the kernel about what a table made in a formula is."""
    left, right, _ = EQUAL[name]
    part = Part(id=name, words="", given=_GIVEN, left=left, relation="=", right=right)
    assert attack(part).outcome == "supported"


# name -> a formula that uses an index outside its range
OUTSIDE: dict[str, Callable[..., Any]] = {
    "a row index for a column": lambda c, w, m, k: _doubled(c, w)[m, m],
    "a column index for a row": lambda c, w, m, k: _doubled(c, w)[k, k],
    "a row that there is not": lambda c, w, m, k: c.family(lambda j: w[j], over=w[m])[k, k],
    "rows beyond the table, summed over": lambda c, w, m, k: c.sum(
        lambda j: c.number(0), over=c.family(lambda j: w[j], over=w[m])
    ),
    "a row beyond the table, applied": lambda c, w, m, k: c.call(logsumexp, _doubled(c, w)[k]),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_index_outside_a_made_table_is_rejected(name: str) -> None:
    """A made table has the ranges of what it was made over, also where its entries are not looked at."""
    assert not _accepted(_GIVEN, OUTSIDE[name], OUTSIDE[name])


def test_a_made_table_is_shown_by_its_entries() -> None:
    """As an argument of an operation it appears as the family of its rows."""
    term = build(lambda c, w, m, k: c.call(logsumexp, _doubled(c, w)[m]), _GIVEN)
    assert (shown(term, _GIVEN), text(term)) == (
        r"\operatorname{lse}(\left(2 \, {w}_{m,i}\right)_{i})",
        "logsumexp((2 w[m,i])_i)",
    )


def test_a_sign_after_a_sign_is_in_brackets() -> None:
    """A number is not shown as subtracted twice."""
    given = (real("x"), real("y"))
    term = build(lambda c, x, y: y - -c.log(x), given)
    assert (shown(term, given), text(term)) == (r"y - \left(-\log x\right)", "y - (-log(x))")


def test_a_sign_inside_of_another_operation_is_in_brackets() -> None:
    """So that it is not taken for a difference; one that begins a sum needs none."""
    given = (real("x", "n"), real("y"))
    term = build(lambda c, x, y: -y + c.sum(lambda i: -(-y * x[i]), over=x) * -y, given)
    assert text(term) == "-y + (sum_{i=1..n} (-(-y) x[i])) (-y)"
    term = build(lambda c, x, y: -y / c.exp(-y / 2) - -y / y, given)
    assert text(term) == "-y/exp(-y/2) - (-y/y)"


def test_a_sum_in_a_sum_is_shown_with_both_signs() -> None:
    """The outer one first, also of three, and of products."""
    given = (real("x", "n", "m"),)
    term = build(lambda c, x: c.sum(lambda i: c.sum(lambda j: x[i, j], over=x[i]), over=x), given)
    assert shown(term, given) == r"\sum_{i=1}^{n} \sum_{j=1}^{m} {x}_{i,j}"
    term = build(lambda c, x: c.prod(lambda i: c.prod(lambda j: x[i, j], over=x[i]), over=x), given)
    assert shown(term, given) == r"\prod_{i=1}^{n} \prod_{j=1}^{m} {x}_{i,j}"


def test_the_circles_constant_is_shown() -> None:
    """By its letter in a formula, by its name in text."""
    term = build(lambda c: c.log(2 * c.pi()), ())
    assert (shown(term, ()), text(term)) == (r"\log\left(2 \, \pi\right)", "log(2 pi)")


def test_beside_an_indicator_a_position_stays() -> None:
    """A named position stands for the index that equals it, and not the other way round."""
    given = (real("g", 2), index("t", 2))
    assert _accepted(
        given,
        lambda c, g, t: c.equal(t, 2) * g[t],
        lambda c, g, t: c.equal(2, t) * g[2],
        "delta_swap",
    )


def test_an_indicator_says_nothing_about_terms_beside_which_it_does_not_stand() -> None:
    """Without the factor [i = j] one entry is not another."""
    given = (real("g", "n"), index("y", "n"), index("k", "n"))
    assert not _accepted(
        given,
        lambda c, g, y, k: c.equal(y, k) + g[y],
        lambda c, g, y, k: c.equal(y, k) + g[k],
        "delta_swap",
    )


def test_a_bound_index_is_not_named_like_a_label() -> None:
    """Beside the label j the indices of sums are named i, k, ..."""
    given = (real("w", "n", "d"), index("j", "n"))
    term = build(
        lambda c, w, j: c.sum(lambda a: c.sum(lambda b: w[a, b] * w[j, b], over=w[a]), over=w), given
    )
    assert text(term) == "sum_{i=1..n} sum_{k=1..d} w[i,k] w[j,k]"
