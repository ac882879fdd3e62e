"""Findings: a refuting call made a verdict, confirmed by mpmath, with a witness and a script that was run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from verify.calls import Call
from verify.cases import Case, write_witness
from verify.contract import numbers_of
from verify.display import absolute, shown_call
from verify.elements import alone, element, elements_of, formula_of, variable_of
from verify.errors import VerifyError
from verify.found import Found
from verify.judgement import Outcome, text_of
from verify.oracle import confirm
from verify.points import length_of
from verify.reproducer import ReproducerError, got_of, run_script
from verify.snippet import failing_script, write_call
from verify.sources import unwritten
from verify.verdict import Counterexample, Status, Verdict
from verify.wide import Wide

SHOWN_WHOLE = 64
"""Numbers up to which the simplest of several findings is the one that is shortest to write down."""


def refutation(verdict: Verdict, candidate: Callable[..., Any], case: Case, found: Found) -> Verdict:
    """The verdict with what a case has shown; unknown where mpmath does not confirm the exact value."""
    call, of = case.call, variable_of(case.aspect, case.call.contract)
    verdict = replace(verdict, witness=_witness(case))
    shown = shown_call(call, case.dtype)
    if found.position is None:
        reason = found.outcome.reason
        example = Counterexample(shown, "", reason, math.inf, 0.0)
        script, missing = failing_script(candidate, call, case.dtype, case.device, of=of, reason=reason)
        reason = f"{reason}; no script: {missing}" if missing else reason
        return replace(verdict, counterexample=example, reproducer=script, reason=reason)
    try:
        exact = _confirmed(case, found)
    except VerifyError as error:
        return replace(verdict, status=Status.UNKNOWN, reason=f"mpmath does not confirm it: {error}")
    outcome = found.outcome
    place = f"element {found.position} of the {case.aspect if of else 'result'}"
    example = Counterexample(shown, exact, text_of(outcome.got), outcome.ulp, outcome.allowed_ulp)
    reason = f"{place} {_fault(outcome, case.level, example)}"
    reason = f"{reason}; {found.told}" if found.told else reason
    script, missing = _script(candidate, case, of, found.position, exact, outcome.got)
    if missing:
        reason = f"{reason}; no script: {missing}"
    return replace(verdict, counterexample=example, reproducer=script, reason=reason)


def _fault(outcome: Outcome, level: str, example: Counterexample) -> str:
    """What is wrong with a result, in words."""
    got = float(text_of(outcome.got))
    if not math.isfinite(got):
        held = "infinite" if example.exact.endswith("inf") else "a number that the format holds"
        return f"is {got}, where the exact value is {held}"
    if outcome.allowed_ulp == 0:
        return "is wrong where the standard algorithm rounds nothing"
    limit, by = "the standard algorithm may be", " off by"
    if level != "stable":
        limit, by = f'level "{level}" allows', ""
    if error := absolute(example):
        return f"is off by {error:.3g}, where {limit}{by} {error / outcome.ratio:.3g}"
    return f"is {outcome.ratio:.3g} times further off than {limit}"


def _confirmed(case: Case, found: Found) -> str:
    """The exact value of the element by mpmath; `VerifyError` where it does not confirm the enclosure."""
    if found.truth is None or found.position is None:
        raise VerifyError("the exact value was not enclosed")
    row, at = alone(case.call, case.aspect, found.position)
    formula, values = formula_of(row, case.aspect)
    count = elements_of(row, case.aspect)
    return confirm(lambda c, *x: element(formula(c, *x), at, count), values, found.truth, lazy=True)


def _witness(case: Case) -> str | None:
    """The case as a line of text; none where an option of it cannot be told."""
    try:
        return write_witness(case)
    except VerifyError:
        return None


def _script(
    candidate: Callable[..., Any], case: Case, of: str, position: int, exact: str, got: Any
) -> tuple[str | None, str]:
    """The script that shows a finding, if it printed the same number; else why there is none."""
    try:
        script = write_call(
            candidate, case.call, case.dtype, case.device, of=of, position=position, exact=exact
        )
        told = run_script(script)
        printed = got_of(told)
    except (ReproducerError, ValueError) as error:
        return None, str(error)
    same = len(printed) == 1 and (printed[0] == got or (printed[0] != printed[0] and got != got))
    if same:
        return script, ""
    ended = "" if printed else f"it ends with {(told.splitlines() or ['nothing'])[-1]:.160}"
    return None, unwritten(told, candidate) or f"run by itself, {ended or 'it does not show the same number'}"


def size(call: Call) -> int:
    """How many numbers the variables of a call have, labels left out."""
    numbers = (v for v in call.contract.variables(call.options) if v.domain.kind != "index")
    return sum(math.prod(length_of(size, call.lengths) for size in v.shape) for v in numbers)


def complexity(call: Call, dtype: str) -> tuple[int, bool, int]:
    """What makes one call simpler than another: its numbers, then the length of its text or its zeros.

    An upstream gradient of zeros, by which all is exactly 0, says less than any other.
    """
    numbers = size(call)
    if numbers > SHOWN_WHOLE:
        return numbers, False, _distinct(call)
    still = not isinstance(call.upstream, Wide) and not any(numbers_of(call.upstream))
    return numbers, still, len(str(shown_call(call, dtype)))


def _distinct(call: Call) -> int:
    """How many numbers of wide variables differ from 0."""
    return sum(int(v.tensor.count_nonzero()) for v in call.values if isinstance(v, Wide))
