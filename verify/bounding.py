"""Bounding: how far off the numbers of a call may be, for a whole table at once or number by number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from verify.accuracy import Accuracy, Enough, accuracy_of, conditioned
from verify.calls import Call
from verify.contexts.axes import NotBulkError
from verify.contexts.bulk import Bulk, evaluate
from verify.contexts.models import Model
from verify.elements import (
    Property,
    actions_of,
    alone,
    bounds_of,
    formula_of,
    stable,
    values_of,
)
from verify.floats import Enclosure
from verify.found import middle
from verify.oracle import Undecided


@dataclass(frozen=True, slots=True)
class Bounding:
    """The bounds of one property in one arithmetic on one device."""

    aspect: Property
    model: Model
    device: str

    def bulk(self, call: Call) -> Bulk:
        """Values and bounds of a whole table by the standard algorithm; raises `NotBulkError`."""
        _, algorithm, *_ = actions_of(call.contract, self.aspect)
        bulk = self._run(algorithm, call, self._any_order)
        if self.model.height is None:
            return bulk
        return replace(bulk, bound=self._run(algorithm, call, self.model).bound, widest=bulk.bound)

    def largest(self, call: Call, bulk: Bulk) -> Any:
        """The largest bound of all stable algorithms, of which ``bulk`` has the standard one's.

        One that has no value somewhere, as 0 times log 0 in t log t, allows nothing more there.
        """
        bound = bulk.bound
        for action, model in stable(call.contract, self.aspect, self.model)[1:]:
            bound = bound.fmax(self._run(action, call, model).bound)
        return bound

    def each(self, call: Call, count: int, *, standard: bool) -> list[Fraction | None]:
        """The bound of each of ``count`` elements, of the standard algorithm or the largest of all.

        None where there is none. Where the call as a whole has none, that of its row.
        """
        algorithms = stable(call.contract, self.aspect, self.model)
        algorithms = algorithms[:1] if standard else algorithms
        whole = bounds_of(call, algorithms, formula_of(call, self.aspect)[1])
        if whole is not None:
            return [*whole]
        found: list[Fraction | None] = []
        while len(found) < count:
            row, _ = alone(call, self.aspect, len(found))
            if row is call:
                return [None] * count
            bounds = bounds_of(row, algorithms, formula_of(row, self.aspect)[1])
            found += bounds or [None] * (count // call.rows)
        return found

    def precise(self, call: Call, bulk: Bulk, enough: Enough) -> Accuracy | None:
        """What level "accurate" allows, or as much as is enough; None where no conditioning is known."""
        if not self._gradable(call):
            return None
        if self.aspect == "value" and (reference := call.contract.reference) is not None:
            exact = evaluate(
                lambda c, *x: reference(c, call.options, *x), call.values, self._any_order, self.device
            )
            return self._accuracy(call, exact.value, exact.half, bulk, enough)
        return self._accuracy(call, bulk.value, bulk.half, bulk, enough)

    def precise_at(
        self, call: Call, truths: tuple[Enclosure | Undecided, ...], bulk: Bulk | None, enough: Enough
    ) -> Accuracy | None:
        """As `precise`, about exact values."""
        if not call.rows or not self._gradable(call):
            return None
        try:
            bulk = bulk or self.bulk(call)
        except NotBulkError:
            return None
        truth = bulk.value.new_tensor([middle(truth) for truth in truths])
        return self._accuracy(call, truth, truth * 0, bulk, enough)

    def _run(self, action: Callable[..., Any], call: Call, model: Model) -> Bulk:
        values = values_of(call, self.aspect)
        return evaluate(lambda c, *x: action(c, call.options, *x), values, model, self.device)

    @property
    def _any_order(self) -> Model:
        """The model for sums in any order, such as those of torch in float64."""
        return self.model if self.model.height is None else replace(self.model, height=None)

    def _gradable(self, call: Call) -> bool:
        """Whether results are graded: their conditioning is known, and one format has all roundings."""
        return self.model.stored is None and conditioned(call, self.aspect)

    def _accuracy(self, call: Call, truth: Any, half: Any, bulk: Bulk, enough: Enough) -> Accuracy:
        return accuracy_of(call, self.aspect, truth, half, bulk.bound, self.model, self.device, enough)
