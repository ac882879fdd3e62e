"""Gradients of contracts as statements: the derivative of the definition is the gradient of the room.

Both sides are the functions that the contract of the operation holds, so that what a candidate is
held to is what is proved. Options that enter the formulas are symbols.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from verify.claim import Claim, GradientOf, Hypothesis, Part, Step
from verify.contract import Contract, Options
from verify.domain import Declaration, index, positive, real
from verify.operation import Operation

SECTION = "Beyond the article: gradients"

ENTRIES: Options = {"axes": 1, "reduction": "none"}
"""One axis and no reduction: for what works number by number, a whole family of numbers."""

ALONG: Options = {"axes": 1, "dim": 0}
"""One row, along its only axis."""

ROW: Options = {**ENTRIES, "target": "indices", "weight": True, "ignore_index": None}
"""One row of scores with its label."""

BATCH: Options = {**ROW, "axes": 2, "reduction": "mean"}
"""A batch of rows with labels, averaged by the weights of the rows that count."""

SMOOTHING = real("label_smoothing", latex=r"\varepsilon")
CLASS_WEIGHTS = real("weight", "C", latex="w")
KEPT = real("kept", latex=r"\kappa")
KEPT_ROWS = real("kept", "N", latex=r"\kappa")
POSITIVE_INPUT = positive("input", "C", latex="x")
POSITIVE_TARGET = positive("target", "C", latex="t")

_LATEX = {
    "input": "x",
    "linear_bias": "b",
    "linear_weight": "W",
    "logits": "z",
    "pos_weight": "p",
    "scale": "b",
    "sign": "s",
    "target": "t",
    "total_count": "r",
    "var": "v",
    "weight": "w",
}
_PLACES = {1: ("j",), 2: ("m", "j")}


@dataclass(frozen=True, slots=True)
class Case:
    """One form of a call: fixed ``options``, those that are ``symbols``, and what ``declared`` widens.

    A variable in ``declared`` stands for the variable of the contract of that name, with a domain
    that is at least as wide, or open around every point so that there is a derivative.
    """

    options: Options
    symbols: tuple[Declaration, ...] = ()
    declared: tuple[Declaration, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = field(default=(), hash=False)


def claim_id(operation: Operation, tensor: str) -> str:
    """The id of the claim about the gradient of an operation in a tensor, where it has no other."""
    contract = _contract(operation)
    which = f"-{tensor}" if len(contract.gradients) > 1 else ""
    return f"{contract.name}{which}-gradient".replace("_", "-")


def gradient_claim(operation: Operation, tensor: str, words: str, *parts: Part) -> Claim:
    """The claim about the gradient of an operation in a tensor."""
    return Claim(claim_id(operation, tensor), SECTION, words, parts=parts)


def gradient_part(
    operation: Operation,
    tensor: str,
    words: str,
    case: Case,
    *rules: str,
    why: str = "Differentiate; the sum over [i = j] keeps the term of the entry itself.",
    form: str = "",
) -> Part:
    """The statement that in ``tensor`` the gradient of the contract is the derivative of its definition.

    For a result of several numbers it is the derivative of their sum, each times an upstream number.
    ``rules`` are those that the step needs beside those of calculus; ``form`` tells several parts apart.
    """
    contract = _contract(operation)
    variables = _variables(contract, case)
    result = contract.shape(case.options)
    at = [d.name for d in variables].index(tensor)
    places = _PLACES.get(len(variables[at].shape), ())
    given = (
        *variables,
        real("upstream", *result, latex="u"),
        *case.symbols,
        *(index(name, size) for name, size in zip(places, variables[at].shape, strict=True)),
    )

    def left(c: Any, *values: Any) -> Any:
        row, upstream, options, place = _split(case, len(variables), values)

        def weighted(c: Any, x: Any) -> Any:
            value = contract.definition(c, options, *row[:at], x, *row[at + 1 :])
            return c.sum(lambda i: upstream[i] * value[i], over=upstream) if result else upstream * value

        return c.derivative(weighted, row[at], place)

    def right(c: Any, *values: Any) -> Any:
        row, upstream, options, place = _split(case, len(variables), values)
        return contract.gradient(tensor).definition(c, options, upstream, *row)[place]

    steps = (Step(right, ("derivative", *rules), why),)
    part_id = claim_id(operation, tensor) + (f"-{form}" if form else "")
    about = gradient_of(operation, tensor, case.options)
    return Part(part_id, words, given, left, "=", right, case.hypotheses, steps, gradient_of=about)


def gradient_of(operation: Operation, tensor: str, options: Options) -> GradientOf:
    """The gradient in a tensor, for these options as far as the operation has them."""
    known = {option.name for option in _contract(operation).options}
    return GradientOf(operation, tensor, {name: value for name, value in options.items() if name in known})


def _contract(operation: Operation) -> Contract:
    assert operation.contract is not None
    return operation.contract


def _variables(contract: Contract, case: Case) -> tuple[Declaration, ...]:
    """The variables of the contract, those that the case declares in their place."""
    own = {d.name: d for d in case.declared}
    found = (own.get(d.name, d) for d in contract.variables(case.options))
    return tuple(replace(d, latex=d.latex or _LATEX.get(d.name)) for d in found)


def _split(case: Case, count: int, values: tuple[Any, ...]) -> tuple[Any, Any, dict[str, Any], Any]:
    """The variables, the upstream gradient, the options with their symbols, and the place."""
    last = count + 1 + len(case.symbols)
    names = (d.name for d in case.symbols)
    options = {**case.options, **dict(zip(names, values[count + 1 : last], strict=True))}
    place = values[last:]
    return values[:count], values[count], options, place if len(place) > 1 else place[0]


def some_weight(labels: int) -> Hypothesis:
    """The rows that count have weight: the sum by which a mean divides is above 0.

    ``labels`` is the position of the labels; the class weights and what is kept follow them.
    """

    def total(c: Any, *values: Any) -> Any:
        target, weight, kept = values[labels : labels + 3]
        return c.sum(lambda n: kept[n] * weight[target[n]], over=target)

    return Hypothesis("some_weight", lambda c, *values: c.number(0), "<", total)
