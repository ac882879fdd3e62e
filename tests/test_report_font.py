"""The font of the formulas: it has every character that they use, what stretches, and its licence."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from verify.report.html import page
from verify.report.model import load

FONT = files("verify.report").joinpath("font")
REPORT = Path(__file__).parent.parent / "reports" / "report.json"
_ITALIC = {"h": "\N{PLANCK CONSTANT}"}


@cache
def _font() -> TTFont:
    return TTFont(BytesIO(FONT.joinpath("mathematics.woff2").read_bytes()))


def _drawn(formulas: str) -> set[str]:
    """The characters that a browser draws: a variable of one letter is italic (MathML Core, C.13)."""
    drawn: set[str] = set()
    for found in re.findall(r"<math>.*?</math>", formulas, re.DOTALL):
        for element in ElementTree.fromstring(found).iter():
            text = element.text or ""
            single = element.tag == "mi" and len(text) == 1 and element.get("mathvariant") != "normal"
            drawn |= {_italic(text)} if single else set(text)
    return drawn


def _italic(letter: str) -> str:
    for first, last, start in (
        ("A", "Z", 0x1D434),
        ("a", "z", 0x1D44E),
        ("Α", "Ρ", 0x1D6E2),
        ("α", "ω", 0x1D6FC),
    ):
        if first <= letter <= last:
            return _ITALIC.get(letter, chr(start + ord(letter) - ord(first)))
    return letter


def _missing(formulas: str) -> set[str]:
    return {letter for letter in _drawn(formulas) if ord(letter) not in _font().getBestCmap()}


def test_the_font_has_every_character_of_the_formulas_of_the_report() -> None:
    """No glyph comes from another font; a symbol new to the catalogue goes into tools/mathematics_font.py."""
    assert _missing(page(load(REPORT))) == set()


def test_a_symbol_that_the_font_lacks_is_noticed() -> None:
    """The test above can fail: by an operator, and by a letter that is drawn italic."""
    assert _missing("<math><mo>⨷</mo><mi>ж</mi><mi>h</mi><mi>ω</mi></math>") == {"⨷", "ж"}


@pytest.mark.parametrize("letters", ["abcxyzhABCXYZ", "αβγδεζηθικλμνξοπρστυφχψωϵϑϕ", "ΓΔΘΛΞΠΣΦΨΩ"])
def test_the_font_has_the_letters_of_claims_to_come(letters: str) -> None:
    """A claim of one's own may name its variables freely."""
    assert (
        _missing("".join(f"<math><mi>{letter}</mi><mn>{letter}</mn></math>" for letter in letters)) == set()
    )


def test_brackets_roots_and_sums_can_stretch() -> None:
    """The larger variants in the table MATH are what makes a bracket as tall as a fraction."""
    names = _font().getBestCmap()
    variants = _font()["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert [letter for letter in "()[]{}|‖⌈⌉⌊⌋⟨⟩√∑∏∫" if names[ord(letter)] not in variants] == []


def test_the_font_has_its_licence_and_a_name_of_its_own() -> None:
    """As the Open Font License asks of a modified version."""
    licence = FONT.joinpath("OFL.txt").read_text(encoding="utf-8")
    names = {entry.nameID: entry.toUnicode() for entry in _font()["name"].names}
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert names[0].partition(" The ")[2] in licence
    assert (names[1], "SIL Open Font License" in names[13]) == ("Report Mathematics", True)
