"""Evidence: the two sides of a statement, computed by every named torch function, against the exact value.

One search over the inputs of a statement, climbing error / bound, judges all implementations of
both sides on each input. What is refuted is then shrunk, confirmed by mpmath, written as a script
that needs torch alone, and that script is run.
"""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from verify.backends import require_device, torch_dtype
from verify.claim import Part
from verify.confirmation import Confirmed, Error, confirmed, inputs_of, refutation
from verify.contexts.models import model_for
from verify.contexts.torch import choices
from verify.contract import numbers_of
from verify.determined import without_determined
from verify.errors import UnavailableError
from verify.floats import Device, Dtype, Format, format_named, name_of_torch
from verify.input_witness import InputWitness
from verify.judgement import Implementation, Judge, Outcome, Values
from verify.kernel.build import build
from verify.kernel.text import text
from verify.oracle import Undecided
from verify.profile import Profile, place_of
from verify.proof import fingerprint
from verify.record import EvidenceRecord, NotRun, check_id
from verify.strategies import Enough, explore, inputs
from verify.tally import Between, Pair, Tally, worst_pair
from verify.verdict import Status

EXAMPLES = 60
MAX_BITS = 4096
SMALL = 4
"""A refuting input with at most so many numbers is tried first in the dtypes that follow."""

SHRUNK = 1 << 14
"""Numbers in all inputs together that are tried to make a refuting one simpler."""

EXACT = "both sides in exact arithmetic"


def gather(
    part: Part,
    claim_id: str,
    *,
    dtypes: Sequence[Dtype],
    devices: Sequence[Device],
    seed: int = 0,
    examples: int = EXAMPLES,
    max_bits: int = MAX_BITS,
    known: Collection[str] = (),
) -> tuple[tuple[EvidenceRecord, ...], tuple[NotRun, ...]]:
    """The numeric evidence for one statement, and what could not be run.

    ``examples``: inputs per dtype and device, the same for one ``seed``. ``max_bits`` caps the
    oracle's precision. Raises ``UnavailableError`` without torch and ``UsageError`` for an unknown
    dtype or device; a known device that is absent is reported as not run. Variables that the hypotheses
    determine are not drawn but computed, by torch too. The checks whose id is ``known`` are left out.
    """
    records: list[EvidenceRecord] = []
    smallest: list[Values] = []
    chosen, statement = without_determined(part), fingerprint(part)
    dtypes, devices = (tuple(map(name_of_torch, given)) for given in (dtypes, devices))
    for dtype in dtypes:
        torch_dtype(dtype)
    here, missing = present(devices)
    for device in here:
        for dtype in dtypes:
            how = seed, examples, max_bits, smallest, frozenset(known)
            run = _Run(chosen, claim_id, statement, dtype, device, *how)
            run.search()
            records += run.records()
            missing += run.not_applicable()
            smallest = [values for values in run.smallest if len(numbers_of(values)) <= SMALL]
    return tuple(records), tuple(missing)


def at(part: Part, claim_id: str, witness: InputWitness) -> EvidenceRecord | None:
    """The check that a witness names, judged at its input alone; None where torch has no such function."""
    chosen, values = without_determined(part), witness.values
    where = witness.dtype, witness.device
    run = _Run(chosen, claim_id, fingerprint(part), *where, 0, 1, MAX_BITS, [values])
    found = [i for i in run.ways(values) if (i.side, i.name) == (witness.side, witness.implementation)]
    if not found:
        return None
    run.tallies = {found[0]: Tally()}
    run.visit(values)
    return next(run.records())


def implementations(part: Part) -> tuple[Implementation, ...]:
    """Every way in which torch computes a side of a statement, as it is seen at one input."""
    run = _Run(without_determined(part), "", "", "float32", "cpu", 0, 1, MAX_BITS, [])
    found: list[Implementation] = []

    def look(values: Values) -> tuple[dict[str, float], bool]:
        found.extend([] if found else run.ways(values))
        return {}, False

    explore(run.strategy(), look, seed=0, examples=5)
    return tuple(found)


def present(devices: Sequence[str]) -> tuple[tuple[str, ...], list[NotRun]]:
    """Of these devices those that are there, and what is not run for want of the others.

    Raises ``UsageError`` for one that is unknown.
    """
    here: list[str] = []
    missing: list[NotRun] = []
    for device in devices:
        try:
            require_device(device)
        except UnavailableError as error:
            how = f"run on a machine with {device}, with --devices {device}"
            missing.append(NotRun(f"numeric checks on {device}", str(error), how))
        else:
            here.append(device)
    return tuple(here), missing


@dataclass(slots=True)
class _Run:
    """One statement in one dtype on one device: the search, what it saw, and the records made of it."""

    part: Part
    claim_id: str
    fingerprint: str
    dtype: str
    device: str
    seed: int
    examples: int
    max_bits: int
    smallest: list[Values]
    known: frozenset[str] = frozenset()
    tallies: dict[Implementation, Tally] = field(default_factory=dict)
    profiles: dict[Implementation, Profile] = field(default_factory=lambda: defaultdict(Profile))
    between: Between = field(init=False)
    judge: Judge = field(init=False)
    format: Format = field(init=False)
    visited: dict[Values, tuple[dict[str, float], dict[Implementation, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.format = format_named(self.dtype)
        model = model_for(self.dtype, self.device)
        self.judge = Judge(self.format, self.device, model, max_bits=self.max_bits)
        self.between = Between(self.part.relation)

    def search(self) -> None:
        """Draw the inputs and judge every implementation on each of them."""
        explore(self.strategy(), lambda values: (self.visit(values), False), **self._effort())

    def records(self) -> Iterator[EvidenceRecord]:
        """A record for each implementation that took an input, then those for the sides together."""
        for implementation in self._implementations():
            tally = self.tallies[implementation]
            if not tally.never_applicable:
                yield self._record(implementation, tally)
        yield self._exact_record()
        if self.between.worst is not None:
            yield self._pair_record(self.between.worst)

    def not_applicable(self) -> Iterator[NotRun]:
        """The implementations that declined every input."""
        for implementation, tally in self.tallies.items():
            if tally.never_applicable:
                yield NotRun(
                    f"{self.part.id}, {implementation.side}: {implementation.name} in {self.dtype}",
                    f"not applicable to any of {tally.seen} inputs: {tally.declined_because}",
                    "nothing to do where torch does not offer it; else extend the domain of the statement",
                )

    def strategy(self) -> Any:
        """Draws inputs of the statement."""
        return inputs(self.part.given, self.dtype, self.part.hypotheses)

    def _effort(self) -> dict[str, int]:
        name = f"{self.claim_id} {self.part.id} {self.dtype}"
        return {"seed": zlib.crc32(name.encode()) ^ self.seed, "examples": self.examples}

    def _implementations(self) -> list[Implementation]:
        """Every way to compute either side; those of a statement without any input are unknown."""
        if not self.tallies and not self.visited:
            for side in ("left", "right"):
                self.tallies[Implementation(side, self._formula(side), {})] = Tally()
        return list(self.tallies)

    def ways(self, values: Values) -> Iterator[Implementation]:
        """Every way to compute either side, as it is seen at an input."""
        for side in ("left", "right"):
            for choice in choices(self._formula(side), values):
                yield Implementation(side, self._formula(side), choice)

    def _id(self, way: Implementation) -> str:
        return check_id(self.part.id, way.side, way.name, self.dtype, self.device)

    def _formula(self, side: str) -> Any:
        return self.part.left if side == "left" else self.part.right

    def visit(self, values: Values) -> dict[str, float]:
        """Judge all implementations on one input; returns the scores to climb."""
        if not self.tallies and not self.visited:
            self.tallies = {i: Tally() for i in self.ways(values) if self._id(i) not in self.known}
        outcomes = self._outcomes(values)
        left, right = (self.judge.exact(side, self._formula(side), values) for side in ("left", "right"))
        self.between.add_exact(left, right, values)
        if not isinstance(left, Undecided):
            self.between.add_pairs(outcomes, left, values, self.format)
        scores, place = {}, place_of(values, self.format)
        for implementation, outcome in outcomes.items():
            self.tallies[implementation].add(outcome, values)
            if outcome.judged:
                self.profiles[implementation].add(place, outcome.ratio)
            if outcome.status is Status.PASSED:
                scores[f"{implementation.side} {implementation.name}"] = outcome.ratio
        refuted = {i: outcome.ratio for i, outcome in outcomes.items() if outcome.status is Status.REFUTED}
        self.visited[values] = scores, refuted
        return scores

    def _outcomes(self, values: Values) -> dict[Implementation, Outcome]:
        return {implementation: self.judge.outcome(implementation, values) for implementation in self.tallies}

    def _shrunk(self, implementation: Implementation) -> Values:
        """A simple input that refutes clearly: by at least the fourth root of the worst error / bound.

        One found before, for another implementation or, if small, another dtype, if it does; else
        the smallest one seen, shrunk: the same search again, stopped there.
        """
        severe = math.sqrt(math.sqrt(self.tallies[implementation].worst_ratio))
        for values in self.smallest:
            if self._refutes(implementation, values, severe):
                return values
        clear = [
            values for values, seen in self.visited.items() if seen[1].get(implementation, 0.0) >= severe
        ]
        start = min(clear, key=lambda values: len(numbers_of(values)))

        tried: list[int] = []
        """How many numbers the inputs have had, all together, at each one since the start came again."""

        def revisit(values: Values) -> tuple[Mapping[str, float], bool]:
            if values in self.visited and not tried:
                if values == start:
                    tried.append(0)
                return self.visited[values][0], values == start
            tried.append(sum(tried[-1:]) + len(numbers_of(values)))
            if tried[-1] > SHRUNK:
                raise Enough
            return {}, self._refutes(implementation, values, severe)

        return tuple(explore(self.strategy(), revisit, **self._effort()) or start)

    def _refutes(self, implementation: Implementation, values: Values, severe: float) -> bool:
        """Whether an implementation is wrong at an input by ``severe`` times its bound at least."""
        if values in self.visited:
            return self.visited[values][1].get(implementation, 0.0) >= severe
        outcome = self.judge.outcome(implementation, values) if self._holds_all(values) else None
        return outcome is not None and outcome.status is Status.REFUTED and outcome.ratio >= severe

    def _record(self, implementation: Implementation, tally: Tally) -> EvidenceRecord:
        record = self._blank(
            implementation.side, implementation.name, tally.status, tally.judged, tally.reason
        )
        record = replace(record, expression=self._expression(implementation))
        if tally.judged:
            profile = self.profiles[implementation]
            record = replace(record, by_order=profile.by_order(), by_value=profile.by_value())
            record = replace(record, worst_ulp=tally.worst_ulp, worst_ratio=tally.worst_ratio)
        if tally.worst is None:
            return record
        simple = self._shrunk(implementation)
        if simple not in self.smallest:
            self.smallest.append(simple)
        example = self._error(implementation, simple, self.judge.outcome(implementation, simple))
        worst = self._error(implementation, *tally.worst)
        record = refutation(record, self.part, example, worst, self._confirmed)
        if record.status is not Status.REFUTED:
            return record
        where = self.part.id, record.side, record.implementation, self.dtype, self.device, self.fingerprint
        return replace(record, witness=InputWitness(*where, simple).text())

    @staticmethod
    def _error(implementation: Implementation, values: Values, outcome: Outcome) -> Error:
        return Error(
            (implementation,), values, (outcome.got,), outcome.ulp, outcome.allowed_ulp, outcome.ratio
        )

    def _exact_record(self) -> EvidenceRecord:
        """Whether the statement itself held, side against side, on every input."""
        between = self.between
        if between.violating is not None:
            told = f"the enclosures of the sides are apart at {inputs_of(self.part, between.violating)}"
            return self._blank("between", EXACT, Status.REFUTED, between.inputs, told)
        status = Status.PASSED if between.inputs and not between.undecided else Status.UNKNOWN
        return self._blank("between", EXACT, status, between.inputs, between.reason)

    def _pair_record(self, worst: Pair) -> EvidenceRecord:
        """The two sides as computed, for the pair of implementations that lies furthest apart."""
        name = f"{worst.left.name} against {worst.right.name}"
        status = Status.UNKNOWN if self.between.undecided else Status.PASSED
        record = self._blank("between", name, status, self.between.pairs, self.between.reason)
        sides = worst.left, worst.right
        defined = " against ".join(filter(None, map(self._expression, sides)))
        record = replace(record, worst_ulp=worst.gap_ulp, worst_ratio=worst.ratio, expression=defined)
        if worst.ratio <= 1:
            return record
        record = replace(record, status=Status.REFUTED)
        known = (self._pair_at(sides, values) for values in self.smallest if self._holds_all(values))
        pair = next((pair for pair in known if pair is not None and pair.ratio > 1), worst)
        return refutation(record, self.part, self._pair_error(pair), self._pair_error(worst), self._confirmed)

    def _expression(self, implementation: Implementation) -> str:
        """What an implementation without torch functions computes, in plain text."""
        return "" if implementation.choice else text(build(implementation.formula, self.part.given))

    def _pair_error(self, pair: Pair) -> Error:
        sides = pair.left, pair.right
        got = tuple(self.judge.outcome(side, pair.values).got for side in sides)
        return Error(sides, pair.values, got, pair.gap_ulp, pair.allowed_ulp, pair.ratio)

    def _holds_all(self, values: Values) -> bool:
        """Whether the format holds every number of an input that another format may have found."""
        return all(self.format.is_value(number) for number in numbers_of(values))

    def _pair_at(self, sides: tuple[Implementation, ...], values: Values) -> Pair | None:
        truth = self.judge.exact("left", self.part.left, values)
        if isinstance(truth, Undecided):
            return None
        outcomes = {side: self.judge.outcome(side, values) for side in sides}
        return worst_pair(outcomes, truth, values, self.format, self.part.relation)

    def _confirmed(self, record: EvidenceRecord, error: Error) -> Confirmed:
        truth = self.judge.exact(error.sides[0].side, error.sides[0].formula, error.values)
        title = f"{self.claim_id}: {record.implementation} in {self.dtype} on {self.device}"
        return confirmed(error, truth, self.part, title, self.dtype, self.device)

    def _blank(self, side: str, name: str, status: Status, count: int, reason: str) -> EvidenceRecord:
        return EvidenceRecord(
            self.claim_id,
            self.part.id,
            side,
            name,
            self.dtype,
            self.device,
            status,
            count,
            reason=reason,
            fingerprint=self.fingerprint,
        )
