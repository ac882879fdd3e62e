"""Makes verify/report/font/mathematics.woff2, the font of the page's formulas: a subset of STIX Two Math.

    tox run -e font

Kept are the characters that formulas may use, upright and italic, and the table MATH with the larger
variants of what stretches. The copyright and the licence stay in the font; its name is another.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

NAME = "Report Mathematics"
TARGET = Path(__file__).parent.parent / "verify" / "report" / "font" / "mathematics.woff2"
LATIN = range(0x20, 0x7F)
GREEK = (*range(0x391, 0x3A2), *range(0x3A3, 0x3CA), *map(ord, "ϑϕϖϱϰϵϴ"))
ITALIC = (*range(0x1D434, 0x1D468), 0x210E, *range(0x1D6E2, 0x1D71C))
"""Latin and Greek letters as a browser sets a variable of one letter (MathML Core, appendix C.13)."""

SYMBOLS = (
    "±×÷·−∓∗∘∙√∞∂∇∑∏∐∫∬≤≥≪≫≠≈≡∼≃≅∝∈∉∋⊂⊃⊆⊇∪∩∅∀∃¬∧∨→←↔⇒⇐⇔⟹⟸⟺↦⌈⌉⌊⌋⟨⟩‖∣∥′″ℓℝℕℤℚℂ⋅…⋯⊤⊥⊙⊗⊕†"
    "‾―¯ˆ˜˙\u0302\u0303\u0304\u2009\u2061\u2062\u2063"
)
DROPPED = ["GPOS", "GDEF", "GSUB", "DSIG"]
NAMES = {1: NAME, 3: f"{NAME}; subset of STIX Two Math 2.11 b159", 4: NAME, 6: NAME.replace(" ", "")}


def make(source: Path, target: Path) -> None:
    """Write the subset of the font ``source`` to ``target``."""
    options = subset.Options(
        flavor="woff2",
        hinting=False,
        layout_features=[],
        glyph_names=False,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
    )
    options.drop_tables += DROPPED
    font = TTFont(source, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[*LATIN, *GREEK, *ITALIC, *map(ord, SYMBOLS)])
    subsetter.subset(font)
    for number, text in NAMES.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(target)


if __name__ == "__main__":
    make(Path(str(distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf"))), TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
