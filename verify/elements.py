"""Elements: the result of a call judged number by number, and what is shown of the worst one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from verify.backends import exact_values
from verify.bulk_judgement import judge_table
from verify.calls import Call
from verify.candidate import CandidateError, Function, gradient_of, side_effects_of, value_of
from verify.contexts.axes import NotBulkError
from verify.contexts.bulk import Bulk, evaluate
from verify.contexts.family import Family
from verify.contexts.rounded import Model
from verify.contexts.rounding import error_bounds
from verify.contexts.torch import NotApplicableError
from verify.contract import Contract
from verify.errors import DomainError
from verify.floats import Enclosure, Format
from verify.judgement import NO_BOUND, Outcome, judge
from verify.oracle import Undecided, enclose_family
from verify.verdict import Status
from verify.wide import Wide, exact

Property = str
"""What is judged: "value", "gradient" (in the first tensor), "gradient of" another, or "side effects"."""


ONE_BY_ONE = 1200
"""Numbers of a wide table up to which what float64 leaves open is decided one by one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a call showed: the outcome of its worst element, where that lies, and its exact value.

    ``position`` counts the elements from 0 in row-major order, None where no number was compared.
    """

    outcome: Outcome
    position: int | None = None
    truth: Enclosure | None = None


def properties(contract: Contract, *, grad: bool) -> tuple[Property, ...]:
    """What is judged of a candidate for a contract, gradients only where asked for."""
    names = [f"gradient of {gradient.of}" for gradient in contract.gradients[1:]]
    return ("value", *(["gradient", *names] if grad and contract.gradients else []), "side effects")


def variable_of(aspect: Property, contract: Contract) -> str:
    """The variable by which a property differentiates; empty for the others."""
    if aspect == "gradient":
        return contract.gradients[0].of
    return aspect.removeprefix("gradient of ") if aspect.startswith("gradient of ") else ""


def choices_for(
    aspect: Property, contract: Contract, choices: Mapping[str, tuple[Any, ...]]
) -> Mapping[str, tuple[Any, ...]]:
    """The values to draw for each option where a property is judged; none where it cannot be."""
    of = variable_of(aspect, contract)
    return contract.gradient(of).choices(choices) if of else choices


def flat(nested: Any) -> tuple[Any, ...]:
    """The numbers of a family of any number of axes, in row-major order."""
    if not isinstance(nested, Family):
        return (nested,)
    return tuple(entry for item in nested for entry in flat(item))


def element(nested: Any, position: int) -> Any:
    """The number at a position of a family of any number of axes, in row-major order."""
    sizes, first = [], nested
    while isinstance(first, Family):
        sizes.append(len(first))
        first = first[1]
    for axis in range(len(sizes)):
        at, position = divmod(position, math.prod(sizes[axis + 1 :]))
        nested = nested[at + 1]
    return nested


def formula_of(call: Call, aspect: Property) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The definition of a value or gradient over a context, all elements, and the exact values it takes."""
    definition, *_ = _actions(call.contract, aspect)
    return lambda c, *given: definition(c, call.options, *given), tuple(map(exact, _values(call, aspect)))


def _actions(contract: Contract, aspect: Property) -> tuple[Callable[..., Any], ...]:
    """The definition of a value or gradient, its standard algorithm, and the others equally stable."""
    of = variable_of(aspect, contract)
    part = contract.gradient(of) if of else contract
    return (part.definition, part.algorithm, *part.alternatives)


def _values(call: Call, aspect: Property) -> tuple[Any, ...]:
    """The exact values that the formulas of a property take."""
    return (call.upstream, *call.values) if variable_of(aspect, call.contract) else call.values


def examine(
    function: Function,
    call: Call,
    aspect: Property,
    format: Format,
    device: str,
    model: Model,
    *,
    grad: bool,
    max_bits: int,
) -> Found:
    """Call a candidate and judge one property of what it does."""
    try:
        if aspect == "side effects":
            told = side_effects_of(function, call, format.name, device, grad=grad)
            return Found(_refuted(told) if told else Outcome(Status.PASSED))
        of = variable_of(aspect, call.contract)
        result = (
            gradient_of(function, call, format.name, device, of)
            if of
            else value_of(function, call, format.name, device)
        )
    except NotApplicableError as error:
        return Found(Outcome(Status.UNKNOWN, applicable=False, reason=str(error)))
    except CandidateError as error:
        if aspect == "side effects":
            return Found(Outcome(Status.UNKNOWN, reason=str(error)))
        return Found(_refuted(str(error)))
    if any(isinstance(value, Wide) for value in _values(call, aspect)):
        return _compared_at_once(result, call, aspect, format, model, device, max_bits)
    return _compared(exact_values(result), call, aspect, format, model, max_bits)


def _refuted(told: str) -> Outcome:
    return Outcome(Status.REFUTED, ulp=math.inf, ratio=math.inf, allowed_ulp=0.0, reason=told)


def _compared_at_once(
    result: Any, call: Call, aspect: Property, format: Format, model: Model, device: str, max_bits: int
) -> Found:
    """As `_compared`, in float64 on whole tables; one element by one where float64 does not decide it."""
    _, algorithm, *others = _actions(call.contract, aspect)

    def run(action: Callable[..., Any]) -> Bulk:
        return evaluate(
            lambda c, *given: action(c, call.options, *given), _values(call, aspect), model, device
        )

    small = math.prod(call.lengths.values()) <= ONE_BY_ONE
    try:
        bulk = run(algorithm)
        for other in others:
            bulk = replace(bulk, bound=bulk.bound.maximum(run(other).bound))
    except NotBulkError as error:
        if small:
            return _compared(exact_values(result), call, aspect, format, model, max_bits)
        return Found(Outcome(Status.UNKNOWN, reason=f"too large for a formula with {error}"))
    if bulk.ratio is None:
        return _compared(exact_values(result), call, aspect, format, model, max_bits)
    found = Found(*judge_table(result.detach().reshape(-1).to(bulk.value), bulk, format))
    if found.outcome.judged or not small:
        return found
    return _compared(exact_values(result), call, aspect, format, model, max_bits)


def _compared(
    got: list[Any], call: Call, aspect: Property, format: Format, model: Model, max_bits: int
) -> Found:
    """The outcome of the worst element; its error in ulp and its ratio are the largest of all."""
    formula, values = formula_of(call, aspect)
    try:
        truths = enclose_family(lambda c, *x: flat(formula(c, *x)), values, format=format, max_bits=max_bits)
    except DomainError as error:
        return Found(Outcome(Status.UNKNOWN, reason=f"the definition has no value here: {error}"))
    if len(truths) != len(got):
        reason = next((t.reason for t in truths if isinstance(t, Undecided)), "no enclosure")
        return Found(Outcome(Status.UNKNOWN, reason=f"the oracle did not decide: {reason}"))
    bounds = _bounds(call, aspect, values, model) or (None,) * len(got)
    found = [
        _element(position, number, truth, bound, format)
        for position, (number, truth, bound) in enumerate(zip(got, truths, bounds, strict=True))
    ]
    worst = max(found, key=lambda one: (_rank(one.outcome), one.outcome.ratio))
    judged = [one.outcome for one in found if one.outcome.judged]
    ulp = max((outcome.ulp for outcome in judged), default=0.0)
    if not worst.outcome.judged or worst.outcome.status is Status.REFUTED:
        return worst
    return replace(worst, outcome=replace(worst.outcome, ulp=ulp))


def _bounds(
    call: Call, aspect: Property, values: tuple[Any, ...], model: Model
) -> tuple[Fraction, ...] | None:
    """For each element the largest bound of the stable algorithms; None where one has none."""
    _, *algorithms = _actions(call.contract, aspect)
    found = []
    for action in algorithms:
        try:
            bounds = error_bounds(
                lambda c, *given, act=action: flat(act(c, call.options, *given)), values, model
            )
        except DomainError:
            return None
        if bounds is None:
            return None
        found.append(bounds)
    return tuple(max(element) for element in zip(*found, strict=True))


def _element(position: int, got: Any, truth: Enclosure | Undecided, bound: Any, format: Format) -> Found:
    if isinstance(truth, Undecided):
        return Found(Outcome(Status.UNKNOWN, got=got, reason=f"the oracle did not decide: {truth.reason}"))
    return Found(judge(got, truth, bound, format), position, truth)


def _rank(outcome: Outcome) -> int:
    """Refuted before undecided before unbounded before passed."""
    if outcome.status is Status.REFUTED:
        return 3
    if outcome.judged:
        return 0
    return 1 if outcome.reason == NO_BOUND else 2
