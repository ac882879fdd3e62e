"""Counting: the errors of many results, in ulp, turned into counts, a histogram and the worst inputs."""

from __future__ import annotations

import math
from typing import Any

from verify.backends import load_torch
from verify.contexts.running import SLACK
from verify.floats import Bound, Enclosure
from verify.judgement import Outcome
from verify.sweeps.allowance import Blocks, allowed, bounds_at, least_of_pairs
from verify.sweeps.counts import BINS, EDGES, PARTS, Counts, Span, bins_of, numbers_of
from verify.sweeps.subject import Subject
from verify.sweeps.worst import Worst, number_of
from verify.verdict import Status

MOST = 1 << 12
"""Inputs of a chunk that the oracle decides one by one, at most."""

FULL = 1 << 17
"""Inputs that wait to be judged, at most."""

FINEST = 2.0**-20
"""Pairs whose error is known up to so many ulp are counted by it, however close to 1/2 or 1 ulp it is."""


class Counter:
    """Counts the results of one chunk, start..stop."""

    def __init__(self, subject: Subject, start: int, stop: int) -> None:
        self.counts = Counts()
        self._subject = subject
        self._start, self._length = start, stop - start
        self._origin = start if stop - start < 1 << 62 else subject.order.half
        self._binade = subject.order.binade << (16 * (subject.form.arity - 1))
        self._far: list[tuple[Any, ...]] = []
        self._waiting = 0
        self._asked = 0
        self._worst = Worst(subject)
        self._coarse = subject.form.arity > 1
        self._tabled = False
        self._rational = subject.curve.rational is None
        self._blocks = Blocks(subject, start, stop)

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
        self._worst.watch(span, errors, top, slack)
        if self._rational:
            self._exact(span, errors)
        if span.bounds is not None:
            self._tabled = True
            self._put_aside(span, errors, torch.arange(total, device=errors.device), span.bounds)
        elif self._coarse:
            places = (errors > 0.5 + span.slack).nonzero().squeeze(1)
            self._all_rounded(span.start, total - places.numel())
            self._put_aside(span, errors, places, errors.new_zeros(places.shape))
        elif top <= 0.5 - slack:
            self._all_rounded(span.start, total)
        else:
            self._by_edges(span, errors, top)

    def passed(self, start: int, total: int, top: float, slack: float) -> bool:
        """Count a run of inputs with errors up to ``top`` if that is enough to know of them."""
        enough = top <= 0.5 - slack and not self._rational and not self._worst.wants(top, slack)
        if enough:
            self.counts.inputs += total
            self._profile(start, top)
            self._all_rounded(start, total)
        return enough

    def _by_edges(self, span: Span, errors: Any, top: float) -> None:
        """Count by comparison with the edges of the histogram, but for what that leaves open."""
        torch, slack = load_torch(), float(span.slack)
        places, least = self._blocks.open(span.start, errors, float(span.unit), slack, self._best)
        above, unclear = [errors.numel()], []
        for edge in EDGES:
            if edge - slack > top:
                break
            above.append(int(torch.count_nonzero(errors > edge)))
            off = (errors - edge).abs_()
            if float(off.amin()) <= slack:
                unclear.append((off <= slack).nonzero().squeeze(1))
        if unclear:
            more = torch.cat(unclear)
            more = more[~torch.isin(more, places)]
            places, least = torch.cat((places, more)), torch.cat((least, errors.new_zeros(more.shape)))
        aside = torch.bincount(bins_of(errors[places]), minlength=BINS).tolist()
        row = [n - after - k for n, after, k in zip(above, [*above[1:], 0], aside, strict=False)]
        self.counts.rounded += row[0]
        self.counts.faithful += sum(row[:2])
        self._add_to_row(span.start // self._binade, row)
        if places.numel():
            self._put_aside(span, errors, places, least)

    def _put_aside(self, span: Span, errors: Any, places: Any, least: Any) -> None:
        """Keep these inputs for `_settle`; ``least``: the bound, or less, or 0."""
        errors = errors[places]
        self._far.append(
            (
                places + (span.start - self._origin),
                errors,
                span.got[places].double(),
                _chosen(span.slack, places, errors),
                _chosen(span.unit, places, errors),
                least,
            )
        )
        self._waiting += places.numel()
        if self._waiting > FULL:
            self._settle()

    def add_scattered(self, span: Span) -> None:
        """Count the inputs of a span that has ``places``, which may lie far apart."""
        places = [span.start + n for n in span.places.tolist()]
        self.counts.inputs += len(places)
        for place, error in zip(places, span.errors.tolist(), strict=True):
            self._profile(place, error)
        self._worst.watch(span, span.errors, float(span.errors.amax()), float(span.slack.amax()))
        least = span.errors.new_zeros(span.errors.shape)
        here = span.places + (span.start - self._origin)
        self._far.append((here, span.errors, span.got.double(), span.slack, span.unit, least))
        self._waiting += len(places)

    def point(self, got: Bound, *numbers: int) -> None:
        """Count one input by the oracle; ``numbers`` are those of its arguments."""
        place = numbers[0] if len(numbers) == 1 else (numbers[0] << 16) | numbers[1]
        outcome, truth = self._subject.outcome(got, *(self._subject.order.value(n) for n in numbers))
        if truth is None and not outcome.reason:
            return
        self.counts.inputs += 1
        self._profile(place, outcome.ulp)
        self._worst.add(outcome.ulp, place, got)
        exact = self._rational and truth is not None and truth.is_point and outcome.ulp == 0
        self._one(place, outcome.ulp)
        self.counts.exact += exact
        self._status(outcome, place)

    def finished(self) -> Counts:
        """The counts, once everything was added."""
        self._settle()
        self.counts.worst = self._worst.chosen()
        return self.counts

    def _all_rounded(self, start: int, total: int) -> None:
        """Count so many inputs as correctly rounded."""
        self.counts.rounded += total
        self.counts.faithful += total
        self._add_to_row(start // self._binade, [total])

    def _add_to_row(self, binade: int, found: list[int]) -> None:
        row = self._row(binade)
        row[: len(found)] = [a + b for a, b in zip(row, found, strict=False)]

    def _row(self, binade: int) -> list[int]:
        return self.counts.histogram.setdefault(binade, [0] * BINS)

    @property
    def _best(self) -> float:
        """The largest error / bound so far."""
        return self.counts.steepest[0] if self.counts.steepest else 0.0

    def _profile(self, place: int, top: float) -> None:
        part = min((place - self._start) * PARTS // self._length, PARTS - 1)
        self.counts.profile[part] = max(self.counts.profile[part], top)

    def _exact(self, span: Span, errors: Any) -> None:
        """Count the exact results of a function that may be rational anywhere."""
        slack = errors.new_tensor(span.slack) if isinstance(span.slack, float) else span.slack
        self.counts.exact += int(((errors == 0) & (slack == 0)).sum())
        for k in ((errors <= slack) & (slack > 0)).nonzero().squeeze(1)[:MOST].tolist():
            outcome, truth = self._outcome(number_of(span.got[k]), span.start + k)
            self.counts.exact += truth is not None and truth.is_point and outcome.ulp == 0

    def _outcome(self, got: Bound, place: int) -> tuple[Outcome, Enclosure | None]:
        numbers = numbers_of(place, self._subject.form.arity)
        return self._subject.outcome(got, *(self._subject.order.value(n) for n in numbers))

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
        places, errors, got, slack, unit, bounds = (
            torch.cat(parts) for parts in zip(*self._far, strict=True)
        )
        self._far, self._waiting = [], 0
        if not self._tabled:
            bounds = self._allowed(places, errors, unit, bounds)
        bounds = self._raised(places, errors + slack, unit, bounds)
        unclear = self._unclear(errors, slack)
        finite, known = errors < math.inf, bounds < math.inf
        refuted = known & ((errors - slack > bounds * (1 + SLACK)) | ~finite)
        within = known & (errors + slack <= bounds * (1 - SLACK)) | (errors + slack <= 0.5)
        unclear |= ~refuted & ~within
        asked = unclear.nonzero().squeeze(1).tolist()
        room = max(0, MOST - self._asked)
        self._asked += len(asked)
        for k in asked[:room]:
            self._ask(self._origin + int(places[k]), number_of(got[k]))
        found = places, errors, got, refuted, within, bounds
        if asked[:room]:
            rest = torch.ones_like(unclear)
            rest[asked[:room]] = False
            found = tuple(part[rest] for part in found)
        self._bulk(*found)

    def _unclear(self, errors: Any, slack: Any) -> Any:
        """Where an error may lie on either side of an edge of the histogram, or of 1 ulp."""
        if self._coarse and float(slack.amax()) <= FINEST:
            return slack < 0
        low = (errors - slack).clamp_(min=0.0)
        unclear = (bins_of(low) != bins_of(errors + slack)) | ((errors - 1).abs() <= slack)
        return unclear & (slack > FINEST) if self._coarse else unclear

    def _allowed(self, places: Any, errors: Any, unit: Any, least: Any) -> Any:
        """What is allowed at these inputs, in ulp."""
        subject, columns = self._subject, self._columns(places)
        if subject.form.arity == 2:
            least = least_of_pairs(subject, columns) / unit
        return allowed(subject, columns, errors, unit, least, self._best)

    def _raised(self, places: Any, errors: Any, unit: Any, bounds: Any) -> Any:
        """With the bounds of the arithmetic of GPU kernels, in ulp, where errors are not surely within."""
        beyond = ((errors > bounds * (1 - SLACK)) & (errors < math.inf)).nonzero().squeeze(1)
        if beyond.numel():
            others = bounds_at(self._subject, self._columns(places[beyond]), fast=True) / unit[beyond]
            bounds[beyond] = bounds[beyond].maximum(others)
        return bounds

    def _columns(self, places: Any) -> tuple[Any, ...]:
        """The arguments at these places, counted from the first."""
        order = self._subject.order
        if self._subject.form.arity == 1:
            return (order.at(places, self._origin).double(),)
        places = places + self._origin
        return order.at(places >> 16).double(), order.at(places & 0xFFFF).double()

    def _bulk(self, places: Any, errors: Any, got: Any, refuted: Any, within: Any, bounds: Any) -> None:
        torch, counts = load_torch(), self.counts
        counts.rounded += int((errors <= 0.5).sum())
        counts.faithful += int((errors < 1).sum())
        counts.undecided += int((~refuted & ~within).sum())
        if refuted.any():
            counts.refuted += int(refuted.sum())
            first = self._origin + int(places[refuted].min())
            before = counts.first_refuted
            counts.first_refuted = first if before is None else min(first, before)
        bins = bins_of(errors)
        if not places.numel():
            return
        before, beyond = divmod(self._origin, self._binade)
        binades = (places + beyond) >> (self._binade.bit_length() - 1)
        low, high = int(binades.min()), int(binades.max())
        for binade in [low] if low == high else binades.unique().tolist():
            own = bins if low == high else bins[binades == binade]
            found = torch.bincount(own, minlength=BINS).tolist()
            self._add_to_row(before + binade, found)
        judged = refuted | within & (bounds < math.inf)
        ratios = torch.where(judged, errors / bounds, 0.0).nan_to_num_(0.0, math.inf)
        worst, at = ratios.max(0)
        self._steeper(float(worst), self._origin + int(places[at]), float(got[at]))

    def _ask(self, place: int, got: Bound) -> None:
        """Let the oracle decide one input."""
        outcome, _ = self._outcome(got, place)
        self._one(place, outcome.ulp)
        self._status(outcome, place)


def _chosen(value: Any, chosen: Any, errors: Any) -> Any:
    if isinstance(value, float):
        return errors.new_full((chosen.numel(),), value)
    return value[chosen]


def _bin(error: float) -> int:
    return next((k for k, edge in enumerate(EDGES) if error <= edge), BINS - 1)
