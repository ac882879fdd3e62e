"""Standalone tests: findings as a test file that needs torch and pytest alone."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from fractions import Fraction

from verify.floats import format_named
from verify.verdict import Verdict

_END = re.compile(r'print\("got  ", (?P<got>.*)\)\nprint\("exact", "(?P<exact>[^"]*)"\)\n*\Z')
_FORM = re.compile(r'print\("got  ", (?P<got>.*)\)\nprint\("due  ", (?P<due>.*)\)\n*\Z')

_HEAD = '''"""Findings of lossproof, each as a test in plain torch that fails until the function is repaired.

A test holds the source of its function; import the function in its place to test what you have.
"""

import math
from fractions import Fraction

import pytest
import torch


def near(got, exact, allowed):
    """Whether a number is within an absolute error of an exact one, both given in decimal."""
    if "inf" in exact or "nan" in exact:
        return repr(got) == exact
    return math.isfinite(got) and abs(Fraction(got) - Fraction(exact)) <= Fraction(allowed)
'''


def standalone_test(verdict: Verdict, dtype: str, device: str) -> str | None:
    """The function of a test, without its name, that a finding fails; None for one without a script.

    It has the place ``{name}`` for the name.
    """
    example, script = verdict.counterexample, verdict.reproducer or ""
    if example is None:
        return None
    if found := _END.search(script):
        allowed = Fraction(example.allowed_ulp) * _ulp(example.exact, dtype)
        judged = f'near({found["got"]}, "{found["exact"]}", "{float(allowed)!r}")'
    elif found := _FORM.search(script):
        judged = f"({found['got']}) == ({found['due']})"
    else:
        return None
    _, _, body = script[: found.start()].partition("import torch\n")
    told = f"{verdict.subject}: {verdict.reason}".replace("\\", "/").replace('"', "'")
    needs = '@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")\n'
    lines = [
        f"{needs if device == 'cuda' else ''}def {{name}}():",
        f'    """{told}."""',
        textwrap.indent(body.strip("\n"), "    "),
        f"    assert {judged}",
    ]
    return "\n".join([*lines, ""])


def _ulp(exact: str, dtype: str) -> Fraction:
    """The unit in the last place at an exact value given in decimal."""
    return format_named(dtype).ulp(Fraction(exact) if exact.strip("-")[0].isdigit() else float(exact))


def file_of(tests: Sequence[tuple[str, str]]) -> str:
    """The source of a test file: for each test an id and its function as `standalone_test` gives it."""
    names: dict[str, str] = {}
    for key, source in tests:
        stem = "test_" + re.sub(r"\W+", "_", key).strip("_").removeprefix("test_")
        name, count = stem, 1
        while name in names:
            count += 1
            name = f"{stem}_{count}"
        names[name] = source.replace("{name}", name, 1)
    return "\n\n".join([_HEAD, *names.values()])
