"""Rows of exact numbers by regime: where implementations of softmax and its kin go wrong.

Nothing here draws: every row is made from whole numbers that the caller supplies, ``one`` for the
choices made once for a row, ``many`` for those made for each entry.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from verify.floats import Format

Whole = Callable[[int, int], int]
"""A source of whole numbers in a closed range."""

Row = tuple[Fraction, ...]
Small = Callable[[], Fraction]

BULK = 64
"""Longer rows use the full significand in every regime, so that their entries differ."""

LOG_TWO = Fraction(693147, 1000000)


def logits(one: Whole, many: Whole, format: Format, n: int) -> Row:
    """Finite numbers: quarters, whole numbers to 20, full significands in -1..1, and in -20..20 (in float64,
    where log1p(exp(-x)) counts up to 36, -40..40), the edges where exp overflows or underflows, an offset,
    ties, one dominant entry, wholly negative, subnormal, all equal, masked by a large negative number.
    """
    bits = format.precision - 5 if n > BULK else 2
    reach = 40 if format.width == 64 else 20

    def small() -> Fraction:
        return _grid(many, 4, bits)

    regimes: tuple[Callable[[], list[Fraction]], ...] = (
        lambda: [small() for _ in range(n)],
        lambda: [_grid(many, 20, bits if n > BULK else 0) for _ in range(n)],
        lambda: [_grid(many, 1, format.precision) for _ in range(n)],
        lambda: [_grid(many, reach, format.precision - reach.bit_length()) for _ in range(n)],
        lambda: _edge(many, format, n, bits),
        lambda: _offset(one, format, n, small),
        lambda: _ties(many, n, small),
        lambda: _dominant(one, format, n, small),
        lambda: _negative(one, n, small),
        lambda: [small() * format.smallest_subnormal * (1 << bits) for _ in range(n)],
        lambda: [small() / 16 for _ in range(n)] if n > BULK else [small()] * n,
        lambda: _edge(many, format, n, bits),
        lambda: _masked(one, many, format, n, small),
    )
    row = regimes[one(0, len(regimes) - 1)]()
    return tuple(Fraction(format.round(x)) for x in row)


def probabilities(one: Whole, many: Whole, format: Format, n: int, positive: bool) -> Row:
    """Dyadic entries that sum to exactly 1: coarse, with full significands, or falling steeply.

    Without ``positive`` some entries may be 0, down to a one-hot vector.
    """
    support = n if positive else n - one(0, n - 1)
    coarse = max(support - 1, 1).bit_length() + 1
    regime = one(0, 2)
    if regime == 2 or support > 1 << format.precision:
        entries = _steep(one, many, format, support)
    else:
        entries = _composition(many, support, min(format.precision, coarse if regime == 0 else 24))
    entries += [Fraction(0)] * (n - support)
    turn = one(0, n - 1)
    return tuple(entries[turn:] + entries[:turn])


def proper_fractions(one: Whole, many: Whole, format: Format, n: int) -> Row:
    """Numbers strictly between 0 and 1: eighths, full significands, tiny ones, and close to 1."""
    regime = one(0, 3)
    if regime == 2:
        return tuple(_power(-many(1, format.precision - 1 - format.emin)) for _ in range(n))
    if regime == 3:
        return tuple(1 - _power(-many(1, format.precision)) for _ in range(n))
    bits = 3 if regime == 0 else format.precision
    return tuple(Fraction(many(1, (1 << bits) - 1), 1 << bits) for _ in range(n))


def positives(one: Whole, many: Whole, format: Format, n: int, zeros: bool) -> Row:
    """Numbers > 0, or >= 0 with ``zeros``: quarters, full significands, powers of two far from 1, and full
    significands there.
    """
    regime, least = one(0, 3), 0 if zeros else 1
    if regime >= 2:
        reach, parts = format.emax // 4, 1 << (format.precision - 1 if regime == 3 else 0)
        return tuple(
            (1 + Fraction(many(0, parts - 1), parts)) * _power(many(-reach, reach)) for _ in range(n)
        )
    top, bits = (32, 2) if regime == 0 else ((1 << format.precision) - 1, format.precision - 3)
    return tuple(Fraction(many(least, top), 1 << bits) for _ in range(n))


def wholes(one: Whole, many: Whole, n: int) -> Row:
    """Whole numbers from 1, to 8 or to 100, or the lengths of a code to which no word can be added."""
    top = (8, 100, 0)[one(0, 2)]
    if top or n == 1:
        return tuple(Fraction(many(1, top or 1)) for _ in range(n))
    lengths = [1, 1]
    while len(lengths) < n:
        at = many(0, len(lengths) - 1)
        lengths[at : at + 1] = [lengths[at] + 1] * 2
    return tuple(map(Fraction, lengths))


def _grid(whole: Whole, reach: int, bits: int) -> Fraction:
    """A multiple of 2^-bits strictly between -reach and reach, or at either for whole numbers."""
    top = (reach << bits) - (1 if reach == 1 else 0)
    return Fraction(whole(-top, top), 1 << bits)


def _power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def _edges(format: Format) -> tuple[int, int, int]:
    """Where exp of the format overflows, underflows to 0, and becomes subnormal, as whole numbers."""
    exponents = (format.emax + 1, format.emin - format.precision, format.emin)
    over, under, normal = (int(exponent * LOG_TWO) for exponent in exponents)
    return over, under, normal


def _edge(many: Whole, format: Format, n: int, bits: int) -> list[Fraction]:
    """Entries near 0 and near the edges, each from one whole number, so that rows shrink entry by entry."""
    over, under, normal = _edges(format)
    corners = (0, over, under, normal, -over, -under)
    steps = 1 << (bits + 3)
    entries = [divmod(many(0, len(corners) * steps - 1), steps) for _ in range(n)]
    return [
        corners[corner] + Fraction(step - 2 * step * (step % 2), 1 << (bits + 1)) for corner, step in entries
    ]


def _offset(one: Whole, format: Format, n: int, small: Small) -> list[Fraction]:
    highest = 8 if format.width == 16 else 13 if n > BULK else format.precision + 2
    exponent = one(6, highest)
    offset = Fraction((1, -1)[one(0, 1)] * (2**exponent + 2 ** (exponent // 2)))
    return [offset + small() for _ in range(n)]


def _ties(many: Whole, n: int, small: Small) -> list[Fraction]:
    if n > BULK:
        half = [small() for _ in range((n + 1) // 2)]
        return (half + half)[:n]
    pair = (small(), small())
    return [pair[many(0, 1)] for _ in range(n)]


def _dominant(one: Whole, format: Format, n: int, small: Small) -> list[Fraction]:
    """One entry above the rest: by 4 to 24, or by as much as makes the others' exponentials vanish."""
    over, under, _ = _edges(format)
    gap = one(over, 10 - under) if one(0, 1) else one(4, 24)
    row = [small() - gap for _ in range(n)]
    row[one(0, n - 1)] += gap
    return row


def _masked(one: Whole, many: Whole, format: Format, n: int, small: Small) -> list[Fraction]:
    """Entries that are left out by what masks are filled with: -10^4 or -2^30, in float16 -250.

    Weights times the least number there is would overflow.
    """
    fill = Fraction(-250 if format.emax < 16 else -(10**4, 1 << 30)[one(0, 1)])
    last = 3 if n > BULK else 1
    return [fill if many(0, last) == last else small() for _ in range(n)]


def _negative(one: Whole, n: int, small: Small) -> list[Fraction]:
    level = (5, 30, 100)[one(0, 2)]
    return [-level - abs(small()) for _ in range(n)]


def _composition(many: Whole, n: int, bits: int) -> list[Fraction]:
    """Whole parts >= 1 of 2^bits, n of them, as fractions of it."""
    bits = max(bits, (n - 1).bit_length())
    free = (1 << bits) - n
    cuts = sorted(many(0, free) for _ in range(n - 1))
    parts = [b - a + 1 for a, b in zip([0, *cuts], [*cuts, free], strict=True)]
    return [Fraction(part, 1 << bits) for part in parts]


def _steep(one: Whole, many: Whole, format: Format, n: int) -> list[Fraction]:
    """Entries that fall by 2^-step each, the last two alike in size; all sums are exact."""
    deepest = format.precision - 1 - format.emin
    step = one(1, max(1, min(format.precision, deepest // max(n - 1, 1))))
    if (n - 1) * step > deepest:
        return _composition(many, n, format.precision)
    return [_power(-i * step) - _power(-(i + 1) * step) for i in range(n - 1)] + [_power(-(n - 1) * step)]
