"""Confirmation: a refutation checked by mpmath, and by a script in plain torch that was run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from verify.claim import Part
from verify.errors import VerifyError
from verify.floats import Enclosure
from verify.judgement import Implementation, Values, text_of
from verify.oracle import Undecided, confirm
from verify.record import EvidenceRecord
from verify.reproducer import got_of, run_script, write_script
from verify.verdict import Counterexample, Status


@dataclass(frozen=True, slots=True)
class Error:
    """An input on which one implementation, or two compared, is wrong: what each gave, and by how much."""

    sides: tuple[Implementation, ...]
    values: Values
    got: tuple[Fraction | float | None, ...]
    ulp: float
    allowed_ulp: float
    ratio: float

    @property
    def size(self) -> tuple[float, float]:
        """What makes one error worse than another: its ulps, then its share of the bound."""
        return self.ulp, self.ratio


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A counterexample with the script that shows it and what that script printed.

    ``reason`` says what is wrong where the script printed something else.
    """

    example: Counterexample
    script: str
    printed: str
    reason: str = ""


def confirmed(
    error: Error, truth: Enclosure | Undecided, part: Part, title: str, dtype: str, device: str
) -> Confirmed:
    """The counterexample of an error, checked by mpmath and by a fresh interpreter.

    Raises ``VerifyError`` where the exact value is not confirmed or no script can be written.
    """
    if isinstance(truth, Undecided):
        raise VerifyError(truth.reason)
    named = tuple((d.name, value) for d, value in zip(part.given, error.values, strict=True))
    exact = confirm(error.sides[0].formula, error.values, truth)
    sides = [(side.formula, side.choice) for side in error.sides]
    script = write_script(title, sides, named, dtype, device, exact)
    printed = run_script(script)
    texts = tuple((name, text_of(value)) for name, value in named)
    shown = " against ".join(text_of(value) for value in error.got)
    example = Counterexample(texts, exact, shown, error.ulp, error.allowed_ulp)
    same = check_reproduction(printed, error.got)
    return Confirmed(example, script, printed, "" if same else "the script did not reproduce the result")


def refutation(
    record: EvidenceRecord,
    part: Part,
    example: Error,
    worst: Error,
    confirm: Callable[[EvidenceRecord, Error], Confirmed],
) -> EvidenceRecord:
    """The record of a refuted check with a simple case and, if it differs, the worst one.

    It is unknown where the simple case is not confirmed. A worst case that is not confirmed is left
    out, and the reason says so.
    """
    largest_ratio = max(record.worst_ratio or 0.0, worst.ratio, example.ratio)
    try:
        simple = confirm(record, example)
    except VerifyError as error:
        return replace(record, status=Status.UNKNOWN, reason=f"{error}")
    record = replace(
        record,
        counterexample=simple.example,
        reproducer=simple.script,
        reproduced=simple.printed,
        worst_ulp=example.ulp,
        worst_ratio=example.ratio,
    )
    if simple.reason:
        return replace(record, status=Status.UNKNOWN, reason=simple.reason)
    if worst.size <= example.size:
        return replace(record, worst_ratio=largest_ratio)
    try:
        severe = confirm(record, worst)
        reason = severe.reason
    except VerifyError as error:
        reason = f"{error}"
    if reason:
        told = f"an input with a larger error, {inputs_of(part, worst.values)}, is left out: {reason}"
        return replace(record, reason="; ".join(filter(None, (record.reason, told))))
    return replace(record, worst_case=severe.example, worst_ulp=worst.ulp, worst_ratio=largest_ratio)


def inputs_of(part: Part, values: Values) -> str:
    """An input of a statement in words: each variable with its value."""
    return ", ".join(f"{d.name} = {text_of(value)}" for d, value in zip(part.given, values, strict=True))


def check_reproduction(printed: str, got: Sequence[Fraction | float | None]) -> bool:
    """Whether a script printed exactly the results that were found; nan counts as nan."""
    results = got_of(printed)
    if len(results) != len(got):
        return False
    pairs = zip(results, got, strict=True)
    return all(a == b or (math.isnan(a) and b is not None and math.isnan(b)) for a, b in pairs)
