"""Search: calls drawn until one refutes a property, the simplest of them, and the verdict about it."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from verify.backends import require_device
from verify.call_forms import Forms
from verify.calls import SMALL, Call, calls
from verify.candidate import name_of
from verify.cases import Case, place_of
from verify.contexts.heights import Height
from verify.contexts.models import model_for
from verify.contract import Contract
from verify.drawn_options import Drawn
from verify.elements import Property, variable_of
from verify.errors import UnavailableError
from verify.examination import Examiner
from verify.findings import complexity, refutation, size
from verify.floats import format_named
from verify.found import Found
from verify.guard import Clock, limited
from verify.hints import Seen
from verify.planned import Planned
from verify.reduction import reduced
from verify.strategies import Enough, explore
from verify.tally import Tally
from verify.verdict import Coverage, Status, Verdict
from verify.words import counted

MAX_BITS = 4096
WIDE_SECONDS = 10.0
"""Processor time for the wide calls of a property, for side effects half of it; then none is begun."""

LONG = 1000
"""Length of an axis from which on the time of a call tells that of a longer one."""

REDUCING_SECONDS = 2.5
"""Processor time after which a finding is made no narrower or plainer."""

MASKED = 15
"""Small calls with infinities, and as many of long rows, of operations that take them."""

SHRINKS = 100
"""Calls that are tried at most to make a finding simpler."""

SHRINKING_SECONDS = 2.0
"""Processor time for that; rows and columns that are left are cut afterwards."""

PLAINER = 24
"""Calls without the value of an option with which alone calls were refuted so far."""

SEVERE = 30.0
"""Error / bound from which on a call is as wrong as any other."""

MEDIUM = 1200
"""Numbers up to which a finding is cut before another one is looked for in small calls."""


@dataclass(slots=True)
class Search:
    """The search for a call that refutes one property in one dtype on one device.

    ``calling`` is told each call before the candidate gets it.
    """

    candidate: Callable[..., Any]
    contract: Contract
    choices: Mapping[str, tuple[Any, ...]]
    declined: str
    aspect: Property
    dtype: str
    device: str
    grad: bool
    examples: int
    seed: int
    time_limit: float | None
    level: str = "stable"
    height: Height = None
    calling: Callable[[Call], None] | None = None
    examiner: Examiner = field(init=False)
    drawn: Drawn = field(init=False)
    planned: Planned = field(init=False)
    forms: Forms = field(init=False)
    tally: Tally = field(default_factory=Tally)
    seen: Seen = field(default_factory=Seen)
    clock: Clock = field(default_factory=Clock)
    refuting: list[tuple[Call, Found]] = field(default_factory=list)
    tried: int = 0
    until: float = math.inf
    skipped: int = 0
    left_out: int = 0
    thorough: bool = False

    def __post_init__(self) -> None:
        self.drawn = Drawn(self.contract, self.choices)
        self.planned = Planned(self.drawn, self.aspect, self.dtype, self.seed)
        self.forms = Forms(self.drawn, self._examine, self._failed, self.planned.first)

    @property
    def subject(self) -> str:
        """What the verdict is about, in words."""
        name = f"{name_of(self.candidate)} as {self.contract.name}"
        return f"{name}: {self.aspect} in {self.dtype} on {self.device}"

    def verdict(self) -> Verdict:
        """Search, and say what was found; unknown on a device that is absent."""
        return self._verdict(self._explore, "searched")

    def replayed(self, call: Call) -> Verdict:
        """Judge one call and no other; unknown on a device that is absent."""
        self.thorough = True
        return self._verdict(lambda: self._visit(call), "witness")

    def _verdict(self, look: Callable[[], object], coverage: Coverage) -> Verdict:
        verdict = Verdict(self.subject, Status.UNKNOWN, coverage=coverage, level=self.level)
        try:
            require_device(self.device)
        except UnavailableError as error:
            return replace(verdict, coverage=None, reason=f"not run: {error}")
        self.examiner = Examiner(
            self.candidate,
            self.aspect,
            format_named(self.dtype),
            self.device,
            model_for(self.dtype, self.device, height=self.height, upcast=self.level == "upcast"),
            self.grad,
            self.level,
            MAX_BITS,
            self.thorough,
            self.drawn.taken,
            lambda: self.tally.accuracy,
        )
        with limited(self.time_limit) as self.clock:
            look()
        tally = self.tally
        stopped = f"stopped by the time limit after {counted(tally.seen, 'call')}" if self.skipped else ""
        held = "" if self.height is None else f"sums are held to the height {self.height}"
        left_out = counted(self.left_out, "wide call")
        slow = f"left out, as taking too long: {left_out}" if self.left_out else ""
        reason = "; ".join(told for told in (tally.reason, self.declined, held, stopped, slow) if told)
        applicable = not (tally.never_applicable and self.aspect.startswith("gradient of"))
        verdict = replace(verdict, status=tally.status, reason=reason, inputs=tally.judged)
        verdict = replace(verdict, applicable=applicable)
        if tally.judged and self.aspect != "side effects":
            outcomes = [found.outcome for _, found in self.refuting]
            ulp = max([tally.worst_ulp, *(outcome.ulp for outcome in outcomes)])
            ratio = max([tally.worst_ratio, *(outcome.ratio for outcome in outcomes)])
            verdict = replace(verdict, worst_ulp=ulp, worst_ratio=ratio)
            verdict = replace(verdict, accuracy=tally.accuracy, height=tally.height, grade=_grade(tally))
        if not self.refuting:
            return verdict
        call, found = self._plainest()
        place = place_of(self.candidate)
        case = Case(call, self.aspect, self.dtype, self.device, self.grad, place, self.level, self.height)
        verdict = refutation(verdict, self.candidate, case, found)
        refuted = verdict.status is Status.REFUTED
        return replace(verdict, hint=self.seen.hint(call, self.choices)) if refuted else verdict

    def _explore(self) -> None:
        """Small calls, larger and wide ones; what only those refuted is looked for in small ones again."""
        deadline = math.inf if self.time_limit is None else time.monotonic() + self.time_limit
        few = (self.examples + 1) // 2
        rest = self.examples - few
        first = (few + 2) // 3
        self._draw(first, deadline, small=True, again=0)
        if self.tally.never_applicable and self.aspect.startswith("gradient of"):
            self._draw(few, deadline, small=True, again=3, plain=True)
        if self.tally.never_applicable and self.aspect.startswith("gradient of"):
            return
        if not self.refuting and few > first:
            self._draw(few - first, deadline, small=True, again=1)
        if not self.refuting:
            self._until_refuted(self.planned.in_turn())
        if not self.refuting and self.aspect != "side effects":
            self._until_refuted(self.planned.jointly())
        if not self.refuting and self._may_be_infinite:
            self._draw(MASKED, deadline, small=True, again=4, masked=True)
            if not self.refuting:
                self._draw(MASKED, deadline, small=False, again=4, masked=True)
        if not self.refuting and rest:
            self._draw((rest + 1) // 2, deadline, small=False, again=0)
        if not self.refuting and rest:
            self._spread(rest // (10 if self.aspect == "side effects" else 2), deadline)
        if not self.refuting and rest and self.aspect != "side effects":
            self._until_refuted(self.planned.empty())
        if self.tally.never_applicable and not all(option.keyword for option in self.contract.options):
            self._draw(few, deadline, small=True, again=3, plain=True)
        if self.refuting and SMALL * SMALL < self._least() <= MEDIUM:
            self._reduce(deadline)
        if self.refuting and self._least() > SMALL * SMALL:
            self.tried = 0
            self._draw(few, deadline, small=True, again=2)
        if self.refuting and self._least() > SMALL * SMALL:
            self.tried = 0
            options = {name: (value,) for name, value in self._plainest()[0].options.items()}
            self._draw(few, deadline, small=True, again=6, among=options)
        if self.refuting:
            self._reduce(deadline)
            among = self.seen.excludable(self._plainest()[0], self.choices)
            if among:
                self.tried = 0
                masked = self._may_be_infinite and self._plainest()[0].infinite
                self._draw(PLAINER, deadline, small=True, again=5, masked=masked, among=among)

    def _plainest(self) -> tuple[Call, Found]:
        """The simplest call that refutes."""
        return min(self.refuting, key=lambda pair: complexity(pair[0], self.dtype))

    @property
    def _may_be_infinite(self) -> bool:
        """Whether masked calls are for this property; a derivative in another variable is infinite there."""
        of, infinite = variable_of(self.aspect, self.contract), self.contract.infinite
        return self.aspect != "side effects" and bool(infinite) and of in {"", *infinite}

    def _until_refuted(self, planned: Iterator[Call]) -> None:
        any(map(self._visit, planned))

    def _least(self) -> int:
        """The numbers of the smallest call that refutes."""
        return min(size(call) for call, _ in self.refuting)

    def _spread(self, count: int, deadline: float) -> None:
        """Wide calls until one refutes; those for which there is no time are left out.

        What a long axis costs is known from those before.
        """
        end = time.process_time() + WIDE_SECONDS / (2 if self.aspect == "side effects" else 1)
        each = 0.0
        for call in self.planned.wide(count):
            start, longest = time.process_time(), max(call.lengths.values())
            if time.monotonic() > deadline:
                self.skipped += 1
            elif start + each * longest > end:
                self.left_out += 1
            elif self._visit(call):
                self._narrower(call, deadline)
                return
            elif longest >= LONG:
                each = max(each, (time.process_time() - start) / longest)

    def _narrower(self, call: Call, deadline: float) -> None:
        """After a wide finding, smaller tables with the same options, until one of them refutes."""
        stop = time.process_time() + REDUCING_SECONDS / 2
        for other in self.planned.narrower(call):
            if time.monotonic() > deadline or time.process_time() > stop or self._visit(other):
                return

    def _reduce(self, deadline: float) -> None:
        """The smallest call that refutes is made as narrow and plain as it can be."""
        call, _ = self._plainest()
        stop = time.process_time() + REDUCING_SECONDS

        def refutes(candidate: Call) -> bool:
            self.tried = 0
            return time.monotonic() < deadline and time.process_time() < stop and self._visit(candidate)

        reduced(call, refutes)

    def _draw(
        self,
        examples: int,
        deadline: float,
        *,
        small: bool,
        again: int,
        plain: bool = False,
        masked: bool = False,
        among: Mapping[str, tuple[Any, ...]] = MappingProxyType({}),
    ) -> None:
        taken = {**self.drawn.taken(plain=plain), **among}
        drawn = calls(self.contract, self.dtype, taken, small=small, masked=masked)
        name = f"{self.contract.name} {self.aspect} {self.dtype} {small} {again}"
        self.until = math.inf

        def visit(call: Call) -> tuple[Mapping[str, float], bool]:
            late = time.monotonic() > deadline or time.process_time() > self.until
            if late or self.tried > SHRINKS:
                self.skipped += not self.refuting
                raise Enough
            return {}, self._visit(call)

        explore(drawn, visit, seed=zlib.crc32(name.encode()) ^ self.seed, examples=examples)

    def _visit(self, call: Call) -> bool:
        """Judge a call; once one is refuted, look for those that are wrong by about as much."""
        if self.clock.hung:
            self.skipped += not self.refuting
            return False
        found = self.forms.examined(call)
        outcome = found.outcome
        self.drawn.learn(call, outcome)
        self.seen.add(call, outcome)
        severe = 0.0
        if self.refuting:
            self.tried += 1
            severe = min(SEVERE, math.sqrt(math.sqrt(self.refuting[0][1].outcome.ratio)))
        else:
            self.tally.add(outcome, (call,))
        refuted = outcome.status is Status.REFUTED and outcome.ratio >= severe
        if refuted:
            self.refuting.append((found.call or call, found))
            self.until = min(self.until, time.process_time() + SHRINKING_SECONDS)
        return refuted

    def _examine(self, call: Call) -> Found:
        if self.calling is not None:
            self.calling(call)
        return self.examiner.examine(call)

    def _failed(self, found: Found) -> bool:
        """Whether the candidate did not return what can be judged."""
        outcome = found.outcome
        if self.clock.hung:
            return False
        if self.aspect == "side effects":
            return outcome.applicable and not outcome.judged
        return found.position is None and outcome.status is Status.REFUTED


def _grade(tally: Tally) -> str | None:
    """The best level that the values seen have met; None where accuracy was not looked at."""
    if tally.accuracy is None:
        return None
    if tally.status is not Status.PASSED:
        return "unstable" if tally.status is Status.REFUTED else None
    return "accurate" if tally.accuracy <= 1 else "stable"
