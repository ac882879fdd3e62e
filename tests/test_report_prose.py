"""Sentences on the page: set as mathematics where they are, and escaped throughout."""

from __future__ import annotations

import pytest

from verify.report.prose import prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("c_i", "<var>c</var><sub>i</sub>"),
        ("f_{i,k}", "<var>f</var><sub>i,k</sub>"),
        ("f(g)_j, f(g)_xy", "f(g)<sub>j</sub>, f(g)_xy"),
        ("f[i,y[i]]", "<var>f</var><sub>i,<var>y</var><sub>i</sub></sub>"),
        ("sum_{i=1..n} p[i]", "∑<sub>i=1..n</sub> <var>p</var><sub>i</sub>"),
        ("2^-5", "2<sup>−5</sup>"),
        ("e^(a+b)", "e<sup>a+b</sup>"),
        ("p >= 0", "p ≥ 0"),
        ("1/(32 - 31 pi)", "1/(32 - 31 π)"),
        ("[i = y]", "[i = y]"),
        ("log_prod", "log_prod"),
        ("`x_i <= 1`", "<code>x_i &lt;= 1</code>"),
        ("<b>x_i</b>", "&lt;b&gt;<var>x</var><sub>i</sub>&lt;/b&gt;"),
    ],
)
def test_notation_in_sentences_is_set(text: str, shown: str) -> None:
    """Subscripts, powers and signs are set; names, brackets and code stay as they are."""
    assert prose(text) == shown
