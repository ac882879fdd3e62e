"""Errors in words: shares of the largest entry, and units in the last place."""

from __future__ import annotations

import math

from verify.snapshots import Difference

MANY = 1e12
"""Units in the last place beyond which their number says nothing: the exact value is 0, or next to it."""


def share_text(share: float) -> str:
    """An error as a share of the largest entry."""
    if share == math.inf:
        return "all"
    return (
        f"{share:.3g} times the largest entry" if share >= 2 else f"{100 * share:.3g} % of the largest entry"
    )


def off_text(apart: Difference) -> str:
    """How far off a result is."""
    if apart.ulp == math.inf:
        return "no number, infinitely"
    return "not 0 where all is 0, so far" if apart.share == math.inf else share_text(apart.share)


def ulp_text(ulp: float) -> str:
    """An error in units in the last place."""
    if ulp > MANY:
        return "beyond all ulp, where 0 is right"
    return f"{ulp:,.0f} ulp" if 10 <= ulp < 1e9 else f"{ulp:.2g} ulp"


def wrong_text(got: str, exact: str, ulp: float) -> str:
    """A wrong number beside the exact one."""
    told = f"{_short(got)} for {_short(exact)}"
    return told if ulp > MANY else f"{told}, {ulp_text(ulp)}"


def _short(number: str) -> str:
    return f"{float(number):.6g}"
