"""Where a formula that is wider than a narrow window may break: a tree of pieces, each of which fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from verify.report.nodes import (
    BIG,
    CLOSING,
    OPENING,
    RELATIONS,
    SUMS,
    carried,
    core,
    ends_term,
    group_tall,
    height,
    is_function,
    is_tall,
    kind,
    made,
    operator,
    sign,
    width,
)

MOST = 14.0
"""How wide a piece is meant to be, in em: less than a column of the page in a window of 380 pixels."""

_FRACTION = 15.5
"""How wide a fraction may be before it is written with a solidus, which can be broken."""

_TALLEST = 3.0
"""How tall brackets are at most whose contents are on several lines."""

_NARROW = 5.0
"""Brackets that are not wider than this stay on one line."""

_LEAST = 4.5
"""A factor or an argument narrower than this is not alone on a line."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A formula or a part of it: elements that stay together, or parts between which a line may break."""

    row: tuple[Element, ...] = ()
    parts: tuple[Lines, ...] = ()


def lines(row: Sequence[Element]) -> tuple[Lines, ...]:
    """The elements of a formula, whole where they are narrow, else each side of its relations.

    A side that is wide itself breaks before a sum, or an argument, or a factor, outside of brackets before
    inside, and a wide fraction is written with a solidus. Brackets that a line parts are as tall as what
    stands between them.
    """
    if row and sign(row[0]) in RELATIONS:
        _space(row[0])
    if _wide(row) <= MOST:
        return (Lines(_grouped(row)),)
    flat = _flat(row)
    sizes = {
        id(core(end)): _size(between, last)
        for first, between, last in _brackets(flat)
        for end in (first, last)
    }
    sides = _cut(
        flat, [k for k, depth in enumerate(_depths(flat)) if k and not depth and sign(flat[k]) in RELATIONS]
    )
    return tuple(_broken(side, sizes) for side in sides)


def _wide(row: Sequence[Element]) -> float:
    return sum(map(width, row))


def _grouped(row: Sequence[Element]) -> tuple[Element, ...]:
    whole = made("mrow", *row)
    group_tall(whole)
    return tuple(whole)


def _flat(row: Sequence[Element]) -> list[Element]:
    """The elements, with those of wide rows in brackets and of wide fractions in their place.

    A script of such a row is on its last bracket.
    """
    flat: list[Element] = []
    for element, follower in zip(row, (*row[1:], None), strict=True):
        inner = core(element)
        if _is_fraction(element) and width(element) > _FRACTION:
            flat += _flat(_written(element, multiplied=follower is not None and kind(follower) == "mspace"))
        elif _in_brackets(inner) and width(inner) > _NARROW:
            *most, last = _flat(list(inner))
            flat += [*most, carried(element, inner, last)]
        else:
            flat.append(element)
    return flat


def _is_fraction(element: Element) -> bool:
    """Whether it has a bar: a binomial coefficient has none."""
    return kind(element) == "mfrac" and "linethickness" not in element.attrib


def _in_brackets(element: Element) -> bool:
    """Whether it is a row whose first and last are the two ends of one bracket."""
    ends = ((first, last) for first, _, last in _brackets(list(element)))
    return kind(element) == "mrow" and any(end == (element[0], element[-1]) for end in ends)


def _written(fraction: Element, *, multiplied: bool) -> list[Element]:
    """A fraction on one line, in brackets if it is ``multiplied`` with what follows."""
    over, under = fraction
    row = [_bracketed(over), operator("/"), _bracketed(under) if kind(under) == "mrow" else under]
    return [_bracketed(made("mrow", *row))] if multiplied else row


def _bracketed(element: Element) -> Element:
    if _in_brackets(element):
        return element
    return made("mrow", operator("("), *(element if kind(element) == "mrow" else [element]), operator(")"))


def _brackets(row: Sequence[Element]) -> Iterator[tuple[Element, Sequence[Element], Element]]:
    """Each pair of brackets, with what is between."""
    opened: list[int] = []
    for place, element in enumerate(row):
        if sign(element) in OPENING:
            opened.append(place)
        elif sign(element) in CLOSING and opened:
            start = opened.pop()
            yield row[start], row[start + 1 : place], element


def _size(between: Sequence[Element], last: Element) -> str:
    """How tall brackets are of which only one is on a line; of those that do not stretch nothing."""
    if core(last).get("stretchy") == "false" and not any(map(is_tall, between)):
        return ""
    return f"{min(max(map(height, between), default=1.0), _TALLEST):.2g}em"


def _broken(row: Sequence[Element], sizes: Mapping[int, str]) -> Lines:
    parts = _best(row) if _wide(row) > MOST else [row]
    if len(parts) > 1:
        return Lines(parts=tuple(_broken(part, sizes) for part in parts))
    paired = {id(core(end)) for first, _, last in _brackets(row) for end in (first, last)}
    alone = sizes.keys() - paired
    return Lines(
        _grouped([_sized(one, sizes[id(core(one))]) if id(core(one)) in alone else one for one in row])
    )


def _sized(end: Element, size: str) -> Element:
    """A bracket whose other end is on another line."""
    inner = core(end)
    inner.attrib = {"minsize": size, "maxsize": size} if size else {"stretchy": "false"}
    return carried(end, inner, made("mrow", inner)) if size and end is not inner else end


def _best(row: Sequence[Element]) -> Sequence[Sequence[Element]]:
    """The parts of a row at its best breaks.

    A factor in brackets that are too wide for a line is broken inside of them, and begins a line of its own
    only where nothing else could.
    """
    depths = _depths(row)
    for bracketed in (False, True):
        for depth in sorted(set(depths)):
            for begins in (_sum, _argument, _total, _factor):
                parts = _cut(row, [k for k in range(1, len(row)) if depths[k] == depth and begins(row, k)])
                if begins is not _sum:
                    parts = _joined(parts, bracketed)
                if len(parts) > 1:
                    return parts
    return [row]


def _depths(row: Sequence[Element]) -> list[int]:
    """In how many brackets each element is, these being outside of themselves."""
    depth, depths = 0, []
    for element in row:
        depth -= sign(element) in CLOSING
        depths.append(depth)
        depth += sign(element) in OPENING
    return depths


def _cut(row: Sequence[Element], starts: Sequence[int]) -> list[list[Element]]:
    for start in starts:
        _space(row[start])
    return [list(row[a:b]) for a, b in zip((0, *starts), (*starts, len(row)), strict=True)]


def _space(lead: Element) -> None:
    """A sign that begins a line has the space around it that it has within one."""
    if sign(lead) in SUMS | RELATIONS:
        core(lead).set("form", "infix")


def _joined(cut: Sequence[list[Element]], bracketed: bool) -> list[list[Element]]:
    """Factors or arguments, narrow ones beside another; ``bracketed``: wide brackets may begin one."""
    parts = [cut[0]]
    for part in cut[1:]:
        last, next_ = _wide(parts[-1]), _wide(part)
        narrow = last < _LEAST or (next_ < _LEAST and (last + next_ <= MOST or part is cut[-1]))
        if narrow or (next_ > MOST and sign(part[0]) in OPENING and not bracketed):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


def _sum(row: Sequence[Element], place: int) -> bool:
    return sign(row[place]) in SUMS and ends_term(row[place - 1])


def _argument(row: Sequence[Element], place: int) -> bool:
    return sign(row[place]) in ("‖", "/") or sign(row[place - 1]) == ","


def _total(row: Sequence[Element], place: int) -> bool:
    return sign(row[place]) in BIG and _factor(row, place)


def _factor(row: Sequence[Element], place: int) -> bool:
    """Whether a space that multiplies is before it, rather than one behind the name of a function."""
    if place < 2 or kind(row[place - 1]) != "mspace":
        return False
    before = row[place - 2]
    return ends_term(before) and not is_function(before)
