"""Related results: a call too large for the oracle, held to what its results have to do with one another.

Where two results differ by more than both may be off by, the oracle is asked about that element alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verify.bounding import Bounding
from verify.calls import Call
from verify.candidate import CandidateError
from verify.contexts.bulk import Bulk
from verify.contexts.torch import NotApplicableError
from verify.contract import Relation
from verify.found import Found, refuted
from verify.judgement import RELATED, Outcome
from verify.relations import (
    beyond,
    numbered,
    rearranged,
    rearrangements,
    relations_of,
    result_rearranged,
)
from verify.verdict import Status

COMPARED = 1 << 16
"""Larger tables are compared with themselves rearranged alone."""


@dataclass(frozen=True, slots=True)
class Related:
    """The results of one candidate, compared.

    ``result(call)`` calls it; ``at_position(result, call, position)`` judges one element by its exact value.
    ``taken`` gives the values of options that may be called with.
    """

    bounds: Bounding
    result: Callable[[Call], Any]
    at_position: Callable[[Any, Call, int], Found]
    taken: Callable[[], Mapping[str, tuple[Any, ...]]]

    def judged(self, result: Any, call: Call, bulk: Bulk) -> Found:
        """Compare with the same call rearranged, and by the relations of the contract; else undecided."""
        found = self._moved(result, call, bulk)
        if found is None and self.bounds.aspect == "value" and math.prod(call.lengths.values()) <= COMPARED:
            taken = self.taken()
            for relation, pair in relations_of(call):
                if all(_may_call(one, call, taken) for one in pair):
                    found = self._broken(relation, pair)
                    break
        return found or Found(Outcome(Status.UNKNOWN, reason=RELATED))

    def _moved(self, result: Any, call: Call, bulk: Bulk) -> Found | None:
        """The element that is off, where the call rearranged gives another result; else None."""
        bounds = [bulk.bound]
        for how in rearrangements(call):
            other = rearranged(call, how)
            if other is None:
                continue
            try:
                found = self.result(other)
            except CandidateError as error:
                return Found(refuted(str(error)), call=other)

            def moved(tensor: Any, how: Any = how) -> Any:
                tensor = tensor.reshape(result.shape)
                return result_rearranged(tensor, call, self.bounds.aspect, how).reshape(-1)

            place = beyond(moved(result), found.reshape(-1), 2 * moved(bounds[-1]))
            if place is not None and len(bounds) == 1:
                bounds.append(self.bounds.largest(call, bulk))
                place = beyond(moved(result), found.reshape(-1), 2 * moved(bounds[-1]))
            if place is None:
                continue
            index = moved(numbered(result))
            for tensor, which, position in ((result, call, int(index[place])), (found, other, place)):
                judged = self.at_position(tensor, which, position)
                if judged.outcome.status is Status.REFUTED:
                    return replace(judged, call=which)
        return None

    def _broken(self, relation: Relation, pair: tuple[Call, Call]) -> Found | None:
        """The calls of a relation, where their results differ by more than both may be off by; else None.

        By its exact value, where the oracle knows that; else by the relation alone: one side is wrong.
        """
        try:
            a, b = (self.result(one).detach().reshape(-1) for one in pair)
        except (CandidateError, NotApplicableError):
            return None
        first, second = pair
        image = relation.image(first, a).reshape(-1) + relation.offset
        bulks, place = [self.bounds.bulk(one) for one in pair], None
        for bound_of in (lambda _, bulk: bulk.bound, self.bounds.largest):
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
                judged = self.at_position(tensor, which, place)
                if judged.outcome.status is Status.REFUTED:
                    return replace(judged, call=which, told=told)
        numbers = " and ".join(f"{float(one[place]):.17g}" for one in (image, result))
        return Found(refuted(f"{told}: {numbers} differ by more than both may be off by"), call=second)


def _may_call(one: Call, call: Call, taken: Mapping[str, tuple[Any, ...]]) -> bool:
    """Whether a call has no options but those of another, and those that are drawn."""
    return all(
        value == call.options[name] or value in taken.get(name, ()) for name, value in one.options.items()
    )
