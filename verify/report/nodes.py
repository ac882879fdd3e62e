"""Nodes of MathML: what they say, what brackets they are, and about how much room they take."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

SPACE = "{http://www.w3.org/1998/Math/MathML}"
ROWS = frozenset("math mrow mtd mstyle".split())
OPENING = frozenset("([{⌈⌊⟨")
CLOSING = frozenset(")]}⌉⌋⟩")
SUMS = frozenset("+-−")
BIG = frozenset("∑∏")
RELATIONS = frozenset("=≤≥<>≠→⇒⇔⟹⟺∈≈∝")
_TALL = frozenset(("mfrac", "mtable"))
_SCRIPTED = frozenset("msub msup msubsup munder mover munderover".split())
_SCRIPT = 0.71
"""The size of a script, that of what carries it being 1."""

_OPERATORS = dict.fromkeys(SUMS | RELATIONS, 1.3) | dict.fromkeys(BIG, 1.2)
"""How wide operators are with the space around them, in em; others and brackets are narrower."""

_LENGTH = re.compile(r"(-?\d*\.?\d+)em")


def made(tag: str, *children: Element) -> Element:
    """An element with these children."""
    element = Element(SPACE + tag)
    element.extend(children)
    return element


def operator(text: str) -> Element:
    """An operator or bracket."""
    element = made("mo")
    element.text = text
    return element


def kind(element: Element) -> str:
    """What an element is: its tag, without the namespace."""
    return element.tag.removeprefix(SPACE)


def core(element: Element) -> Element:
    """The element itself, or what carries the scripts."""
    while kind(element) in _SCRIPTED and len(element):
        element = element[0]
    return element


def carried(element: Element, inner: Element, other: Element) -> Element:
    """The element with another in the place of the one within that carries its scripts."""
    if element is inner:
        return other
    element[0] = carried(element[0], inner, other)
    return element


def sign(element: Element) -> str:
    """What an operator or bracket says, scripts left out; of anything else nothing."""
    inner = core(element)
    return inner.text or "" if kind(inner) == "mo" else ""


def is_function(element: Element) -> bool:
    """Whether it is the name of a function: a word."""
    inner = core(element)
    text = inner.text or ""
    return kind(inner) == "mi" and len(text) > 1 and text.isalpha() and text.isascii()


def is_tall(element: Element) -> bool:
    """Whether brackets around it are to stretch: there is a fraction in it, or a sum with limits."""
    return any(kind(one) in _TALL or (one is not core(one) and sign(one) in BIG) for one in element.iter())


def ends_term(element: Element) -> bool:
    """Whether a + or - behind it joins two terms rather than signing one."""
    return kind(core(element)) != "mo" or sign(element) in CLOSING


def group_tall(parent: Element) -> None:
    """Put brackets that stretch and what they hold into a row of their own: those around what is tall, too.

    A script of the last bracket becomes one of the row; a browser does not stretch what carries a script, and
    gives a bracket that could stretch and does not the room of one that did.
    """
    open_groups: list[list[Element]] = [[]]
    for child in list(parent):
        group_tall(child)
        if sign(child) in OPENING:
            open_groups.append([child])
        elif sign(child) in CLOSING and len(open_groups) > 1:
            first, *inside = open_groups.pop()
            open_groups[-1] += _bracketed(parent, first, inside, child)
        else:
            open_groups[-1].append(child)
    if kind(parent) in ROWS:
        parent[:] = [child for group in open_groups for child in group]


def _bracketed(parent: Element, first: Element, inside: list[Element], last: Element) -> list[Element]:
    end = core(last)
    stretches = any(map(is_tall, inside)) or end.get("stretchy") != "false"
    if not stretches or not any(len(one) for one in inside):
        core(first).attrib = end.attrib = {"stretchy": "false"}
        return [first, *inside, last]
    core(first).attrib, end.attrib = {}, {}
    if (first, end) == (parent[0], parent[-1]):
        return [first, *inside, last]
    return [carried(last, end, made("mrow", first, *inside, end))]


def width(element: Element) -> float:
    """About how wide an element is, in em."""
    children = [width(child) for child in element]
    match kind(element):
        case "mspace":
            length = _LENGTH.fullmatch(element.get("width", ".17em"))
            return float(length[1]) if length else 1.0
        case "mo":
            return _OPERATORS.get(element.text or "", 0.4)
        case "mi" | "mn" | "mtext":
            return 0.55 * len(element.text or "")
        case "mfrac" | "mtable":
            return max(children, default=0) + 0.2
        case "munder" | "mover" | "munderover":
            return max(children[0], *(_SCRIPT * script for script in children[1:]))
        case "msub" | "msup" | "msubsup":
            return children[0] + max(_SCRIPT * script for script in children[1:])
        case "msqrt" | "mroot":
            return sum(children) + 0.8
        case _:
            return sum(children)


def height(element: Element) -> float:
    """About how tall an element is, in em."""
    children = [height(child) for child in element]
    match kind(element):
        case "mfrac" | "mtable":
            return sum(children) + 0.2
        case "munder" | "mover" | "munderover":
            return children[0] + sum(_SCRIPT * script for script in children[1:])
        case "msub" | "msup" | "msubsup":
            return children[0] + 0.4 * len(children[1:])
        case _:
            return max(children, default=1.5 if element.text in BIG else 1.0)
