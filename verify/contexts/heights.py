"""Heights of sums: through how many additions in a row a term passes, in the order that a kernel adds.

The error of a sum is at most ((1 + v)^h - 1) times the sum of the magnitudes, v the unit roundoff of the
additions and h the height of the tree in which they are done (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., section 4.2): n - 1 covers every order.
"""

from __future__ import annotations

import re

from verify.errors import UsageError

Height = int | str | None
"""What a caller declares: a number, "pairwise", "lanes:K", or None for any order."""


def additions(height: Height, n: int) -> int:
    """The additions in a row in a sum of n terms of a declared height, at most n - 1.

    "pairwise" halves the terms, ceil(log2 n); "lanes:K" adds every K-th term one after the other and
    then the K sums by halves, ceil(n / K) - 1 + ceil(log2 K).
    """
    most = max(n - 1, 0)
    if height is None:
        return most
    if isinstance(height, int):
        return min(most, height)
    lanes = n if height == "pairwise" else min(n, int(height.partition(":")[2]))
    return min(most, -(-n // max(lanes, 1)) - 1 + (max(lanes, 1) - 1).bit_length())


def declared(height: object) -> Height:
    """A height that makes sense, a number also as text; ``UsageError`` for any other."""
    if height is None or (isinstance(height, int) and not isinstance(height, bool) and height >= 0):
        return height
    if isinstance(height, str) and height.isdigit():
        return int(height)
    if isinstance(height, str) and re.fullmatch(r"pairwise|lanes:[1-9]\d*", height):
        return height
    raise UsageError(
        f'height is {height!r}; give the additions in a row as a whole number, "pairwise", or "lanes:K"'
    )
