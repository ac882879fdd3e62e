"""Counting: the errors of many results, in ulp, turned into counts, a histogram and the worst inputs."""

from __future__ import annotations

import math
from typing import Any

from verify.backends import exact_value, load_torch
from verify.contexts.running import SLACK
from verify.floats import Bound, Enclosure
from verify.judgement import Outcome
from verify.sweeps.allowance import allowed
from verify.sweeps.counts import BINS, EDGES, PARTS, Counts, Span, numbers_of
from verify.sweeps.subject import Subject
from verify.verdict import Status

TIES = 16
"""Inputs with nearly the largest error that are compared exactly."""

MOST = 1 << 12
"""Inputs of a chunk that the oracle decides one by one, at most."""

FINEST = 2.0**-20
"""Pairs whose error is known up to so many ulp are counted by it, however close to 1/2 or 1 ulp it is."""


class Counter:
    """Counts the results of one chunk, start..stop."""

    def __init__(self, subject: Subject, start: int, stop: int) -> None:
        self.counts = Counts()
        self._subject = subject
        self._start, self._length = start, stop - start
        self._binade = subject.order.binade << (16 * (subject.form.arity - 1))
        self._far: list[tuple[Any, ...]] = []
        self._waiting = 0
        self._asked = 0
        self._near: list[tuple[float, float, int, Bound]] = []
        self._coarse = subject.form.arity > 1
        self._rational = subject.curve.rational is None

    def add(self, span: Span) -> None:
        """Count a span; all its inputs lie in one part, and their histogram in one binade or several."""
        torch, counts, errors = load_torch(), self.counts, span.errors
        total, top = errors.numel(), float(errors.amax())
        if math.isnan(top):
            errors = errors.nan_to_num(math.inf, math.inf)
            top = math.inf
        counts.inputs += total
        self._profile(span.start, top)
        slack = span.slack if isinstance(span.slack, float) else float(span.slack.amax())
        self._watch(span, errors, top, slack)
        if self._rational:
            self._exact(span, errors)
        half = 0.5 + span.slack if self._coarse else 0.5 - span.slack
        if span.bounds is None and (top <= half if isinstance(half, float) else top <= 0.5 - slack):
            self._all_rounded(span.start, total)
            return
        if span.bounds is None:
            chosen = (errors > half).nonzero().squeeze(1)
        else:
            chosen = torch.arange(total, device=errors.device)
        self._all_rounded(span.start, total, chosen)
        self._far.append(
            (
                chosen + (span.start - self._start),
                errors[chosen],
                span.got[chosen].double(),
                _chosen(span.slack, chosen, errors),
                _chosen(span.unit, chosen, errors),
                *(column[chosen].double() for column in span.columns),
                *(() if span.bounds is None else (span.bounds[chosen],)),
            )
        )
        self._waiting += chosen.numel()
        if self._waiting > 1 << 16:
            self._settle()

    def point(self, got: Bound, *numbers: int) -> None:
        """Count one input by the oracle; ``numbers`` are those of its arguments."""
        place = numbers[0] if len(numbers) == 1 else (numbers[0] << 16) | numbers[1]
        outcome, truth = self._subject.outcome(got, *(self._subject.order.value(n) for n in numbers))
        if truth is None and not outcome.reason:
            return
        self.counts.inputs += 1
        self._profile(place, outcome.ulp)
        self._watch_one(outcome.ulp, place, got)
        exact = self._rational and truth is not None and truth.is_point and outcome.ulp == 0
        self._one(place, outcome.ulp)
        self.counts.exact += exact
        self._status(outcome, place)

    def finished(self) -> Counts:
        """The counts, once everything was added."""
        self._settle()
        self._choose_worst()
        return self.counts

    def _all_rounded(self, start: int, total: int, chosen: Any = None) -> None:
        """Count all inputs but the chosen ones as correctly rounded."""
        row, counts = self._row(start // self._binade), self.counts
        few = total - (0 if chosen is None else chosen.numel())
        counts.rounded += few
        counts.faithful += few
        row[0] += few

    def _row(self, binade: int) -> list[int]:
        return self.counts.histogram.setdefault(binade, [0] * BINS)

    def _profile(self, place: int, top: float) -> None:
        part = min((place - self._start) * PARTS // self._length, PARTS - 1)
        self.counts.profile[part] = max(self.counts.profile[part], top)

    def _watch(self, span: Span, errors: Any, top: float, slack: float) -> None:
        """Keep the inputs whose error may be the largest."""
        if self._near:
            best = self._near[0][0]
            if top <= best and (len(self._near) == TIES or top < best - 2 * slack):
                return
        best = max([top, *(near[0] for near in self._near[:1])])
        places = (errors >= best - 2 * slack).nonzero().squeeze(1)[:TIES].tolist()
        self._near += [(float(errors[k]), slack, span.start + k, _number(span.got[k])) for k in places]
        self._prune()

    def _exact(self, span: Span, errors: Any) -> None:
        """Count the exact results of a function that may be rational anywhere."""
        slack = errors.new_tensor(span.slack) if isinstance(span.slack, float) else span.slack
        self.counts.exact += int(((errors == 0) & (slack == 0)).sum())
        for k in ((errors <= slack) & (slack > 0)).nonzero().squeeze(1)[:MOST].tolist():
            outcome, truth = self._outcome(_number(span.got[k]), span.start + k)
            self.counts.exact += truth is not None and truth.is_point and outcome.ulp == 0

    def _outcome(self, got: Bound, place: int) -> tuple[Outcome, Enclosure | None]:
        numbers = numbers_of(place, self._subject.form.arity)
        return self._subject.outcome(got, *(self._subject.order.value(n) for n in numbers))

    def _watch_one(self, error: float, place: int, got: Bound) -> None:
        self._near.append((error, 0.0, place, got))
        self._prune()

    def _prune(self) -> None:
        self._near.sort(key=lambda near: (-near[0], near[2]))
        least = self._near[0][0]
        self._near = [near for near in self._near if near[0] >= least - 2 * near[1]][:TIES]

    def _one(self, place: int, error: float) -> None:
        counts = self.counts
        counts.rounded += error <= 0.5
        counts.faithful += error < 1
        self._row(place // self._binade)[_bin(error)] += 1

    def _status(self, outcome: Outcome, place: int) -> None:
        counts, status = self.counts, outcome.status
        if status is Status.REFUTED:
            counts.refuted += 1
            counts.first_refuted = min(place, place if counts.first_refuted is None else counts.first_refuted)
        elif status is Status.UNKNOWN:
            counts.undecided += 1
        if outcome.judged and outcome.got is not None:
            self._steeper(outcome.ratio, place, float(outcome.got))

    def _steeper(self, ratio: float, place: int, got: float) -> None:
        before = self.counts.steepest
        if before is None or self._rank(ratio, place) > self._rank(*before[:2]):
            self.counts.steepest = ratio, place, got

    def _rank(self, ratio: float, place: int) -> tuple[float, bool, int]:
        """Of equal ratios that of a finite input comes first, then that of the lowest number."""
        finite = self._subject.order.finite
        return ratio, all(n in finite for n in numbers_of(place, self._subject.form.arity)), -place

    def _settle(self) -> None:
        """Count the inputs that are not surely correctly rounded."""
        if not self._waiting:
            return
        torch = load_torch()
        places, errors, got, slack, unit, *columns = (
            torch.cat(parts) for parts in zip(*self._far, strict=True)
        )
        self._far, self._waiting = [], 0
        if len(columns) > self._subject.form.arity:
            bounds = columns.pop()
        else:
            best = self.counts.steepest[0] if self.counts.steepest else 0.0
            bounds = allowed(self._subject, tuple(columns), errors, unit, best)
        edges = errors.new_tensor(EDGES)
        lower, upper = (torch.bucketize(errors + sign * slack, edges) for sign in (-1, 1))
        unclear = lower != upper
        unclear |= (errors - 1).abs() <= slack
        unclear &= (slack > FINEST) | (not self._coarse)
        finite = errors.isfinite()
        known = bounds.isfinite()
        refuted = known & ((errors - slack > bounds * (1 + SLACK)) | ~finite)
        within = known & (errors + slack <= bounds * (1 - SLACK)) | (errors + slack <= 0.5)
        unclear |= ~refuted & ~within
        asked = unclear.nonzero().squeeze(1).tolist()
        room = max(0, MOST - self._asked)
        self._asked += len(asked)
        for k in asked[:room]:
            self._ask(self._start + int(places[k]), _number(got[k]))
        counts, rest = self.counts, torch.ones_like(unclear)
        rest[asked[:room]] = False
        self._bulk(places[rest], errors[rest], got[rest], refuted[rest], within[rest], bounds[rest])
        counts.undecided += int((rest & ~refuted & ~within).sum())

    def _bulk(self, places: Any, errors: Any, got: Any, refuted: Any, within: Any, bounds: Any) -> None:
        torch, counts = load_torch(), self.counts
        counts.rounded += int((errors <= 0.5).sum())
        counts.faithful += int((errors < 1).sum())
        counts.refuted += int(refuted.sum())
        if refuted.any():
            first = self._start + int(places[refuted].min())
            before = counts.first_refuted
            counts.first_refuted = first if before is None else min(first, before)
        bins = torch.bucketize(errors, errors.new_tensor(EDGES))
        if not places.numel():
            return
        before, beyond = divmod(self._start, self._binade)
        binades = (places + beyond) // self._binade
        low, high = int(binades.min()), int(binades.max())
        for binade in [low] if low == high else binades.unique().tolist():
            own = bins if low == high else bins[binades == binade]
            found = torch.bincount(own, minlength=BINS).tolist()
            row = self._row(before + binade)
            row[:] = [a + b for a, b in zip(row, found, strict=True)]
        ratios = torch.where(refuted | within & bounds.isfinite(), errors / bounds, 0.0).nan_to_num(
            0.0, math.inf
        )
        worst, at = ratios.max(0)
        self._steeper(float(worst), self._start + int(places[at]), float(got[at]))

    def _ask(self, place: int, got: Bound) -> None:
        """Let the oracle decide one input."""
        outcome, _ = self._outcome(got, place)
        self._one(place, outcome.ulp)
        self._status(outcome, place)

    def _choose_worst(self) -> None:
        """Of the inputs with nearly the largest error the first with the largest, exactly compared."""
        if not self._near:
            return
        error, _, place, got = self._near[0]
        if len(self._near) > 1 and math.isfinite(error):
            found = [(self._outcome(got, place)[0].ulp, -place, got) for _, _, place, got in self._near]
            error, place, got = max(found, key=lambda one: one[:2])
            place = -place
        self.counts.worst = error, place, float(got)


def _number(entry: Any) -> Bound:
    return exact_value(entry.reshape(1))


def _chosen(value: Any, chosen: Any, errors: Any) -> Any:
    if isinstance(value, float):
        return errors.new_full((chosen.numel(),), value)
    return value[chosen]


def _bin(error: float) -> int:
    return next((k for k, edge in enumerate(EDGES) if error <= edge), BINS - 1)
