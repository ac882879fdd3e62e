"""Formats: every pattern of the 16-bit formats, and the edges of the wider ones, in exact rationals."""

from __future__ import annotations

import itertools
import math
import struct
from fractions import Fraction
from typing import NamedTuple

import pytest

from verify.errors import UsageError
from verify.floats import FORMATS, Bound, Enclosure, Format, format_named, ulp_error

SMALL = [FORMATS["float16"], FORMATS["bfloat16"]]
CODES = {"float16": ("<H", "<e"), "float32": ("<I", "<f"), "float64": ("<Q", "<d")}


def reference(format: Format, bits: int) -> float:
    """The value of a pattern as the struct module reads it; exact, since binary64 holds them all."""
    if format.name == "bfloat16":
        return float(struct.unpack("<f", struct.pack("<I", bits << 16))[0])
    whole, real = CODES[format.name]
    return float(struct.unpack(real, struct.pack(whole, bits))[0])


class Ladder(NamedTuple):
    """All finite values of a 16-bit format in increasing order, zero once, and what lies between."""

    format: Format
    values: list[Fraction]
    middles: list[Fraction]


@pytest.fixture(scope="module", params=SMALL, ids=lambda format: format.name)
def ladder(request: pytest.FixtureRequest) -> Ladder:
    """A 16-bit format with its finite values and their midpoints."""
    readings = {reference(request.param, bits) + 0.0 for bits in range(1 << 16)}
    floats = sorted(x for x in readings if math.isfinite(x))
    # Adjacent values of 8 or 11 bits have an exact midpoint in binary64.
    middles = [Fraction(low / 2 + high / 2) for low, high in itertools.pairwise(floats)]
    return Ladder(request.param, [Fraction(x) for x in floats], middles)


@pytest.mark.parametrize("format", SMALL, ids=lambda format: format.name)
def test_every_16_bit_pattern_decodes_to_its_value(format: Format) -> None:
    """Each of the 65,536 patterns has the value, sign of zero included, that the struct module gives."""
    wrong = []
    for bits in range(1 << 16):
        value, expected = format.decode(bits), reference(format, bits)
        same = value == expected and math.copysign(1, value) == math.copysign(1, expected)
        if not same and not (math.isnan(expected) and math.isnan(value)):
            wrong.append(bits)
    assert wrong == []


@pytest.mark.parametrize("format", SMALL, ids=lambda format: format.name)
def test_every_16_bit_value_encodes_back_to_its_pattern(format: Format) -> None:
    """Decoding and encoding is the identity on every pattern that is no nan."""
    patterns = [bits for bits in range(1 << 16) if not math.isnan(reference(format, bits))]
    assert [bits for bits in patterns if format.encode(format.decode(bits)) != bits] == []


def test_nan_encodes_as_a_nan() -> None:
    """The pattern written for nan reads as nan."""
    assert math.isnan(reference(FORMATS["float16"], FORMATS["float16"].encode(math.nan)))


def test_neighbours_of_every_value_are_the_adjacent_values(ladder: Ladder) -> None:
    """The neighbours of each finite value are the ones next to it in the sorted list of all values."""
    rungs: list[Bound] = [-math.inf, *ladder.values, math.inf]
    found = [ladder.format.neighbours(value) for value in ladder.values]
    assert found == list(zip(rungs, rungs[2:], strict=False))


def test_neighbours_of_every_midpoint_are_the_values_around_it(ladder: Ladder) -> None:
    """A number between two values has just these two as neighbours."""
    found = [ladder.format.neighbours(middle) for middle in ladder.middles]
    assert found == list(itertools.pairwise(ladder.values))


def test_ulp_is_the_gap_to_the_next_value_away_from_zero(ladder: Ladder) -> None:
    """For each value >= 0 below the largest, the ulp is the distance to its successor; for -x as for x."""
    rising = [value for value in ladder.values if value >= 0]
    gaps = [high - low for low, high in itertools.pairwise(rising)]
    assert [ladder.format.ulp(value) for value in rising[:-1]] == gaps
    assert [ladder.format.ulp(-value) for value in rising[:-1]] == gaps


def test_every_midpoint_rounds_to_the_even_neighbour(ladder: Ladder) -> None:
    """Halfway between two values the one with an even pattern is taken."""
    even = [
        low if ladder.format.encode(low) % 2 == 0 else high for low, high in itertools.pairwise(ladder.values)
    ]
    assert [ladder.format.round(middle) for middle in ladder.middles] == even


@pytest.mark.parametrize("side", [-1, 1])
def test_a_hair_off_every_midpoint_rounds_to_the_nearer_value(ladder: Ladder, side: int) -> None:
    """2**-300 below or above a midpoint decides the direction: no second rounding takes place."""
    hair = side * Fraction(1, 1 << 300)
    nearer = ladder.values[:-1] if side < 0 else ladder.values[1:]
    assert [ladder.format.round(middle + hair) for middle in ladder.middles] == nearer


def test_every_value_rounds_to_itself(ladder: Ladder) -> None:
    """Rounding is the identity on the values of the format."""
    assert [ladder.format.round(value) for value in ladder.values] == ladder.values


@pytest.mark.parametrize("side", ["below", "above"])
def test_both_neighbours_of_a_midpoint_are_half_an_ulp_off(ladder: Ladder, side: str) -> None:
    """The error at a midpoint is exactly 1/2 from either side, in every binade and across zero."""
    half = (Fraction(1, 2), Fraction(1, 2))
    results = ladder.values[:-1] if side == "below" else ladder.values[1:]
    pairs = zip(results, ladder.middles, strict=True)
    assert [middle for got, middle in pairs if ulp_error(got, middle, ladder.format) != half] == []


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize(
    "edge", ["zero", "subnormal", "last subnormal", "normal", "one", "odd", "last", "inf"]
)
def test_edge_patterns_of_wide_formats_decode_and_encode(name: str, sign: int, edge: str) -> None:
    """The patterns at the borders of the wide formats have the value that the struct module gives."""
    format = FORMATS[name]
    low, top = format.precision - 1, (2 * format.emax + 1) << (format.precision - 1)
    one = format.emax << low
    pattern = {
        "zero": 0,
        "subnormal": 1,
        "last subnormal": (1 << low) - 1,
        "normal": 1 << low,
        "one": one,
        "odd": one + 0x2AAAAB,
        "last": top - 1,
        "inf": top,
    }[edge] | sign << (format.width - 1)
    value = format.decode(pattern)
    assert (value, math.copysign(1, value)) == (reference(format, pattern), 1 - 2 * sign)
    assert format.encode(value) == pattern


@pytest.mark.parametrize(
    ("name", "unit", "normal", "subnormal", "largest"),
    [
        ("float16", 2**-11, 2**-14, 2**-24, 65504),
        ("bfloat16", 2**-8, 2**-126, 2**-133, (2 - 2**-7) * 2.0**127),
        ("float32", 2**-24, 2**-126, 2**-149, (2 - 2**-23) * 2.0**127),
        ("float64", 2**-53, 2**-1022, 5e-324, 1.7976931348623157e308),
    ],
)
def test_characteristic_numbers(
    name: str, unit: float, normal: float, subnormal: float, largest: float
) -> None:
    """Unit roundoff, smallest normal, smallest subnormal and largest number are those of IEEE 754."""
    format = FORMATS[name]
    found = (format.unit_roundoff, format.smallest_normal, format.smallest_subnormal, format.largest)
    assert found == (unit, normal, subnormal, largest)


def test_rounding_happens_once() -> None:
    """1 + 2^-24 + 2^-60 is above a midpoint of binary32, which binary64 on the way would hide."""
    x = 1 + Fraction(1, 2**24) + Fraction(1, 2**60)
    assert FORMATS["float32"].round(x) == 1 + Fraction(1, 2**23)


def test_rounding_a_fraction_agrees_with_the_division_of_floats() -> None:
    """In binary64 the rounding of p/q is what the hardware division gives."""
    format = FORMATS["float64"]
    pairs = [(7**k % 10007 + 1, 5**k % 9973 + 1) for k in range(500)]
    assert [format.round(Fraction(p, q)) for p, q in pairs] == [Fraction(p / q) for p, q in pairs]


@pytest.mark.parametrize("format", list(FORMATS.values()), ids=lambda format: format.name)
def test_overflow_begins_at_the_halfway_point(format: Format) -> None:
    """Half an ulp past the largest value rounds to infinity; anything less to the largest value."""
    edge = format.largest + format.ulp(format.largest) / 2
    assert (format.round(edge), format.round(edge - Fraction(1, 2**2000))) == (math.inf, format.largest)


@pytest.mark.parametrize(
    ("got", "exact", "error"),
    [
        (Fraction(1), Fraction(1), 0),
        (1 - Fraction(1, 2**24), Fraction(1), Fraction(1, 2)),
        (1 + Fraction(1, 2**23), Fraction(1), 1),
        (Fraction(0), Fraction(1, 2**149), 1),
        (0.0, Fraction(1, 2**150), Fraction(1, 2)),
        (-0.0, Fraction(0), 0),
        (-Fraction(1, 2**149), Fraction(0), 1),
        (math.nan, Fraction(1), math.inf),
        (math.inf, Fraction(2**128), 0),
        (math.inf, Fraction(10**60), 0),
        (-math.inf, Fraction(2**128), 2**25),
        (FORMATS["float32"].largest, Fraction(10**60), 1),
        (math.inf, FORMATS["float32"].largest, 1),
        (math.inf, math.inf, 0),
        (FORMATS["float32"].largest, math.inf, math.inf),
        (-math.inf, math.inf, math.inf),
        (math.nan, math.inf, math.inf),
    ],
)
def test_ulp_error_at_the_edges(got: Bound, exact: Bound, error: Bound) -> None:
    """The written policy at powers of two, zero, subnormals, overflow, infinities and nan (binary32)."""
    assert ulp_error(got, exact, FORMATS["float32"]) == (error, error)


def test_ulp_error_is_measured_from_the_unrounded_truth() -> None:
    """A truth of 1 + 2^-24 (half an ulp above 1) leaves 0.5 ulp for the correctly rounded 1."""
    least, most = ulp_error(Fraction(1), 1 + Fraction(1, 2**24), FORMATS["float32"])
    assert least == most == Fraction(1, 2)


def test_ulp_error_of_an_enclosure_is_a_range() -> None:
    """Within one binade the range is that of the distances to the two bounds."""
    u = Fraction(1, 2**23)
    assert ulp_error(Fraction(1), Enclosure(1 + u, 1 + 3 * u), FORMATS["float32"]) == (1, 3)


def test_ulp_error_of_a_result_inside_its_enclosure_can_be_zero() -> None:
    """The least error is 0 when the result itself may be the truth."""
    u = Fraction(1, 2**23)
    assert ulp_error(1 + 2 * u, Enclosure(1 + u, 1 + 4 * u), FORMATS["float32"]) == (0, 2)


def test_ulp_error_range_holds_the_error_of_every_truth_across_a_power_of_two() -> None:
    """An enclosure that spans two binades bounds the error of each of its points."""
    format, got = FORMATS["float32"], 1 + Fraction(5, 2**23)
    enclosure = Enclosure(1 - Fraction(3, 2**23), 1 + Fraction(3, 2**23))
    least, most = ulp_error(got, enclosure, format)
    points = [enclosure.lower + enclosure.width * k / 64 for k in range(65)]
    errors = [ulp_error(got, point, format)[0] for point in points]
    assert least <= min(errors)
    assert max(errors) <= most


def test_enclosures_reject_swapped_bounds() -> None:
    """An enclosure whose lower bound is above its upper bound is a usage error."""
    with pytest.raises(UsageError, match="lower bound first"):
        Enclosure(Fraction(2), Fraction(1))


def test_an_enclosure_of_astronomic_numbers_can_be_printed() -> None:
    """Bounds of a hundred thousand digits are shown rounded, with their power of two."""
    enclosure = Enclosure(Fraction(3, 2**400_001), Fraction(5 * 2**400_000))
    assert repr(enclosure) == "Enclosure(about 1.5 * 2**-400000, about 1.25 * 2**400002)"


def test_enclosures_intersect() -> None:
    """Two enclosures of one value leave their common part."""
    first, second = Enclosure(Fraction(0), Fraction(2)), Enclosure(Fraction(1), math.inf)
    assert first.intersect(second) == Enclosure(Fraction(1), Fraction(2))


def test_disjoint_enclosures_do_not_intersect() -> None:
    """Disjoint enclosures cannot enclose the same value, which is an error."""
    with pytest.raises(UsageError, match="disjoint"):
        Enclosure(Fraction(0), Fraction(1)).intersect(Enclosure(Fraction(2), Fraction(3)))


@pytest.mark.parametrize("value", [Fraction(1), Fraction(3), Fraction(2)])
def test_enclosures_contain_their_bounds(value: Fraction) -> None:
    """Both bounds and what is between belong to the enclosure."""
    assert Enclosure(Fraction(1), Fraction(3)).contains(value)


def test_enclosures_exclude_what_is_outside() -> None:
    """A value below the lower or above the upper bound is not contained."""
    enclosure = Enclosure(Fraction(1), Fraction(3))
    assert not enclosure.contains(Fraction(1, 2))
    assert not enclosure.contains(math.inf)


@pytest.mark.parametrize(
    ("enclosure", "width"),
    [
        (Enclosure(Fraction(1), Fraction(3)), 2),
        (Enclosure(math.inf, math.inf), 0),
        (Enclosure(Fraction(1), math.inf), math.inf),
    ],
)
def test_width_of_an_enclosure(enclosure: Enclosure, width: Bound) -> None:
    """The width is the difference of the bounds, 0 for a point and infinite for an open end."""
    assert enclosure.width == width


def test_an_unknown_format_is_reported_with_suggestions() -> None:
    """The message names the nearest formats."""
    with pytest.raises(UsageError, match=r"did you mean .*float32"):
        format_named("flaot32")


def test_a_format_is_found_by_its_name() -> None:
    """``format_named`` returns the format itself."""
    assert format_named("bfloat16") is FORMATS["bfloat16"]


def test_a_number_between_values_cannot_be_encoded() -> None:
    """Encoding does not round silently."""
    with pytest.raises(UsageError, match="no value of float16"):
        FORMATS["float16"].encode(1 + Fraction(1, 2**12))


@pytest.mark.parametrize("bits", [-1, 1 << 16])
def test_a_pattern_outside_the_format_is_rejected(bits: int) -> None:
    """A pattern has at most as many bits as the format stores."""
    with pytest.raises(UsageError, match="no pattern of float16"):
        FORMATS["float16"].decode(bits)
