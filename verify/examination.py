"""Examination: a candidate called once, and one property of what it does judged number by number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from verify.accuracy import Accuracy, Enough, height
from verify.backends import exact_values
from verify.bounding import Bounding
from verify.bulk_judgement import judge_table, passes
from verify.calls import Call
from verify.candidate import CandidateError, Function, gradient_of, value_of
from verify.contexts.axes import NotBulkError
from verify.contexts.bulk import Bulk
from verify.contexts.models import Model
from verify.contexts.running import SLACK
from verify.contexts.torch import NotApplicableError
from verify.elements import (
    Property,
    alone,
    element,
    elements_of,
    flat,
    formula_of,
    values_of,
    variable_of,
)
from verify.errors import DomainError
from verify.floats import Enclosure, Format
from verify.found import Found, found_at, rank, refuted, worst_of
from verify.guard import HungError
from verify.judgement import FAILED, NO_VALUE, Outcome
from verify.oracle import Undecided, enclose, enclose_family
from verify.reduction import rows_of
from verify.related import Related
from verify.side_effects import side_effects_of
from verify.verdict import Status
from verify.wide import Wide

ONE_BY_ONE = 1200
"""Numbers of a wide table up to which what float64 leaves open is decided one by one."""

PIECE = 1 << 18
"""Numbers that are judged at a time where rows can be told apart."""

GRADED = 1 << 17
"""Larger tables are not graded."""

LOST = 5000
"""Numbers of a row up to which an element is decided alone that infinities leave without a value."""


@dataclass(frozen=True, slots=True)
class Examiner:
    """Calls a candidate and judges one property of it in one dtype on one device.

    ``level`` decides where the conditioning is known; all else is held to the stable bound. With
    ``thorough`` a table of float64 is judged number by number whatever its size, as one call that is
    replayed is. ``taken`` gives the values of options that may be called with, and ``accuracy`` the worst of
    those found before, beside which a better one need not be known.
    """

    function: Function
    aspect: Property
    format: Format
    device: str
    model: Model
    grad: bool
    level: str
    max_bits: int
    thorough: bool = False
    taken: Callable[[], Mapping[str, tuple[Any, ...]]] = dict
    accuracy: Callable[[], float | None] = lambda: None

    @property
    def bounds(self) -> Bounding:
        """How far off the results may be."""
        return Bounding(self.aspect, self.model, self.device)

    @property
    def _related(self) -> Related:
        return Related(self.bounds, self._result, self._at_position, self.taken)

    def examine(self, call: Call) -> Found:
        """Call the candidate and judge the property."""
        try:
            if self.aspect == "side effects":
                told = side_effects_of(self.function, call, self.format.name, self.device, grad=self.grad)
                return Found(refuted(told) if told else Outcome(Status.PASSED))
            result = self._result(call)
        except NotApplicableError as error:
            return Found(Outcome(Status.UNKNOWN, applicable=False, reason=str(error)))
        except CandidateError as error:
            if self.aspect == "side effects":
                told = str(error) if isinstance(error.__cause__, HungError) else f"{FAILED}: {error}"
                return Found(Outcome(Status.UNKNOWN, reason=told))
            return Found(refuted(str(error)))
        return self.judged(result, call)

    def judged(self, result: Any, call: Call) -> Found:
        """Judge what a call has returned: the tensor of its value or gradient."""
        if not call.rows:
            return self._one_by_one(result, call)
        if any(isinstance(value, Wide) for value in values_of(call, self.aspect)):
            return self._at_once(result, call)
        return self._one_by_one(result, call)

    def _result(self, call: Call) -> Any:
        of = variable_of(self.aspect, call.contract)
        if of:
            return gradient_of(self.function, call, self.format.name, self.device, of)
        return value_of(self.function, call, self.format.name, self.device)

    def _at_once(self, result: Any, call: Call, *, graded: bool = True) -> Found:
        """Judge in float64 on whole tables; one by one where float64 does not decide it."""
        numbers = math.prod(call.lengths.values())
        small = numbers <= ONE_BY_ONE
        if numbers > PIECE and call.lengths["N"] > 1 and call.contract.rowwise(call.options):
            return self._by_pieces(result, call)
        graded = graded and numbers <= GRADED
        try:
            bulk = self.bounds.bulk(call)
            if bulk.ratio is None:
                judge_one = self._one_by_one if small or self.thorough else self._related.judged
                return judge_one(result, call, bulk)
            precise = None
            if graded or self.level == "accurate":
                precise = self.bounds.precise(call, bulk, self._enough(result))
            if small and precise is not None and not precise.known:
                return self._one_by_one(result, call, bulk)
        except NotBulkError as error:
            if small:
                return self._one_by_one(result, call)
            return Found(Outcome(Status.UNKNOWN, reason=f"too large for a formula with {error}"))
        if small and bool(bulk.value.isnan().any()):
            found = self._one_by_one(result, call)
            if found.outcome.judged:
                return found
        got = _flat_like(bulk.value, result)
        if self.level == "accurate" and precise is not None:
            found = Found(*judge_table(got, precise.value, precise.half, precise.allowed, self.format))
        else:
            quick = passes(got, bulk, self.format)
            found = Found(*(quick or self._by_table(got, call, bulk)))
        if not found.outcome.judged and small:
            return self._one_by_one(result, call)
        if (lost := self._lost(result, call, bulk)).outcome.status is Status.REFUTED:
            return lost
        return self._graded(found, call, bulk, got, precise)

    def _lost(self, result: Any, call: Call, bulk: Bulk) -> Found:
        """What the first element shows that float64 gives no value, and the definition may.

        The algorithm of a log-sum-exp takes -inf from -inf in a row that is wholly masked.
        """
        rows, infinite = call.lengths.get("N", 1), any(call.contract.infinite.values())
        apart = infinite and call.contract.rowwise(call.options)
        if not apart or math.prod(call.lengths.values()) > LOST * rows or not bool(bulk.value.isnan().any()):
            return Found(Outcome(Status.UNKNOWN, reason=NO_VALUE))
        return self._at_position(result, call, int(bulk.value.isnan().nonzero()[0]))

    def _by_table(self, got: Any, call: Call, bulk: Bulk) -> tuple[Outcome, int | None, Enclosure | None]:
        """The outcome of a table under the bound of the standard algorithm, else under the largest of all."""
        judged = judge_table(got, bulk.value, bulk.half, bulk.bound, self.format)
        if judged[0].status is Status.PASSED:
            return judged
        return judge_table(got, bulk.value, bulk.half, self.bounds.largest(call, bulk), self.format)

    def _at_position(self, result: Any, call: Call, position: int) -> Found:
        """The outcome of one element, its exact value computed alone."""
        row, place = alone(call, self.aspect, position)
        formula, values = formula_of(row, self.aspect)
        count = elements_of(row, self.aspect)
        try:
            truth = enclose(
                lambda c, *x: element(formula(c, *x), place, count),
                values,
                format=self.format,
                max_bits=self.max_bits,
                lazy=True,
            )
        except DomainError as error:
            return Found(Outcome(Status.UNKNOWN, reason=f"{NO_VALUE}: {error}"))
        bound = float(self.bounds.largest(call, self.bounds.bulk(call))[position]) * (1 + SLACK)
        (got,) = exact_values(result.reshape(-1)[position])
        return found_at(position, got, truth, _limit(bound), self.format)

    def _by_pieces(self, result: Any, call: Call) -> Found:
        """Judge a few rows of a large table after the other, so that memory stays small."""
        rows = call.lengths["N"]
        step = max(1, PIECE * rows // math.prod(call.lengths.values()))
        size = result.numel() // rows
        worst = Found(Outcome(Status.UNKNOWN, reason=NO_VALUE))
        for start in range(0, rows, step):
            part = rows_of(call, start, min(start + step, rows))
            found = self._at_once(result[start : start + step], part, graded=False)
            if found.position is not None:
                found = replace(found, position=found.position + start * size)
            worst = max(worst, found, key=lambda one: (rank(one.outcome), one.outcome.ratio))
            if found.outcome.status is Status.REFUTED:
                break
        return worst

    def _enough(self, result: Any) -> Enough:
        """What shows that a result is no worse than the worst before, as level "stable" leaves it at that."""
        record = None if self.level == "accurate" else self.accuracy()

        def enough(least: Accuracy) -> bool:
            if record is None or not least.known:
                return False
            return least.worst(_flat_like(least.value, result)) <= record

        return enough

    def _graded(self, found: Found, call: Call, bulk: Bulk, got: Any, precise: Accuracy | None) -> Found:
        """With the error over what level "accurate" allows, and the height of sums that explains it."""
        if precise is None or not precise.known:
            return found
        error = (got - precise.value).abs()
        steps = height(call, self.aspect, error, bulk, self.model, self.device)
        graded = replace(found.outcome, accuracy=precise.worst(got), height=steps)
        return replace(found, outcome=graded)

    def _one_by_one(self, result: Any, call: Call, bulk: Bulk | None = None) -> Found:
        """The outcome of the worst element; its error in ulp and its ratio are the largest of all.

        With ``bulk`` it is graded as well.
        """
        got = exact_values(result)
        formula, values = formula_of(call, self.aspect)
        try:
            truths = enclose_family(
                lambda c, *x: flat(formula(c, *x)), values, format=self.format, max_bits=self.max_bits
            )
        except DomainError as error:
            return Found(Outcome(Status.UNKNOWN, reason=f"{NO_VALUE}: {error}"))
        if len(truths) != len(got):
            reason = next((t.reason for t in truths if isinstance(t, Undecided)), "no enclosure")
            return Found(Outcome(Status.UNKNOWN, reason=f"the oracle did not decide: {reason}"))
        graded = bulk is not None or self.level == "accurate"
        precise = self.bounds.precise_at(call, truths, bulk, self._enough(result)) if graded else None
        if self.level == "accurate" and precise is not None:
            found = self._worst(got, truths, [_limit(b) for b in precise.allowed.tolist()])
        else:
            found = self._worst_within_bounds(got, truths, call)
        if bulk is None or precise is None:
            return found
        return self._graded(found, call, bulk, _flat_like(precise.value, result), precise)

    def _worst_within_bounds(self, got: Any, truths: Any, call: Call) -> Found:
        """The worst element under the bound of the standard algorithm, else under the largest of all."""
        found = self._worst(got, truths, self.bounds.each(call, len(got), standard=True))
        if found.outcome.status is not Status.REFUTED:
            return found
        return self._worst(got, truths, self.bounds.each(call, len(got), standard=False))

    def _worst(self, got: Any, truths: Any, bounds: Any) -> Found:
        return worst_of(
            [
                found_at(position, number, truth, bound, self.format)
                for position, (number, truth, bound) in enumerate(zip(got, truths, bounds, strict=True))
            ]
        )


def _flat_like(value: Any, result: Any) -> Any:
    """The numbers of a result, as a tensor like that of the exact values."""
    return result.detach().reshape(-1).to(value)


def _limit(bound: float) -> Fraction | None:
    """A bound as an exact number; None where there is none."""
    return Fraction(bound) if bound - bound == 0 else None
