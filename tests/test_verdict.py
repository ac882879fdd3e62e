"""Verdicts: order, truth value and combination."""

from __future__ import annotations

import itertools

import pytest

from verify.verdict import Status, Verdict, overall

ORDER = [Status.REFUTED, Status.UNKNOWN, Status.PASSED, Status.PROVED]


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations(ORDER, 2)))
def test_statuses_are_ordered_from_refuted_to_proved(low: Status, high: Status) -> None:
    """All four comparisons follow the order refuted < unknown < passed < proved."""
    assert (low < high, low <= high, high > low, high >= low) == (True, True, True, True)
    assert (high < low, high <= low, low > high, low >= high) == (False, False, False, False)


@pytest.mark.parametrize("status", ORDER)
def test_a_status_is_not_less_than_itself(status: Status) -> None:
    """The strict comparisons are irreflexive, the others reflexive."""
    assert (status < status, status > status, status <= status, status >= status) == (
        False,
        False,
        True,
        True,
    )


def test_a_status_compares_with_its_plain_name() -> None:
    """A status read back from a file is a string and keeps its place in the order."""
    assert Status.REFUTED < "unknown"


@pytest.mark.parametrize(
    ("status", "truth"), [("refuted", False), ("unknown", False), ("passed", True), ("proved", True)]
)
def test_only_proved_and_passed_verdicts_are_true(status: str, truth: bool) -> None:
    """``bool(verdict)`` is True for proved and passed alone."""
    assert bool(Verdict("subject", Status(status))) is truth


def test_nothing_checked_is_unknown() -> None:
    """The status of no checks at all is unknown, never a pass."""
    assert overall([]) is Status.UNKNOWN


@pytest.mark.parametrize("statuses", list(itertools.product(ORDER, repeat=3)))
def test_many_together_have_the_least_status(statuses: tuple[Status, ...]) -> None:
    """One refuted part refutes the whole; one unknown part leaves it unknown."""
    assert overall(statuses) is ORDER[min(ORDER.index(status) for status in statuses)]
