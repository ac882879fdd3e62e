"""Elements: the result of a call judged number by number, and what is shown of the worst one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verify.backends import exact_values
from verify.calls import Call
from verify.candidate import CandidateError, Function, gradient_of, side_effects_of, value_of
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

Property = str
"""What is judged: "value", "gradient" (in the first tensor), "gradient of" another, or "side effects"."""


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


def formula_of(call: Call, aspect: Property, *, exact: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The formula for all elements over a context, and the values it takes.

    The definition of the value or gradient if ``exact``, else the algorithm for the bound.
    """
    contract, options = call.contract, call.options
    if of := variable_of(aspect, contract):
        gradient = contract.gradient(of)
        action = gradient.definition if exact else gradient.algorithm
        return lambda c, *given: flat(action(c, options, *given)), (call.upstream, *call.values)
    action = contract.definition if exact else contract.algorithm
    return lambda c, *given: flat(action(c, options, *given)), call.values


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
    return _compared(exact_values(result), call, aspect, format, model, max_bits)


def _refuted(told: str) -> Outcome:
    return Outcome(Status.REFUTED, ulp=math.inf, ratio=math.inf, allowed_ulp=0.0, reason=told)


def _compared(
    got: list[Any], call: Call, aspect: Property, format: Format, model: Model, max_bits: int
) -> Found:
    """The outcome of the worst element; its error in ulp and its ratio are the largest of all."""
    formula, values = formula_of(call, aspect, exact=True)
    try:
        truths = enclose_family(formula, values, format=format, max_bits=max_bits)
    except DomainError as error:
        return Found(Outcome(Status.UNKNOWN, reason=f"the definition has no value here: {error}"))
    if len(truths) != len(got):
        reason = next((t.reason for t in truths if isinstance(t, Undecided)), "no enclosure")
        return Found(Outcome(Status.UNKNOWN, reason=f"the oracle did not decide: {reason}"))
    algorithm, values = formula_of(call, aspect, exact=False)
    bounds = error_bounds(algorithm, values, model) or (None,) * len(got)
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
