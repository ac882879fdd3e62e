"""LaTeX to MathML that a page can trust: only known elements, nothing left unconverted."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from html import escape

from latex2mathml import exceptions
from latex2mathml.converter import convert

from verify.errors import ReportFormatError

_SPACE = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = frozenset(
    "math mrow mi mo mn mtext mspace msub msup msubsup munder mover munderover mfrac msqrt mroot "
    "mtable mtr mtd mstyle mpadded".split()
)
_ATTRIBUTES = frozenset(
    "stretchy fence form width mathvariant linethickness separator symmetric minsize maxsize "
    "displaystyle scriptlevel movablelimits lspace rspace height depth voffset accent".split()
)
_ROWS = frozenset("math mrow mtd mstyle".split())
_TALL = frozenset("mfrac munderover mtable".split())
_SCRIPTED = frozenset("msub msup msubsup munder mover munderover".split())
_FAILURES: tuple[type[Exception], ...] = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    ElementTree.ParseError,
    IndexError,
    KeyError,
    ValueError,
    RecursionError,
)
_RELATIONS = frozenset("=≤≥<>≠→⇒⇔⟹⟺∈≈∝")
_THIN = ".17em"
_SUMS = frozenset("+-−")
_OPENING = frozenset("([{⌈⌊⟨")
_CLOSING = frozenset(")]}⌉⌋⟩")
_BRACKETS = {"prefix": _OPENING, "postfix": _CLOSING}
"""Brackets that stretch, and are fences, where they begin and end a row."""


@lru_cache(maxsize=4096)
def mathml(latex: str) -> str:
    """The formula as a run of ``<math>`` elements, broken before relations and top-level sums.

    A browser does not break a line inside ``<math>``; between two of them it does, so that a long
    formula wraps where a printed one would. Displayed style is left to the style sheet (``math-style``).
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
    row = tree[0] if len(tree) == 1 and _name(tree[0]) == "mrow" else tree
    _set_functions(row)
    _group_tall(row)
    return "".join(f"<math>{''.join(map(_markup, piece))}</math>" for piece in _pieces(list(row)))


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


def _name(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(_SPACE)


def _clean(tree: ElementTree.Element, latex: str) -> None:
    for element in tree.iter():
        if not element.tag.startswith(_SPACE) or _name(element) not in _ELEMENTS:
            raise _refusal(latex, f"makes an element <{_name(element)}> that is not mathematics")
        if "\\" in (element.text or ""):
            raise _refusal(latex, f"has a command {element.text!r} that MathML does not know")
        for attribute in [key for key in element.attrib if key not in _ATTRIBUTES]:
            if attribute in ("href", "style", "class", "id"):
                raise _refusal(latex, f"sets {attribute}, which is not mathematics")
            del element.attrib[attribute]


def _shorten(parent: ElementTree.Element) -> None:
    """Drop rows of one element, and attributes that say what MathML takes for granted."""
    if parent.get("width") == "0.167em":
        parent.set("width", _THIN)
    children = list(parent)
    for place, child in enumerate(children):
        while _name(child) == "mrow" and len(child) == 1 and _name(child[0]) != "mo":
            child = child[0]
        parent[place] = child
        ends = {0: "prefix", len(children) - 1: "postfix"} if _name(parent) == "mrow" else {}
        if child.text in _BRACKETS.get(ends.get(place, ""), ()) and child.get("form") == ends[place]:
            for name in ("form", "fence", "stretchy"):
                if child.get(name) != "false":
                    child.attrib.pop(name, None)
        _shorten(child)


def _set_functions(row: ElementTree.Element) -> None:
    """Function names are identifiers, followed by a thin space unless a parenthesis opens."""
    for element in row.iter():
        text = element.text or ""
        if _name(element) == "mo" and text.isalpha() and len(text) > 1:
            element.tag = f"{_SPACE}mi"
        if _name(element) == "mi" and text in _OPENING | _CLOSING:
            element.tag = f"{_SPACE}mo"
    for parent in list(row.iter()):
        children = list(parent)
        for place, child in enumerate(children):
            follower = children[place + 1] if place + 1 < len(children) else None
            if _name(parent) in _ROWS and follower is not None:
                named = _is_function(child)
                if named and not _opens(follower) and _name(follower) != "mspace":
                    parent.insert(
                        list(parent).index(child) + 1, ElementTree.Element(f"{_SPACE}mspace", width=_THIN)
                    )


def _group_tall(parent: ElementTree.Element) -> None:
    """Put what stands between two brackets into a row of its own where it is tall, and let these stretch."""
    open_groups: list[list[ElementTree.Element]] = [[]]
    for child in list(parent):
        _group_tall(child)
        text = _core(child).text if _name(_core(child)) == "mo" else ""
        if text in _OPENING:
            open_groups.append([child])
        elif text in _CLOSING and len(open_groups) > 1:
            group = [*open_groups.pop(), child]
            open_groups[-1] += [_stretched(group)] if any(map(_is_tall, group)) else group
        else:
            open_groups[-1].append(child)
    if _name(parent) in _ROWS:
        parent[:] = [child for group in open_groups for child in group]


def _is_tall(element: ElementTree.Element) -> bool:
    return any(_name(one) in _TALL for one in element.iter())


def _stretched(group: list[ElementTree.Element]) -> ElementTree.Element:
    row = ElementTree.Element(f"{_SPACE}mrow")
    row.extend(group)
    for end in (group[0], group[-1]):
        _core(end).attrib.pop("stretchy", None)
    return row


def _is_function(element: ElementTree.Element) -> bool:
    core = _core(element)
    text = core.text or ""
    return _name(core) == "mi" and len(text) > 1 and text.isalpha() and text.isascii()


def _opens(element: ElementTree.Element) -> bool:
    if _name(element) == "mo":
        return (element.text or "") in _OPENING or not (element.text or "").strip("\u2061")
    return _name(element) == "mrow" and len(element) > 0 and _opens(element[0])


def _pieces(children: list[ElementTree.Element]) -> list[list[ElementTree.Element]]:
    pieces: list[list[ElementTree.Element]] = [[]]
    depth = 0
    for child in children:
        leaf = _core(child)
        text = (leaf.text or "") if _name(leaf) == "mo" else ""
        breaks = text in _RELATIONS or (text in _SUMS and _ends_term(pieces[-1]))
        if breaks and depth == 0 and pieces[-1]:
            pieces.append([])
        depth += (text in _OPENING) - (text in _CLOSING)
        pieces[-1].append(child)
    for piece in pieces:
        lead = _core(piece[0]) if piece else None
        if lead is not None and (piece is not pieces[0] or lead.text in _RELATIONS):
            lead.set("form", "infix")
    return pieces


def _ends_term(piece: list[ElementTree.Element]) -> bool:
    """Whether a following + or - joins two terms rather than signing one."""
    if not piece:
        return False
    last = _core(piece[-1])
    return _name(last) != "mo" or (last.text or "") in _CLOSING


def _core(element: ElementTree.Element) -> ElementTree.Element:
    """The element itself, or what carries the scripts."""
    while _name(element) in _SCRIPTED and len(element):
        element = element[0]
    return element


def _markup(element: ElementTree.Element) -> str:
    name = _name(element)
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in sorted(element.attrib.items()))
    inside = escape(element.text or "", quote=False) + "".join(map(_markup, element))
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"
