"""Formulas on the page: converted whole, harmless, and breakable at relations."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from latex2mathml.converter import convert

from verify.errors import ReportFormatError
from verify.report.mathml import mathml

LONG = r"\operatorname{" + "m" * 30 + "}"
"""Wider than a line of a narrow window, with no place to break."""

TERM = r"\operatorname{likelihood}(x)_{i}"
"""Half as wide as such a line."""


def test_a_formula_that_fits_is_whole() -> None:
    """What any window has room for is one element."""
    assert mathml(r"a + b = c").count("<math") == 1


def test_a_long_formula_breaks_before_its_relation() -> None:
    """A browser may begin a new line between the two sides."""
    assert _texts(rf"{LONG} = c") == ["m" * 30, "=c"]


def test_a_leading_sign_is_not_a_break() -> None:
    """A minus that signs the first term stays with it."""
    assert len(_texts(f"-{LONG}")) == 1


def test_a_sign_after_a_sum_stays_with_the_sum() -> None:
    """The body of a sum may begin with a minus; the sum sign is not left alone on a line."""
    assert len(_texts(rf"\sum_{{i=1}}^{{n}} -{LONG}")) == 1


def test_a_relation_inside_brackets_is_not_a_break() -> None:
    """The bracket [i = y] is one symbol to a reader."""
    assert len(_texts(f"[i = {LONG}]")) == 1


def test_a_side_that_is_long_breaks_before_its_terms() -> None:
    """Those of the outermost sum, within an element of their own."""
    side = "<span><math>.*</math><math>.*</math><math>.*</math></span>"
    broken = mathml(rf"y = {TERM} + {TERM} - {TERM}")
    assert re.fullmatch(rf"<math><mi>y</mi></math>{side}", broken)
    assert len(re.findall('<math><mo form="infix">[+−]', broken)) == 2


def test_what_is_in_brackets_breaks_last() -> None:
    """A sum in brackets is parted only where the whole of it is too wide."""
    inner = rf"a \, \left({TERM} + b\right)"
    assert _texts(f"{inner} + {inner}") == ["a(likelihood(x)i+b)", "+a(likelihood(x)i+b)"]
    assert _texts(rf"a \, \left({TERM} + {TERM}\right)") == ["a(likelihood(x)i", "+likelihood(x)i)"]


def test_a_product_breaks_between_its_factors() -> None:
    """And not behind the name of a function, nor beside what is narrow."""
    assert _texts(rf"a \, {TERM} \, \log {TERM} \, b") == ["alikelihood(x)i", "loglikelihood(x)ib"]


def test_arguments_begin_lines() -> None:
    """Those of a function of several, where one line does not hold them."""
    assert _texts(rf"f({TERM}, {TERM})") == ["f(likelihood(x)i,", "likelihood(x)i)"]


def test_brackets_on_two_lines_are_of_one_height() -> None:
    """That of what stands between them, though none of the lines has all of it; also with a script."""
    for script in ("", "^{2}"):
        broken = mathml(rf"\left({TERM} + \frac{{a}}{{b}} + {TERM}\right){script}")
        first, last = re.findall('<mo maxsize="(.*?)" minsize="(.*?)">[()]</mo>', broken)
        assert first == last
        assert float(first[0].removesuffix("em")) > 2


def test_a_fraction_that_is_too_wide_is_written_with_a_solidus() -> None:
    """In brackets of its own where something is multiplied with it, which would else be below it."""
    wide = rf"\frac{{{TERM} + {TERM}}}{{a + b}}"
    assert _texts(wide) == ["(likelihood(x)i", "+likelihood(x)i)/(a+b)"]
    assert "".join(_texts(rf"{wide} \, c")) == "((likelihood(x)i+likelihood(x)i)/(a+b))c"


def test_rows_of_nothing_are_taken_as_they_are() -> None:
    """They have neither a sign nor brackets, and brackets around nothing are of some height."""
    assert mathml("{}") == "<math></math>"
    assert _texts(rf"{{}}_{{i}} + {LONG} + \left(\right)") == ["i", "+" + "m" * 30, "+()"]


def test_a_bracket_that_nothing_closes_keeps_its_height() -> None:
    """Such as the brace of cases, however wide these are."""
    cases = rf"\left\{{\begin{{matrix}} {LONG} \\ 0 \end{{matrix}}\right."
    assert '<mo stretchy="false">{' not in mathml(cases)


def test_a_wide_coefficient_has_no_bar() -> None:
    """It is not a fraction, and is not written as one."""
    assert _texts(rf"\binom{{{LONG}}}{{k}}") == ["(" + "m" * 30 + "k)"]


@pytest.mark.parametrize("space", [r"\!", r"\quad", r"\hspace{1cm}", r"\hspace{.5em}"])
def test_spaces_of_any_kind_are_taken(space: str) -> None:
    """Whatever unit their width is in."""
    assert _texts(rf"a {space} b") == ["ab"]


def test_brackets_that_do_not_belong_together_are_two() -> None:
    """Below a solidus a product of two sums needs brackets of its own."""
    below = r"{\left(a + b\right) \, \left(c + d\right)}"
    assert "".join(_texts(rf"\frac{{{LONG}}}{below}")).endswith("/((a+b)(c+d))")


def test_where_a_formula_breaks_nothing_is_lost() -> None:
    """All formulas of the committed report say what the converter says, but for brackets around a solidus."""
    report = Path(__file__).parent.parent / "reports" / "report.json"
    added = str.maketrans("", "", "()/\u2061")
    for latex in _formulas(json.loads(report.read_text(encoding="utf-8"))):
        whole = "".join(ElementTree.fromstring(convert(latex)).itertext())
        assert "".join(_texts(latex)).translate(added) == whole.translate(added)


def _texts(latex: str) -> list[str]:
    """What each piece of a formula says."""
    pieces = re.findall("<math>.*?</math>", mathml(latex))
    return ["".join(ElementTree.fromstring(piece).itertext()) for piece in pieces]


def _formulas(entry: Any) -> set[str]:
    """The LaTeX in a part of a report."""
    if isinstance(entry, list):
        return set[str]().union(*map(_formulas, entry))
    if not isinstance(entry, dict):
        return set()
    named = {entry[name] for name in ("statement", "formula", "gap") if entry.get(name)}
    return named.union(entry.get("definitions", ()), *map(_formulas, entry.values()))


def test_limits_stand_above_and_below_a_sum() -> None:
    """Sums are set as displayed mathematics."""
    assert "<munderover>" in mathml(r"\sum_{i=1}^{n} x_{i}")


def test_a_function_name_is_one_upright_identifier() -> None:
    """The name of an operation is set as a word with the spacing of one."""
    assert "<mi>softmax</mi><mo" in mathml(r"\operatorname{softmax}(x)")


def test_a_row_of_one_element_is_that_element() -> None:
    """What groups nothing makes the page longer and nothing else."""
    assert mathml("{{x}}_{{{i}}}") == "<math><msub><mi>x</mi><mi>i</mi></msub></math>"


def test_a_thin_space_says_nothing_of_its_width() -> None:
    """The style sheet does, for all of them; a wider one does."""
    assert "<mspace/>" in mathml(r"a \, b")
    assert '<mspace width="1em"/>' in mathml(r"a \quad b")


def test_brackets_at_the_ends_of_a_row_say_nothing_of_themselves() -> None:
    """They stretch by default, and only those that must not say so."""
    row = "<mrow><mo>(</mo><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>)</mo></mrow>"
    assert row in mathml(r"x + \left(\frac{a}{b}\right)")
    assert '<mo stretchy="false">(</mo>' in mathml("f(x)")


def test_brackets_around_a_fraction_stretch() -> None:
    """In a row of their own, so that others beside them do not; with an index behind them too."""
    assert "<mrow><mo>(</mo><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>)</mo></mrow>" in mathml(r"f(\frac{a}{b})")
    assert mathml(r"f(x) + g(\frac{a}{b})").count('stretchy="false"') == 2
    assert mathml(r"f(\frac{a}{b})_{i}").count('stretchy="false"') == 0


@pytest.mark.parametrize(
    "latex",
    [
        r"\nosuchcommand{x}",
        r"x + \foo",
        r"\frac{a}{b",
        r"a}",
        "x^",
        "",
        r"\text{<script>alert(1)</script>}",
        r"\text{</math><img src=x onerror=alert(1)>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{skip}{x}",
        "a & b",
    ],
)
def test_what_is_not_plain_mathematics_is_refused(latex: str) -> None:
    """An unconverted command or markup smuggled in is an error that quotes the formula."""
    with pytest.raises(ReportFormatError, match="formula"):
        mathml(latex)


def test_markup_in_text_is_escaped() -> None:
    """Characters that mean something to HTML are written as entities."""
    assert "&lt;" in mathml("a < b")
