"""LaTeX to MathML that a page can trust: only known elements, nothing left unconverted."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from html import escape
from itertools import pairwise

from latex2mathml import exceptions
from latex2mathml.converter import convert

from verify.errors import ReportFormatError
from verify.report.lines import Lines, lines
from verify.report.nodes import (
    CLOSING,
    OPENING,
    ROWS,
    SPACE,
    SUMS,
    core,
    ends_term,
    is_function,
    kind,
    made,
    sign,
)

_ELEMENTS = frozenset(
    "math mrow mi mo mn mtext mspace msub msup msubsup munder mover munderover mfrac msqrt mroot "
    "mtable mtr mtd mstyle mpadded".split()
)
_ATTRIBUTES = frozenset(
    "stretchy fence form width mathvariant linethickness separator symmetric minsize maxsize "
    "displaystyle scriptlevel movablelimits lspace rspace height depth voffset accent".split()
)
_FAILURES: tuple[type[Exception], ...] = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    ElementTree.ParseError,
    IndexError,
    KeyError,
    ValueError,
    RecursionError,
)
_BRACKETS = {"prefix": OPENING, "postfix": CLOSING}
"""Brackets that stretch, and are fences, where they begin and end a row."""


@lru_cache(maxsize=4096)
def mathml(latex: str) -> str:
    """The formula as one ``<math>`` element, or as several in nested ``<span>`` where it is long.

    A browser does not break a line inside ``<math>``; between two of them it does, so that a long
    formula wraps where a printed one would (``verify.report.lines``): the outermost spans first, where
    each is a block in the line. Displayed style is left to the style sheet (``math-style``).
    Raises ReportFormatError when ``latex`` has a command that was not converted, unbalanced braces
    or anything that is not plain mathematics.
    """
    _check_braces(latex)
    try:
        tree = ElementTree.fromstring(convert(latex, display="block"))
    except _FAILURES as error:
        raise _refusal(latex, f"does not convert to MathML ({type(error).__name__})") from None
    _clean(tree, latex)
    _shorten(tree)
    row = tree[0] if len(tree) == 1 and kind(tree[0]) == "mrow" else tree
    _set_functions(row)
    _set_signs(row)
    return "".join(map(_shown, lines(list(row))))


def _shown(piece: Lines) -> str:
    if piece.parts:
        return f"<span>{''.join(map(_shown, _led(piece)))}</span>"
    return f"<math>{''.join(map(_markup, piece.row))}</math>"


def _led(piece: Lines) -> tuple[Lines, ...]:
    """The parts of a piece, with those of the first in its place: it begins the first line in any case."""
    first, *others = piece.parts or (piece,)
    return (*_led(first), *others) if first.parts else (first, *others)


def _refusal(latex: str, why: str) -> ReportFormatError:
    return ReportFormatError(f"formula {latex!r} {why}; write it in plain LaTeX mathematics")


def _check_braces(latex: str) -> None:
    depth = 0
    text = latex.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            break
    if depth:
        raise _refusal(latex, "has unbalanced braces")


def _clean(tree: ElementTree.Element, latex: str) -> None:
    for element in tree.iter():
        if not element.tag.startswith(SPACE) or kind(element) not in _ELEMENTS:
            raise _refusal(latex, f"makes an element <{kind(element)}> that is not mathematics")
        if "\\" in (element.text or ""):
            raise _refusal(latex, f"has a command {element.text!r} that MathML does not know")
        for attribute in [key for key in element.attrib if key not in _ATTRIBUTES]:
            if attribute in ("href", "style", "class", "id"):
                raise _refusal(latex, f"sets {attribute}, which is not mathematics")
            del element.attrib[attribute]


def _shorten(parent: ElementTree.Element) -> None:
    """Drop rows of one element, and attributes that say what MathML takes for granted, or the style sheet.

    That sheet makes a space thin that says nothing of its width.
    """
    if parent.get("width") == "0.167em":
        del parent.attrib["width"]
    children = list(parent)
    for place, child in enumerate(children):
        while kind(child) == "mrow" and len(child) == 1 and kind(child[0]) != "mo":
            child = child[0]
        parent[place] = child
        ends = {0: "prefix", len(children) - 1: "postfix"} if kind(parent) == "mrow" else {}
        if child.text in _BRACKETS.get(ends.get(place, ""), ()) and child.get("form") == ends[place]:
            for name in ("form", "fence", "stretchy"):
                if child.get(name) != "false":
                    child.attrib.pop(name, None)
        _shorten(child)


def _set_functions(row: ElementTree.Element) -> None:
    """Function names are identifiers, followed by a thin space unless a parenthesis opens."""
    for element in row.iter():
        text = element.text or ""
        if kind(element) == "mo" and text.isalpha() and len(text) > 1:
            element.tag = f"{SPACE}mi"
        if kind(element) == "mi" and text in OPENING | CLOSING:
            element.tag = f"{SPACE}mo"
    for parent in list(row.iter()):
        children = list(parent)
        for place, child in enumerate(children):
            follower = children[place + 1] if place + 1 < len(children) else None
            if kind(parent) in ROWS and follower is not None:
                named = is_function(child)
                if named and not _opens(follower) and kind(follower) != "mspace":
                    parent.insert(list(parent).index(child) + 1, made("mspace"))


def _set_signs(row: ElementTree.Element) -> None:
    """A + or - behind nothing that it could be added to is set as the sign of what follows."""
    for parent in row.iter():
        if parent is row or kind(parent) in ROWS:
            for before, one in pairwise(parent):
                if sign(one) in SUMS and not ends_term(before):
                    core(one).set("form", "prefix")


def _opens(element: ElementTree.Element) -> bool:
    if kind(element) == "mo":
        return (element.text or "") in OPENING or not (element.text or "").strip("\u2061")
    return kind(element) == "mrow" and len(element) > 0 and _opens(element[0])


def _markup(element: ElementTree.Element) -> str:
    name = kind(element)
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in sorted(element.attrib.items()))
    inside = escape(element.text or "", quote=False) + "".join(map(_markup, element))
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"
