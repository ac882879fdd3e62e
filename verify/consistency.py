"""Consistency: whether the formulas of an operation say the same, at exact inputs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from verify.calls import Call, calls
from verify.contexts.axes import NotBulkError
from verify.contexts.ball import BallContext
from verify.contexts.bulk import evaluate
from verify.contexts.decimals import UnboundedError
from verify.contexts.exact import to_decimal
from verify.contexts.family import Family
from verify.contexts.models import model_for
from verify.contexts.rounding import RoundingContext
from verify.contract import Contract, numbers_of
from verify.elements import actions_of, choices_for, flat, properties, values_of, variable_of
from verify.errors import DomainError, PrecisionError, UsageError, unknown
from verify.floats import Enclosure, format_named
from verify.operation import Operation
from verify.own import careful
from verify.points import shown
from verify.reduction import rows_of
from verify.strategies import explore
from verify.words import kind_of

EXAMPLES = 60
"""Calls that are drawn for the value and for each gradient."""

FEW = 5
"""As many where a function is checked."""

BITS = 256
DTYPE = "float32"
DIGITS = 12
_NONE = (DomainError, PrecisionError, UnboundedError)


def check_operation(operation: Operation, *, examples: int = EXAMPLES, seed: int = 0) -> None:
    """Raise ``UsageError`` where the formulas of an operation with a contract contradict each other.

    On ``examples`` small drawn calls for the value and each gradient, with all options: the definition and
    each algorithm are the same number, at single numbers and on whole tables; each gradient is the derivative
    of the definition; the shapes are those of the contract; values are numbers of the format; rows that are
    said to be apart are. The message names what disagrees, the input and the two numbers. Two enclosures that
    overlap do not disagree, so that no right operation is rejected. ``conditioning`` is run and not compared.
    """
    given: Any = operation
    if not isinstance(given, Operation):
        raise UsageError(f"the operation is {kind_of(given)}; give an Operation")
    if type(examples) is not int or examples < 1:
        raise UsageError(f"examples is {examples!r}; give a whole number from 1")
    contract = careful(operation)
    for why in look(contract, examples, seed):
        raise UsageError(
            f"no call of {contract.name} was compared: {why}; check the domains of the variables, and prepare"
        )


@functools.lru_cache(maxsize=64)
def look_first(operation: Operation) -> None:
    """A `look` at an operation that a function is to be checked against, once for each."""
    look(careful(operation))


def look(contract: Contract, examples: int = FEW, seed: int = 0) -> list[str]:
    """As `check_operation`, of few calls; why no call was compared, for each property without one.

    Raises ``UsageError`` for the first formula that goes wrong, at the simplest input found.
    """
    choices, idle = {option.name: option.values for option in contract.options}, []
    named: set[str] = set()
    for aspect in properties(contract, grad=True):
        if aspect == "side effects":
            continue
        looks = _Looks(contract, aspect)
        of = variable_of(aspect, contract)
        drawn = calls(contract, DTYPE, choices_for(aspect, contract, choices), small=True)
        found = explore(drawn, looks.visit, seed=seed, examples=examples)
        if found is not None:
            raise UsageError(f"{looks.told(found)}; at {_input(found, of)}")
        if not looks.compared:
            idle.append(looks.last or "none could be drawn")
        named |= looks.variables
    for name in (*contract.infinite, *contract.lowest):
        if named and name not in named:
            raise unknown(f"variable of {contract.name} in infinite or lowest", name, named)
    return idle


class _Looks:
    """What is wrong with one property of a contract at a call; ``compared`` counts the calls judged."""

    def __init__(self, contract: Contract, aspect: str) -> None:
        self._contract, self._aspect = contract, aspect
        self._of = variable_of(aspect, contract)
        what = f"gradient in {self._of}" if self._of else "value"
        self._what = f"the {what} of {contract.name}"
        self._context = BallContext(BITS)
        self.compared, self.last = 0, ""
        self.variables: set[str] = set()

    def visit(self, call: Call) -> tuple[dict[str, float], bool]:
        """No scores, and whether something is wrong with a call."""
        return {}, bool(self.told(call))

    def told(self, call: Call) -> str:
        """What is wrong, in words; empty where nothing is. ``UsageError`` for a function that fails."""
        self.variables |= {variable.name for variable in self._contract.variables(call.options)}
        self._contract.arguments(call.options, call.values)
        if odd := [x for x in numbers_of(call.values) if not format_named(DTYPE).is_value(x)]:
            return (
                f"prepare of {self._contract.name} gives {odd[0]}, which is no number of {DTYPE}; "
                "keep every number a value of the format"
            )
        definition, *algorithms = actions_of(self._contract, self._aspect)
        shape = self._shape(call)
        try:
            exact = self._evaluated(definition, call, values_of(call, self._aspect))
        except _NONE as error:
            self.last = str(error)
            return ""
        if _shape_of(exact) != shape:
            return self._misshapen("definition", exact, shape)
        numbers = flat(exact)
        for k, algorithm in enumerate(algorithms):
            name = f"number {k} of alternatives" if k else "algorithm"
            if told := self._by_algorithm(name, algorithm, call, numbers, shape):
                return told
        self.compared += 1
        if self._of:
            return self._by_derivative(call, numbers)
        return self._by_reference(call, numbers) or self._by_rows(definition, call, numbers)

    def _shape(self, call: Call) -> tuple[int, ...]:
        """The shape of the value, or of the variable in which the gradient is taken."""
        if not self._of:
            return call.shape
        names = [variable.name for variable in self._contract.variables(call.options)]
        if self._of not in names:
            raise unknown(f"variable of {self._contract.name} in a gradient", self._of, names)
        return _shape_of(self._context.lift(call.values[names.index(self._of)]))

    def _evaluated(self, definition: Callable[..., Any], call: Call, values: tuple[Any, ...]) -> Any:
        return self._context.evaluate(lambda c, *v: definition(c, call.options, *v), *values)

    def _by_algorithm(
        self, name: str, algorithm: Callable[..., Any], call: Call, exact: Any, shape: tuple[int, ...]
    ) -> str:
        """What is wrong with an algorithm, at single numbers and on whole tables."""
        values, context = values_of(call, self._aspect), RoundingContext(model_for("float64"))
        try:
            result = algorithm(context, call.options, *map(context.lift, values))
            if _shape_of(result) != shape:
                return self._misshapen(name, result, shape)
            numbers = [context._number(number) for number in flat(result)]
        except _NONE as error:
            self.last = str(error)
            return ""
        ends = [_fractions(x.lower, x.upper) for x in numbers]
        if told := self._compared(name, ends, exact):
            return told
        return self._by_tables(name, algorithm, call, exact)

    def _by_tables(self, name: str, algorithm: Callable[..., Any], call: Call, exact: Any) -> str:
        """What is wrong with an algorithm on whole tables, where they offer what it asks for."""
        values = values_of(call, self._aspect)
        try:
            bulk = evaluate(lambda c, *v: algorithm(c, call.options, *v), values, model_for(DTYPE))
        except NotBulkError:
            return ""
        pairs = list(zip(bulk.value.tolist(), bulk.half.tolist(), strict=True))
        if len(pairs) != len(exact):
            found = f"{len(pairs)} numbers on whole tables, and its definition {len(exact)}"
            return f"{self._what}: its {name} has {found}"
        ends = [
            (Fraction(x) - Fraction(h), Fraction(x) + Fraction(h)) if x - x == h - h == 0 else None
            for x, h in pairs
        ]
        return self._compared(f"{name} on whole tables", ends, exact)

    def _by_reference(self, call: Call, exact: Any) -> str:
        """What is wrong with the reference; the conditioning, which is another number, is run."""
        if self._contract.conditioning is not None:
            with contextlib.suppress(NotBulkError):
                conditioning = self._contract.conditioning
                evaluate(lambda c, *v: conditioning(c, call.options, *v), call.values, model_for(DTYPE))
        reference = self._contract.reference
        return "" if reference is None else self._by_tables("reference", reference, call, exact)

    def _compared(self, name: str, ends: list[Ends], exact: Any) -> str:
        """Where the numbers of an algorithm, each between two ends, are not those of the definition."""
        for place, (between, number) in enumerate(zip(ends, exact, strict=True)):
            if between is None:
                continue
            (low, high), truth = between, self._context.enclosure(number)
            if low > truth.upper or truth.lower > high:
                by = name.partition(" on ")[0]
                return (
                    f"{self._what}: its {name} is not its definition: element {place} is "
                    f"{_decimal(low, high)} by the {by} and {_middle(truth)} by the definition"
                )
        return ""

    def _by_derivative(self, call: Call, exact: Any) -> str:
        """Where a gradient is not the derivative of the definition."""
        try:
            found = list(derivatives(call, self._of, self._context))
        except _NONE:
            return ""
        for place, (stated, derived) in enumerate(zip(exact, found, strict=True)):
            if self._context.compare(stated, derived) in {"less", "greater"}:
                first, second = (_middle(self._context.enclosure(x)) for x in (stated, derived))
                return (
                    f"{self._what} is not the derivative of its definition: element {place} is {first} by "
                    f"the gradient and {second} by the derivative of the definition"
                )
        return ""

    def _by_rows(self, definition: Callable[..., Any], call: Call, exact: Any) -> str:
        """Where rows are said to be apart, and the first is another number alone."""
        if call.rows < 2 or not self._contract.rowwise(call.options):
            return ""
        first = rows_of(call, 0, 1)
        alone = flat(self._evaluated(definition, first, first.values))
        pairs = zip(alone, exact[: len(alone)], strict=True)
        if len(alone) * call.rows == len(exact) and all(
            self._context.compare(a, b) not in {"less", "greater"} for a, b in pairs
        ):
            return ""
        name = self._contract.name
        return f"rowwise of {name} says that rows are apart, and the first has another value alone"

    def _misshapen(self, name: str, result: Any, shape: tuple[int, ...]) -> str:
        due = f"its variable {self._of}" if self._of else "shape(options) of the contract"
        found = _shape_of(result)
        return f"{self._what}: its {name} has the shape {found}, and {due} {shape}; make the two agree"


WIDEST = 400
"""Numbers with a larger decimal exponent, or as small a one, are not compared."""

Ends = tuple[Fraction, Fraction] | None


def _fractions(low: Decimal, high: Decimal) -> Ends:
    """Two ends as fractions; None where one is infinite or far beyond all formats."""
    if not (low.is_finite() and high.is_finite()) or max(low.adjusted(), high.adjusted()) > WIDEST:
        return None
    return None if min(low.adjusted(), high.adjusted()) < -WIDEST else (Fraction(low), Fraction(high))


def derivatives(call: Call, of: str, context: BallContext) -> Iterator[Any]:
    """The derivative of the sum of upstream times the definition by every entry of the variable ``of``."""
    names = [variable.name for variable in call.contract.variables(call.options)]
    values = [context.lift(value) for value in call.values]
    upstream = flat(context.lift(call.upstream))
    at = names.index(of)

    def weighted(c: Any, x: Any) -> Any:
        results = flat(call.contract.definition(c, call.options, *values[:at], x, *values[at + 1 :]))
        return sum((r * u for r, u in zip(results, upstream, strict=True)), start=c.number(0))

    return (context.derivative(weighted, values[at], place) for place in _places(values[at]))


def _places(x: Any) -> list[tuple[int, ...]]:
    """The positions of all entries of a family of any number of axes, in row-major order."""
    if not isinstance(x, Family):
        return [()]
    return [(k, *rest) for k, item in enumerate(x, start=1) for rest in _places(item)]


def _shape_of(x: Any) -> tuple[int, ...]:
    """The lengths of a family along its axes."""
    return (len(x), *_shape_of(x[1])) if isinstance(x, Family) else ()


def _middle(truth: Enclosure) -> str:
    return _decimal(truth.lower, truth.upper)


def _decimal(low: Any, high: Any) -> str:
    """What lies between two ends, in digits."""
    return to_decimal(low if low == high or low - low != 0 or high - high != 0 else (low + high) / 2, DIGITS)


def _input(call: Call, of: str) -> str:
    """The variables of a call, its upstream gradient where there is one, and what is not plain about it."""
    names = [variable.name for variable in call.contract.variables(call.options)]
    told = [f"{name} = {shown(value)}" for name, value in zip(names, call.values, strict=False)]
    told += [f"upstream = {shown(call.upstream)}"] if of else []
    return f"{', '.join(told)}, {call.told}"
