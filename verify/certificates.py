"""Certificates: for each wrong implementation a call, and by how much it is wrong there, from the oracle."""

from __future__ import annotations

import functools
import itertools
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from verify.backends import exact_values
from verify.calls import Call
from verify.candidate import CandidateError, Function, gradient_of, value_of
from verify.cases import Case, read_witness, write_witness
from verify.contexts.models import Model, model_for
from verify.contexts.torch import NotApplicableError
from verify.contract import Contract
from verify.corpus.references import REFERENCES
from verify.elements import flat, formula_of, variable_of
from verify.errors import UsageError
from verify.examination import Examiner
from verify.floats import format_named
from verify.found import Found
from verify.operations import operations_with_contract
from verify.oracle import Undecided, enclose_family
from verify.ordinary import ordinary_call
from verify.verdict import Status

FILE = Path(__file__).parent / "corpus" / "certificates.jsonl"
"""One certificate a line, written by benchmarks/certify.py."""

GRADES = ("gross", "moderate", "subtle")
"""How wrong an implementation is, worst first."""

GROSS = 0.1
"""Share of the largest entry by which a gross fault is off at the ordinary call, at least."""

SUBTLE = 0.01
"""Share of the largest entry that a subtle fault does not reach, neither there nor at its witness."""

MAX_BITS = 4096


@dataclass(frozen=True, slots=True)
class Certificate:
    """That a wrong implementation is wrong in a dtype.

    ``call`` is a witness of the call (verify/cases.py) in this dtype or in another; ``witness`` is it in this
    one. There the element that is furthest off its
    bound is ``got`` and should be ``exact``; its error is ``ulp`` units in the last place, ``relative`` to
    the exact value, and ``share`` of the largest entry there, which is taken from the reference; the error
    itself where all are 0. They are inf for a result that is no number. ``ordinary``: the largest error at
    the ordinary call (verify/ordinary.py) as a share of the largest exact entry, 0 where the function does
    not take that call.
    """

    id: str
    dtype: str
    call: str
    exact: str
    got: str
    ulp: float
    relative: float
    share: float
    ordinary: float

    @property
    def witness(self) -> str:
        """The call in this dtype, as a line of text for `verify.replay`."""
        return in_dtype(self.call, self.dtype) or self.call

    @property
    def grade(self) -> str:
        """How wrong it is.

        Gross: by a tenth of the largest entry or more at the ordinary call. Subtle: by less than 1 % of it
        there and at the witness. Moderate: else.
        """
        if self.ordinary >= GROSS:
            return "gross"
        return "subtle" if max(self.ordinary, self.share) < SUBTLE else "moderate"


def certificate(name: str, function: Function, witness: str) -> Certificate | None:
    """The certificate that a witness gives about a function; None where it does not refute it by a number.

    Raises ``UsageError`` for a text that is no witness.
    """
    case = read_witness(witness, _contract)
    found = examined(function, case)
    outcome, truth = found.outcome, found.truth
    if outcome.status is not Status.REFUTED or truth is None or outcome.got is None:
        return None
    exact = _middle(truth.lower, truth.upper)
    return Certificate(
        name,
        case.dtype,
        witness,
        _told(exact),
        _told(outcome.got),
        float(f"{outcome.ulp:.3g}"),
        _ratio(outcome.got, exact, exact),
        _ratio(outcome.got, exact, _largest(case) or 1),
        ordinary_error(function, case),
    )


def examined(function: Function, case: Case) -> Found:
    """What the call of a case shows about a function."""
    format, model = format_named(case.dtype), model_for(case.dtype, case.device)
    return _examiner(function, case, format, model).examine(case.call)


def _examiner(function: Function, case: Case, format: Any, model: Model) -> Examiner:
    return Examiner(function, case.aspect, format, case.device, model, case.grad, case.level, MAX_BITS, True)


def in_dtype(witness: str, dtype: str) -> str | None:
    """The same call in another dtype; None where that dtype cannot hold its numbers."""
    case = read_witness(witness, _contract)
    try:
        return write_witness(replace(case, dtype=dtype))
    except UsageError:
        return None


def ordinary_error(function: Function, case: Case) -> float:
    """The largest error of a function at the ordinary call, as a share of the largest exact entry.

    It is that of the property and in the dtype of the case; 0 where the function does not take the call.
    """
    call = ordinary_call(case.call.contract, case.aspect)
    try:
        result = _result(function, case, call)
    except (CandidateError, NotApplicableError):
        return 0.0
    formula, values = formula_of(call, case.aspect)
    truths = enclose_family(
        lambda c, *given: flat(formula(c, *given)), values, format=format_named(case.dtype), max_bits=MAX_BITS
    )
    if any(isinstance(truth, Undecided) for truth in truths):
        return 0.0
    exact = [_middle(truth.lower, truth.upper) for truth in truths if not isinstance(truth, Undecided)]
    got = exact_values(result)
    if any(isinstance(number, float) for number in got):
        return math.inf
    largest = max(map(abs, exact))
    return _shown(max(abs(g - e) for g, e in zip(got, exact, strict=True)) / largest) if largest else 0.0


def _contract(name: str) -> Contract:
    contract = operations_with_contract()[name].contract
    if contract is None:
        raise UsageError(f"the operation {name!r} has no contract")
    return contract


def _middle(lower: Any, upper: Any) -> Any:
    return lower if lower == upper else (lower + upper) / 2


def _ratio(got: Any, exact: Any, unit: Any) -> float:
    """An error as a multiple of a number; inf where one of them is none, or that is 0."""
    if not unit or any(isinstance(number, float) for number in (got, exact, unit)):
        return math.inf
    return _shown(abs(got - exact) / abs(unit))


def _largest(case: Case) -> Any:
    """The largest magnitude of the entries of the reference at a case."""
    result = _result(REFERENCES[case.call.contract.name], case, case.call)
    sizes: list[Any] = [abs(number) for number in exact_values(result)]
    return max(sizes, default=Fraction(0))


def _result(function: Function, case: Case, call: Call) -> Any:
    of = variable_of(case.aspect, call.contract)
    if of:
        return gradient_of(function, call, case.dtype, case.device, of)
    return value_of(function, call, case.dtype, case.device)


def _shown(number: Fraction) -> float:
    """Three digits, so that the file does not change with the last ones; inf beyond the largest float."""
    return math.inf if number > sys.float_info.max else float(f"{float(number):.3g}")


def _told(number: Any) -> str:
    return f"{float(number):.17g}"


def read(path: Path = FILE) -> tuple[Certificate, ...]:
    """The certificates of a file, in its order."""
    if not path.exists():
        return ()
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return tuple(
        Certificate(line["id"], dtype, line["call"], exact, got, *map(float, numbers))
        for line in lines
        for dtype, exact, got, *numbers in line["found"]
    )


def lines_of(found: Iterable[Certificate]) -> Iterator[str]:
    """Certificates as lines of JSON, one for each fault and call; numbers are texts, as they may be infinite.

    Calls that differ in their dtype alone are written once.
    """
    for (name, call), group in itertools.groupby(found, key=lambda one: (one.id, one.call)):
        told = [
            [one.dtype, one.exact, one.got, *map(repr, (one.ulp, one.relative, one.share, one.ordinary))]
            for one in group
        ]
        yield json.dumps({"id": name, "call": call, "found": told})


@functools.cache
def certificates() -> Mapping[str, Mapping[str, Certificate]]:
    """The certificates of the package, by the id of the fault and by dtype."""
    return _by_id(read())


def _by_id(found: Iterable[Certificate]) -> dict[str, dict[str, Certificate]]:
    table: dict[str, dict[str, Certificate]] = {}
    for one in found:
        table.setdefault(one.id, {})[one.dtype] = one
    return table
