"""Examination: a candidate called once, and one property of what it does judged number by number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from verify.accuracy import Accuracy, accuracy_of, conditioned, height
from verify.backends import exact_values
from verify.bulk_judgement import judge_table, passes
from verify.calls import Call
from verify.candidate import CandidateError, Function, gradient_of, side_effects_of, value_of
from verify.contexts.axes import NotBulkError
from verify.contexts.bulk import Bulk, evaluate
from verify.contexts.rounded import Model
from verify.contexts.running import SLACK
from verify.contexts.torch import NotApplicableError
from verify.contract import Relation
from verify.elements import (
    Property,
    actions_of,
    alone,
    bounds_of,
    element,
    flat,
    formula_of,
    stable,
    values_of,
    variable_of,
)
from verify.errors import DomainError
from verify.floats import Enclosure, Format
from verify.found import Found, found_at, middle, rank, refuted, worst_of
from verify.guard import HungError
from verify.judgement import FAILED, NO_VALUE, RELATED, Outcome
from verify.oracle import Undecided, enclose, enclose_family
from verify.reduction import rows_of
from verify.relations import (
    beyond,
    numbered,
    rearranged,
    rearrangements,
    relations_of,
    result_rearranged,
)
from verify.verdict import Status
from verify.wide import Wide

ONE_BY_ONE = 1200
"""Numbers of a wide table up to which what float64 leaves open is decided one by one."""

PIECE = 1 << 18
"""Numbers that are judged at a time where rows can be told apart."""

COMPARED = 1 << 16
"""Larger tables are compared with themselves rearranged alone."""

GRADED = 1 << 17
"""Larger tables are not graded."""


@dataclass(frozen=True, slots=True)
class Examiner:
    """Calls a candidate and judges one property of it in one dtype on one device.

    ``level`` decides where the conditioning is known; all else is held to the stable bound. With
    ``thorough`` a table of float64 is judged number by number whatever its size, as one call that is
    replayed is. ``taken`` gives the values of options that may be called with.
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
            bulk = self._bulk(call)
            if bulk.ratio is None:
                judge_one = self._one_by_one if small or self.thorough else self._by_relations
                return judge_one(result, call, bulk)
            precise = self._precise(call, bulk) if graded or self.level == "accurate" else None
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
        got = result.detach().reshape(-1).to(bulk.value)
        if self.level == "accurate" and precise is not None:
            found = Found(*judge_table(got, precise.value, precise.half, precise.allowed, self.format))
        else:
            quick = passes(got, bulk, self.format)
            found = Found(*(quick or self._by_table(got, call, bulk)))
        if not found.outcome.judged and small:
            return self._one_by_one(result, call)
        return self._graded(found, call, bulk, got, precise)

    def _by_table(self, got: Any, call: Call, bulk: Bulk) -> tuple[Outcome, int | None, Enclosure | None]:
        """The outcome of a table under the bound of the standard algorithm, else under the largest of all."""
        judged = judge_table(got, bulk.value, bulk.half, bulk.bound, self.format)
        if judged[0].status is Status.PASSED:
            return judged
        return judge_table(got, bulk.value, bulk.half, self._largest(call, bulk), self.format)

    def _by_relations(self, result: Any, call: Call, bulk: Bulk) -> Found:
        """Compare with the same call rearranged; where the two differ, ask the oracle which is off."""
        bounds = [bulk.bound]
        for how in rearrangements(call):
            other = rearranged(call, how)
            if other is None:
                continue
            try:
                found = self._result(other)
            except CandidateError as error:
                return Found(refuted(str(error)), call=other)

            def moved(tensor: Any, how: Any = how) -> Any:
                return result_rearranged(tensor.reshape(result.shape), call, self.aspect, how).reshape(-1)

            place = beyond(moved(result), found.reshape(-1), 2 * moved(bounds[-1]))
            if place is not None and len(bounds) == 1:
                bounds.append(self._largest(call, bulk))
                place = beyond(moved(result), found.reshape(-1), 2 * moved(bounds[-1]))
            if place is None:
                continue
            index = moved(numbered(result))
            for tensor, which, position in ((result, call, int(index[place])), (found, other, place)):
                judged = self._at_position(tensor, which, position)
                if judged.outcome.status is Status.REFUTED:
                    return replace(judged, call=which)
        if self.aspect == "value" and math.prod(call.lengths.values()) <= COMPARED:
            taken = self.taken()
            for relation, pair in relations_of(call):
                if all(self._may_call(one, call, taken) for one in pair):
                    broken = self._broken(relation, pair)
                    return broken or Found(Outcome(Status.UNKNOWN, reason=RELATED))
        return Found(Outcome(Status.UNKNOWN, reason=RELATED))

    def _broken(self, relation: Relation, pair: tuple[Call, Call]) -> Found | None:
        """The calls of a relation, where their results differ by more than both may be off by; else None.

        By its exact value, where the oracle knows that; else by the relation alone: one side is wrong.
        """
        try:
            a, b = (self._result(one).detach().reshape(-1) for one in pair)
        except (CandidateError, NotApplicableError):
            return None
        first, second = pair
        image = relation.image(first, a).reshape(-1) + relation.offset
        bulks, place = [self._bulk(one) for one in pair], None
        for bound_of in (lambda _, bulk: bulk.bound, self._largest):
            own, other = map(bound_of, pair, bulks)
            allowed = relation.image(first, own).reshape(-1) + other
            place = beyond(image, b, allowed + 2.0**-51 * image.abs())
            if place is None:
                return None
        return self._side_of(relation, ((second, b), (first, a)), image, place or 0)

    def _side_of(self, relation: Relation, sides: Any, image: Any, place: int) -> Found:
        """The side of a relation that its exact value refutes, else both."""
        told = f"it does not hold that {relation.told}"
        second, result = sides[0]
        for which, tensor in sides:
            if tensor.shape == result.shape:
                judged = self._at_position(tensor, which, place)
                if judged.outcome.status is Status.REFUTED:
                    return replace(judged, call=which, told=told)
        numbers = " and ".join(f"{float(one[place]):.17g}" for one in (image, result))
        return Found(refuted(f"{told}: {numbers} differ by more than both may be off by"), call=second)

    @staticmethod
    def _may_call(one: Call, call: Call, taken: Mapping[str, tuple[Any, ...]]) -> bool:
        """Whether a call has no options but those of another, and those that are drawn."""
        return all(
            value == call.options[name] or value in taken.get(name, ()) for name, value in one.options.items()
        )

    def _at_position(self, result: Any, call: Call, position: int) -> Found:
        """The outcome of one element, its exact value computed alone."""
        row, place = alone(call, self.aspect, position)
        formula, values = formula_of(row, self.aspect)
        try:
            truth = enclose(
                lambda c, *x: element(formula(c, *x), place),
                values,
                format=self.format,
                max_bits=self.max_bits,
                lazy=True,
            )
        except DomainError as error:
            return Found(Outcome(Status.UNKNOWN, reason=f"{NO_VALUE}: {error}"))
        bound = float(self._largest(call, self._bulk(call))[position]) * (1 + SLACK)
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

    def _bulk(self, call: Call) -> Bulk:
        """Values and bounds of the whole table by the standard algorithm."""
        _, algorithm, *_ = actions_of(call.contract, self.aspect)
        bulk = self._run(algorithm, call, self._any_order)
        if self.model.height is None:
            return bulk
        return replace(bulk, bound=self._run(algorithm, call, self.model).bound, widest=bulk.bound)

    def _largest(self, call: Call, bulk: Bulk) -> Any:
        """The largest bound of all stable algorithms, of which ``bulk`` has the standard one's."""
        bound = bulk.bound
        for action, model in stable(call.contract, self.aspect, self.model)[1:]:
            bound = bound.maximum(self._run(action, call, model).bound)
        return bound

    def _run(self, action: Callable[..., Any], call: Call, model: Model) -> Bulk:
        values = values_of(call, self.aspect)
        return evaluate(lambda c, *x: action(c, call.options, *x), values, model, self.device)

    @property
    def _any_order(self) -> Model:
        """The model for sums in any order, such as those of torch in float64."""
        return self.model if self.model.height is None else replace(self.model, height=None)

    def _precise(self, call: Call, bulk: Bulk) -> Accuracy | None:
        """What level "accurate" allows; None where no conditioning is known."""
        if not self._gradable(call):
            return None
        if self.aspect == "value" and (reference := call.contract.reference) is not None:
            exact = evaluate(
                lambda c, *x: reference(c, call.options, *x), call.values, self._any_order, self.device
            )
            return self._accuracy(call, exact.value, exact.half, bulk)
        return self._accuracy(call, bulk.value, bulk.half, bulk)

    def _gradable(self, call: Call) -> bool:
        """Whether results are graded: their conditioning is known, and one format has all roundings."""
        return self.model.stored is None and conditioned(call, self.aspect)

    def _accuracy(self, call: Call, truth: Any, half: Any, bulk: Bulk) -> Accuracy:
        return accuracy_of(call, self.aspect, truth, half, bulk.bound, self.model, self.device)

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
        precise = self._precise_at(call, truths, bulk)
        if self.level == "accurate" and precise is not None:
            found = self._worst(got, truths, [_limit(b) for b in precise.allowed.tolist()])
        else:
            found = self._worst_within_bounds(got, truths, call)
        if bulk is None or precise is None:
            return found
        return self._graded(found, call, bulk, precise.value.new_tensor([float(g) for g in got]), precise)

    def _worst_within_bounds(self, got: Any, truths: Any, call: Call) -> Found:
        """The worst element under the bound of the standard algorithm, else under the largest of all."""
        algorithms = stable(call.contract, self.aspect, self.model)
        found = self._worst(got, truths, self._bounds(call, len(got), algorithms[:1]))
        if found.outcome.status is not Status.REFUTED:
            return found
        return self._worst(got, truths, self._bounds(call, len(got), algorithms))

    def _worst(self, got: Any, truths: Any, bounds: Any) -> Found:
        return worst_of(
            [
                found_at(position, number, truth, bound, self.format)
                for position, (number, truth, bound) in enumerate(zip(got, truths, bounds, strict=True))
            ]
        )

    def _bounds(self, call: Call, count: int, algorithms: Any) -> Any:
        """The largest bound of some algorithms at each element; None where there is none.

        Where the call as a whole has none, that of its row.
        """
        _, values = formula_of(call, self.aspect)
        whole = bounds_of(call, algorithms, values)
        if whole is not None:
            return whole
        found: list[Any] = []
        while len(found) < count:
            row, _ = alone(call, self.aspect, len(found))
            if row is call:
                return [None] * count
            bounds = bounds_of(row, algorithms, formula_of(row, self.aspect)[1])
            found += bounds or [None] * (count // call.rows)
        return found

    def _precise_at(
        self, call: Call, truths: tuple[Enclosure | Undecided, ...], bulk: Bulk | None
    ) -> Accuracy | None:
        """As `_precise`, about exact values; None too where it is not asked for."""
        graded = bulk is not None or self.level == "accurate"
        if not graded or not call.rows or not self._gradable(call):
            return None
        try:
            bulk = bulk or self._bulk(call)
        except NotBulkError:
            return None
        truth = bulk.value.new_tensor([middle(truth) for truth in truths])
        return self._accuracy(call, truth, truth * 0, bulk)


def _limit(bound: float) -> Fraction | None:
    """A bound as an exact number; None where there is none."""
    return Fraction(bound) if bound - bound == 0 else None
