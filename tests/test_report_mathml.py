"""Formulas on the page: converted whole, harmless, and breakable at relations."""

from __future__ import annotations

import pytest

from verify.errors import ReportFormatError
from verify.report.mathml import mathml


def test_a_formula_breaks_before_its_relation() -> None:
    """A browser may begin a new line between the two sides."""
    assert mathml(r"a + b = c").count("<math") == 3


def test_a_leading_sign_is_not_a_break() -> None:
    """A minus that signs the first term stays with it."""
    assert mathml(r"-a").count("<math") == 1


def test_a_sign_after_a_sum_stays_with_the_sum() -> None:
    """The body of a sum may begin with a minus; the sum sign is not left alone on a line."""
    assert mathml(r"\sum_{i=1}^{n} -x_{i}").count("<math") == 1


def test_a_relation_inside_brackets_is_not_a_break() -> None:
    """The bracket [i = y] is one symbol to a reader."""
    assert mathml(r"[i = y]").count("<math") == 1


def test_limits_stand_above_and_below_a_sum() -> None:
    """Sums are set as displayed mathematics."""
    assert "<munderover>" in mathml(r"\sum_{i=1}^{n} x_{i}")


def test_a_function_name_is_one_upright_identifier() -> None:
    """The name of an operation is set as a word with the spacing of one."""
    assert "<mi>softmax</mi><mo" in mathml(r"\operatorname{softmax}(x)")


def test_a_row_of_one_element_is_that_element() -> None:
    """What groups nothing makes the page longer and nothing else."""
    assert mathml("{{x}}_{{{i}}}") == "<math><msub><mi>x</mi><mi>i</mi></msub></math>"


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
