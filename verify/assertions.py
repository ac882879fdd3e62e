"""Assertions: a finding as an AssertionError whose first lines say it all."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Real
from typing import Any

from verify.backends import DTYPES, exact_values, load_torch
from verify.display import absolute, hex_text
from verify.errors import UsageError
from verify.floats import format_named, ulp_error
from verify.input_witness import INPUT_MARK
from verify.judgement import as_float, text_of
from verify.operations import operations_with_contract
from verify.results import Results
from verify.verdict import Counterexample, Verdict
from verify.words import kind_of

LONG = 4000
"""Characters of a witness, or of a line of a script, beyond which it is not printed."""

SHORT = 500
"""Characters of a witness up to which the command that replays it repeats it."""


def assert_holds(results: Results) -> None:
    """Raise ``AssertionError`` unless every verdict passed and there is one; the message is `finding`."""
    __tracebackhide__ = True
    if not isinstance(results, Results):
        raise UsageError(f"assert_holds takes what verify.check returns, not {kind_of(results)}")
    if not results.holds:
        raise AssertionError(finding(results))


def finding(results: Results, *, others: bool = True) -> str:
    """What is wrong, in words, of results that do not hold.

    It tells the first of the least favourable verdicts: a wrong value before the gradient that is
    wrong with it. The first seven lines give what was refuted, the value that was returned, the exact
    one, the error and what is allowed (in ulp of the result's format), the input, the options and the reason.
    The reproducer follows, then the witness and how to replay it, then the other verdicts that do
    not hold, unless ``others`` is off, and last an option to exclude, where the function is wrong with
    some of its values alone.
    """
    failed = [verdict for verdict in results if verdict.applicable and not verdict]
    if not failed:
        return "unknown: nothing was checked"
    first = min(failed, key=lambda verdict: verdict.status)
    also = [verdict for verdict in failed if verdict is not first and others]
    hint = [f"help:    {first.hint}"] if first.hint else []
    return "\n".join([*_told(first), *(f"also {v.status.value}: {v.subject}" for v in also), *hint])


def assert_ulp(
    actual: Any, exact: Any, *, max_ulp: float | None = None, bound: float | Fraction | None = None
) -> None:
    """Raise ``AssertionError`` unless every element of a tensor is close enough to its exact value.

    ``actual``: a tensor of float16, bfloat16, float32 or float64, of any shape. ``exact``: a number
    (int, float or Fraction, taken exactly), nested lists or tuples of such, or a floating-point
    tensor, of the same number of elements. ``max_ulp``: most ulps, in the dtype of ``actual`` at
    the exact value; ``bound``: largest absolute error; one of them, or both, must be given. A nan
    is never close, and an exact value is none. Raises ``UsageError`` for anything else. Policy for
    specials: ``floats.ulp_error``.
    """
    torch = load_torch()
    if not isinstance(actual, torch.Tensor):
        raise UsageError(f"actual is {kind_of(actual)}; give a tensor of {', '.join(DTYPES)}")
    dtype = str(actual.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise UsageError(f"actual is a tensor of {dtype}; give one of {', '.join(DTYPES)}")
    if max_ulp is None and bound is None:
        raise UsageError("neither max_ulp nor bound is given; say how much error is allowed")
    if any(limit is not None and not (isinstance(limit, Real) and limit >= 0) for limit in (max_ulp, bound)):
        raise UsageError(f"max_ulp = {max_ulp}, bound = {bound}; a limit is a number >= 0")
    format = format_named(dtype)
    got, truth = exact_values(actual), _numbers(exact)
    if len(got) != len(truth):
        raise UsageError(f"actual has {len(got)} elements and exact {len(truth)}; give one for each")
    if undefined := [position for position, number in enumerate(truth) if number != number]:
        raise UsageError(
            f"exact is nan at element {undefined[0]}, and no number is near a nan; leave such elements out, "
            "and look for nan with torch.isnan"
        )
    far = []
    for position, (value, target) in enumerate(zip(got, truth, strict=True)):
        ulp, error = _as_float(ulp_error(value, target, format)[0]), _distance(value, target)
        if not ((max_ulp is None or ulp <= max_ulp) and (bound is None or error <= bound)):
            far.append((ulp, position, error))
    if far:
        ulp, position, error = max(far, key=lambda one: one[0])
        limits = [f"{max_ulp} ulp"] if max_ulp is not None else []
        limits += [f"{_as_float(bound):.6g} absolute"] if bound is not None else []
        raise AssertionError(
            f"{len(far)} of {len(got)} elements in {format.name} are too far off; the worst is {position}\n"
            f"got:     {text_of(got[position])}\n"
            f"exact:   {text_of(truth[position])}\n"
            f"error:   {ulp:.6g} ulp, {_as_float(error):.6g} absolute\n"
            f"allowed: {', '.join(limits)}"
        )


def _told(verdict: Verdict) -> list[str]:
    """The finding in seven lines, then the script, the witness and the command that replays it."""
    head = f"{verdict.status.value}: {verdict.subject}"
    if verdict.counterexample is None:
        return [head, f"reason: {verdict.reason}"]
    example = verdict.counterexample
    tensors = "; ".join(f"{name} = {text}" for name, text in example.inputs[:-1])
    name, where = example.inputs[-1]
    compared = bool(example.exact)
    lines = [
        head,
        f"got:     {_with_hex(example.got) if compared else example.got}",
        f"exact:   {example.exact if compared else 'not compared'}",
        f"error:   {_error(example) if compared else 'no number was compared'}",
        f"input:   {tensors}",
        f"{name}: {where}",
        f"reason:  {verdict.reason}",
    ]
    return [
        *lines,
        *_script(verdict.reproducer),
        *([""] if verdict.witness else []),
        *_replay(verdict.witness),
    ]


def _error(example: Counterexample) -> str:
    """How far off a number is and may be; far beyond an exact value near 0 first without ulps."""
    told = f"{example.error_ulp:.6g} ulp, allowed {example.allowed_ulp:.6g} ulp"
    error = absolute(example)
    if error is None:
        return told
    allowed = error * (example.allowed_ulp / example.error_ulp)
    limit = f", allowed {allowed:.6g}" if allowed else ""
    return f"{error:.6g} absolute{limit}, as the exact value is {float(example.exact):.6g} ({told})"


def _with_hex(got: str) -> str:
    """A returned number in decimal and, exactly, in hex."""
    number = float(got)
    return f"{got} = {hex_text(number)}" if math.isfinite(number) else got


def _script(script: str | None) -> list[str]:
    """The script after a blank line; one that holds a very wide tensor by where it can be had."""
    if not script:
        return []
    if max(map(len, script.splitlines())) > LONG:
        return ["", f"script:  {len(script):,} characters long; the verdict has it, and so has --verify-json"]
    return ["", script.rstrip()]


def _replay(witness: str | None) -> list[str]:
    """The witness and the command that replays it; a very long witness by where it can be had."""
    if not witness:
        return []
    if len(witness) > LONG:
        return [f"witness: {len(witness):,} characters long; the verdict has it, and so has --verify-json"]
    given = witness if len(witness) <= SHORT else "WITNESS (or a file that holds it)"
    module, name = witness.split(":")[5:7]
    if witness.startswith(INPUT_MARK):
        return [f"witness: {witness}", f"replay:  python -m verify replay {given}"]
    if module == "__main__" or not all(part.isidentifier() for part in name.split(".")):
        return [
            f"witness: {witness}",
            "replay:  verify.replay(function, witness), as no module has it",
        ]
    own = "" if witness.split(":")[1] in operations_with_contract() else " --as MODULE:OPERATION"
    return [f"witness: {witness}", f"replay:  python -m verify replay {given}{own}"]


def _numbers(exact: Any) -> list[Any]:
    if isinstance(exact, load_torch().Tensor):
        return list(exact_values(exact))
    if isinstance(exact, list | tuple):
        return [number for item in exact for number in _numbers(item)]
    if isinstance(exact, bool) or not isinstance(exact, int | float | Fraction):
        raise UsageError(f"{exact!r} is no exact number; give an int, a float or a Fraction")
    if isinstance(exact, float) and not math.isfinite(exact):
        return [exact]
    return [Fraction(exact)]


def _distance(value: Any, target: Any) -> Any:
    if isinstance(value, float) or isinstance(target, float):
        return 0.0 if value == target else math.inf
    return abs(value - target)


def _as_float(number: Any) -> float:
    return as_float(number) if isinstance(number, Fraction) else float(number)
