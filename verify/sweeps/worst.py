"""The worst input of a chunk: those with nearly the largest error are kept, and compared exactly."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from verify.backends import exact_value, load_torch
from verify.floats import Bound, ulp_error
from verify.judgement import as_float
from verify.oracle import Undecided
from verify.sweeps.counts import Span, numbers_of
from verify.sweeps.subject import Subject

TIES = 16
"""Inputs with nearly the largest error that are compared exactly."""


class Worst:
    """Watches errors, and says which is the largest; of equals the first."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._near: list[tuple[float, float, int, Bound]] = []

    def wants(self, top: float, slack: float) -> bool:
        """Whether inputs with errors up to ``top``, off by ``slack``, may have the largest error."""
        if not self._near:
            return True
        best = self._near[0][0]
        return top > best or (len(self._near) < TIES and top >= best - 2 * slack)

    def watch(self, span: Span, errors: Any, top: float, slack: float) -> None:
        """Keep the inputs of a span whose error may be the largest; ``top`` is the largest as computed."""
        if not self.wants(top, slack):
            return
        best = max([top, *(near[0] for near in self._near[:1])])
        places = (errors >= best - 2 * slack).nonzero().squeeze(1)
        if places.numel() > TIES:
            few = errors[places].topk(TIES).values[-1]
            larger, equal = places[errors[places] > few], places[errors[places] == few]
            places = load_torch().cat((larger, equal[: TIES - larger.numel()]))
        for k in places.tolist():
            number = span.start + (k if span.places is None else int(span.places[k]))
            self._near.append((float(errors[k]), slack, number, number_of(span.got[k])))
        self._prune()

    def add(self, error: float, place: int, got: Bound) -> None:
        """Keep one input, whose error is exact."""
        self._near.append((error, 0.0, place, got))
        self._prune()

    def _prune(self) -> None:
        self._near.sort(key=lambda near: (-near[0], near[2]))
        least = self._near[0][0]
        self._near = [near for near in self._near if near[0] >= least - 2 * near[1]][:TIES]

    def chosen(self) -> tuple[float, int, float] | None:
        """The largest error, its input and the result there; None where nothing was watched."""
        if not self._near:
            return None
        error, _, place, got = self._near[0]
        if len(self._near) > 1 and math.isfinite(error):
            found = [(self._exactly(got, place), -place, got) for _, _, place, got in self._near]
            error, place, got = max(found, key=lambda one: one[:2])
            place = -place
        return error, place, float(got)

    def _exactly(self, got: Bound, place: int) -> float:
        """The least error of a result in ulp, by the oracle; 0 where there is no exact value."""
        order = self._subject.order
        numbers = numbers_of(place, self._subject.form.arity)
        truth = self._subject.enclosure(*(order.value(n) for n in numbers))
        if isinstance(truth, Undecided):
            return 0.0
        least = ulp_error(got, truth, order.format)[0]
        return as_float(least) if isinstance(least, Fraction) else least


def number_of(entry: Any) -> Bound:
    """One number of a tensor, exactly."""
    return exact_value(entry.reshape(1))
