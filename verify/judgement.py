"""Judging one result: an implementation's output against the exact value and its own error bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.backends import Exact, exact_value
from verify.claim import Formula
from verify.contexts.models import Model
from verify.contexts.rounding import error_bound
from verify.contexts.torch import NotApplicableError, TorchContext
from verify.errors import DomainError
from verify.floats import Bound, Enclosure, Format, ulp_error
from verify.operation import Peer
from verify.oracle import Undecided, enclose
from verify.verdict import Status

Values = tuple[Any, ...]

NO_VALUE = "the definition has no value here"
NO_BOUND = "the algorithm has no finite bound here"
RELATED = "compared with itself rearranged, not with exact values"
FAILED = "the call failed"
DEFINITION = "definition"
"""The name of what is computed as defined, term by term, without a torch function of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Implementation:
    """One way to compute one side of a statement: the peers chosen for its operations, by id."""

    side: str
    formula: Formula
    choice: Mapping[str, Peer]

    @property
    def name(self) -> str:
        """The names of the peers joined by " + ", or "definition" where there are none."""
        return " + ".join(peer.name for peer in self.choice.values()) or DEFINITION

    @property
    def algorithms(self) -> tuple[str, tuple[Callable[..., Any] | None, ...]]:
        """What decides the error bound: implementations that agree here have the same."""
        return self.side, tuple(peer.algorithm for peer in self.choice.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one implementation did on one input.

    ``applicable`` is False where it declined, and ``reason`` then says why. ``status`` is passed,
    refuted or unknown. ``bound``: the largest absolute error allowed, None where there is no bound.
    ``ulp``: the least possible error in ulp; ``ratio``: the largest possible error over the bound.
    ``accuracy``: the error over what level "accurate" allows, and ``height``: the additions in a row that
    explain it, where these were looked at.
    """

    status: Status
    applicable: bool = True
    got: Exact | None = None
    bound: Fraction | None = None
    ulp: float = 0.0
    ratio: float = 0.0
    allowed_ulp: float = math.inf
    reason: str = ""
    accuracy: float | None = None
    height: float | None = None

    @property
    def judged(self) -> bool:
        """Whether the result was compared and found right or wrong."""
        return self.status is not Status.UNKNOWN

    @property
    def size(self) -> tuple[float, float]:
        """What makes one error worse than another: its ulps, then its share of the bound."""
        return self.ulp, self.ratio


class Judge:
    """Judges implementations of the sides of one statement in one format on one device.

    Exact values and bounds are computed once for an input, however many implementations share them.
    """

    def __init__(self, format: Format, device: str, model: Model, *, max_bits: int) -> None:
        self._format = format
        self._device = device
        self._model = model
        self._max_bits = max_bits
        self._values: Values | None = None
        self._known: dict[Any, Any] = {}

    def exact(self, side: str, formula: Formula, values: Values) -> Enclosure | Undecided:
        """The enclosure of a side at an input; ``Undecided`` also where the formula has no value."""
        key = ("exact", side)
        known: Enclosure | Undecided = self._once(values, key, lambda: self._enclose(formula, values))
        return known

    def outcome(self, implementation: Implementation, values: Values) -> Outcome:
        """Compute one implementation at an input and judge the result."""
        try:
            got = exact_value(self._run(implementation, values))
        except NotApplicableError as error:
            return Outcome(Status.UNKNOWN, applicable=False, reason=str(error))
        truth = self.exact(implementation.side, implementation.formula, values)
        if isinstance(truth, Undecided):
            return Outcome(Status.UNKNOWN, got=got, reason=f"the oracle did not decide: {truth.reason}")
        bound = self._once(values, implementation.algorithms, lambda: self._bound(implementation, values))
        return judge(got, truth, bound, self._format)

    def _run(self, implementation: Implementation, values: Values) -> Any:
        context = TorchContext(self._format.name, self._device, implementation.choice)
        lifted = self._once(values, "tensors", lambda: [context.lift(value) for value in values])
        return implementation.formula(context, *lifted)

    def _enclose(self, formula: Formula, values: Values) -> Enclosure | Undecided:
        try:
            return enclose(formula, values, format=self._format, max_bits=self._max_bits)
        except DomainError as error:
            return Undecided(self._max_bits, f"the formula has no value here: {error}")

    def _bound(self, implementation: Implementation, values: Values) -> Fraction | None:
        try:
            return error_bound(implementation.formula, values, self._model, implementation.choice)
        except DomainError:
            return None

    def _once(self, values: Values, key: Any, make: Callable[[], Any]) -> Any:
        """``make()``, remembered for as long as the input stays the same."""
        if values is not self._values:
            self._values, self._known = values, {}
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]


def judge(got: Exact, truth: Enclosure, bound: Fraction | None, format: Format) -> Outcome:
    """Compare a result with the enclosure of its exact value.

    Refuted when the least possible error exceeds the bound, passed when the largest does not. A nan,
    and an infinity where the exact value is well inside the format's range, is refuted under every
    bound that does not reach beyond the range, and its error is infinite; a finite result without a
    bound is not judged.
    """
    least = ulp_error(got, truth, format)[0]
    allowed = _allowed(bound, truth, format)
    infinite = Outcome(Status.REFUTED, True, got, bound, math.inf, math.inf, allowed)
    no_number = not isinstance(got, Fraction) and _farthest(truth) <= format.largest
    if isinstance(least, float) or (bound is None and no_number):
        return infinite
    if bound is None:
        return Outcome(Status.UNKNOWN, got=got, ulp=as_float(least), reason=NO_BOUND)
    value, lower, upper = (format.clamped(x) for x in (got, truth.lower, truth.upper))
    nearest = abs(value - min(max(value, lower), upper))
    farthest = max(value - lower, upper - value)
    if no_number and nearest > bound:
        return infinite
    status = Status.REFUTED if nearest > bound else Status.PASSED if farthest <= bound else Status.UNKNOWN
    reason = "the enclosure is too wide to tell" if status is Status.UNKNOWN else ""
    return Outcome(status, True, got, bound, as_float(least), _ratio(farthest, bound), allowed, reason)


def _allowed(bound: Fraction | None, truth: Enclosure, format: Format) -> float:
    """The bound in ulp of the exact value."""
    return math.inf if bound is None else as_float(bound / format.ulp(_farthest(truth)))


def _farthest(truth: Enclosure) -> Bound:
    """The largest magnitude that the exact value may have."""
    below, above = -truth.lower, truth.upper
    return above if above >= below else below


def _ratio(error: Fraction, bound: Fraction) -> float:
    if bound == 0:
        return math.inf if error else 0.0
    return as_float(error / bound)


def as_float(x: Fraction) -> float:
    """The nearest float, infinite beyond the largest."""
    try:
        return float(x)
    except OverflowError:
        return math.inf


def text_of(value: Any) -> str:
    """An exact value: a whole number, the shortest decimal of its float64, or a list of them."""
    if isinstance(value, tuple):
        return f"[{', '.join(text_of(item) for item in value)}]"
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 and abs(value) < 10**16 else repr(float(value))
    return repr(value)
