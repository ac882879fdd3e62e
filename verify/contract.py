"""Contracts: what a function with the signature of its torch namesake promises for every element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from verify.domain import Declaration, Size
from verify.errors import unknown
from verify.floats import Format

Options = Mapping[str, Any]
"""The value of every option of a contract, by name."""

Values = tuple[Any, ...]
"""One exact value for each declared variable of a contract, in order."""

Arguments = tuple[tuple[tuple[str, Any], ...], tuple[tuple[str, Any], ...]]
"""Positional arguments, then keyword arguments, each a name with an exact value or plain data."""


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword of the function: the values to try, the default, and which others are meaningful.

    The search draws from ``values``; ``accepts`` decides about values that a user asks for, and ``rule``
    says in words what it accepts, where that is more than ``values``. A value
    equal to ``default`` is left out of the call; ``None`` says that there is no default. ``absent`` is the
    value by which a function works that has no such keyword; ``None`` says that it has to have it. Where
    ``keyword`` is False the option is no keyword but the form of a call, such as the number of axes:
    it is never passed, and a function that raises in, or gives another shape to, the first call of a
    form that is not the default is taken not to have it.
    """

    name: str
    values: tuple[Any, ...]
    default: Any
    accepts: Callable[[Any], bool]
    keyword: bool = True
    rule: str = ""
    absent: Any = None


@dataclass(frozen=True, slots=True)
class Gradient:
    """The vector-Jacobian product in one variable, ``of``, that is a tensor of the call.

    ``definition(context, options, upstream, *variables)`` is exact; ``algorithm`` and each of
    ``alternatives`` compute it stably over the rounding context. The largest of their bounds counts.
    ``optional`` says that a function may lack it: one cut off from that tensor is not refuted.
    ``where`` gives, for an option, the values with which the call has that tensor; any where left out.
    """

    of: str
    definition: Callable[..., Any]
    algorithm: Callable[..., Any]
    alternatives: tuple[Callable[..., Any], ...] = ()
    where: Options = field(default_factory=dict, hash=False)
    optional: bool = False

    def choices(self, choices: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        """Of the values to draw for each option, those with which the gradient exists."""
        return {
            name: tuple(value for value in values if value in self.where.get(name, (value,)))
            for name, values in choices.items()
        }


@dataclass(frozen=True, slots=True)
class Relation:
    """What a definition says of the results of two calls, whatever the exact values are.

    ``told`` says it. ``pair(call)`` gives the two calls, near the one given, or None where it says nothing of
    that. The second gives ``image(first, result)`` of the result of the first, linear in it and without a
    factor below 0, plus ``offset``.
    """

    told: str
    pair: Callable[[Any], tuple[Any, Any] | None]
    image: Callable[[Any, Any], Any] = lambda first, result: result
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Contract:
    """How a function of several tensors and options computes an operation, element by element.

    ``name`` is that of the torch function, ``namesake`` its full name, for scripts. ``given``
    declares the variables to draw, or is a function of the options that does. ``shape(options)`` is
    the shape of the result in the lengths of ``given`` and in whole numbers.

    ``definition(context, options, *variables)`` gives the exact result over any context, a number
    or a family of the result's shape. ``algorithm`` is the standard stable algorithm for the same over the
    rounding context, ``alternatives`` are others, equally stable; an error within the largest of their
    bounds is allowed. ``gradients`` has the derivatives, that of the first tensor first.
    ``tensors`` is how many positional tensors the function takes.
    ``arguments(options, values)`` says what the function is called with, options left out.
    ``prepare(options, values)`` moves drawn values into the domain, or gives None where it cannot;
    before, ``moderate(format, options, values)`` does so with what the range of a format asks for.
    ``conditioning(context, options, *variables)``, of the result's shape, is the sum over all input
    numbers of |derivative| |number|, for algorithms; level "accurate" needs it.
    ``reference``: an algorithm whose error is small relative to the result, which may use the
    vocabulary of whole tables (verify/contexts/bulk.py); None where ``algorithm`` is one.
    ``rowwise(options)``: whether each row of the first axis of value and gradients depends on that
    row of the variables alone, so that large tables can be judged piece by piece.
    ``infinite`` says of a variable which infinities it may hold as well: -inf, inf or both. ``lowest`` names
    those that may also hold the lowest number of the format, with which some masks are made.
    ``relations`` hold between values, exactly (verify/relations.py).
    """

    name: str
    namesake: str
    given: tuple[Declaration, ...] | Callable[[Options], tuple[Declaration, ...]]
    shape: Callable[[Options], tuple[Size, ...]]
    definition: Callable[..., Any]
    algorithm: Callable[..., Any]
    gradients: tuple[Gradient, ...]
    arguments: Callable[[Options, Values], Arguments]
    alternatives: tuple[Callable[..., Any], ...] = ()
    tensors: int = 1
    options: tuple[Option, ...] = ()
    prepare: Callable[[Options, Values], Values | None] = lambda options, values: values
    moderate: Callable[[Format, Options, Values], Values | None] = lambda format, options, values: values
    conditioning: Callable[..., Any] | None = None
    reference: Callable[..., Any] | None = None
    rowwise: Callable[[Options], bool] = lambda options: False
    infinite: Mapping[str, tuple[float, ...]] = field(default_factory=dict, hash=False)
    lowest: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()

    def masks(self, name: str, format: Format) -> tuple[float | Fraction, ...]:
        """The numbers by which entries of a variable may be masked."""
        return (*self.infinite.get(name, ()), *([-format.largest] if name in self.lowest else []))

    def prepared(self, format: Format, options: Options, values: Values) -> Values | None:
        """Drawn values as they are called with in a format; None where they cannot be."""
        moderate = self.moderate(format, options, values)
        return None if moderate is None else self.prepare(options, moderate)

    def variables(self, options: Options) -> tuple[Declaration, ...]:
        """The variables to draw for these options."""
        return self.given(options) if callable(self.given) else self.given

    def lengths(self, options: Options, lengths: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of the result, given the lengths by name."""
        return tuple(size if isinstance(size, int) else lengths[size] for size in self.shape(options))

    def forms(self, options: Options) -> list[Option]:
        """The forms of a call that are not the plain one."""
        return [o for o in self.options if not o.keyword and options[o.name] != o.default]

    def without(self, lacking: Callable[[str], bool]) -> Contract:
        """The contract of a function that lacks some options: they have as default what it does without."""

        def left(option: Option) -> Option:
            if option.absent is None or not lacking(option.name):
                return option
            return replace(option, values=(option.absent,), default=option.absent)

        return replace(self, options=tuple(map(left, self.options)))

    def plain(self, options: Options, choices: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
        """The options with the default of every keyword for which it may be chosen."""
        defaults = {o.name: o.default for o in self.options if o.keyword and o.default in choices[o.name]}
        return {**options, **defaults}

    def gradient(self, of: str) -> Gradient:
        """The gradient in one variable; ``UsageError`` where the contract has none."""
        for gradient in self.gradients:
            if gradient.of == of:
                return gradient
        raise unknown("gradient", of, [gradient.of for gradient in self.gradients])


def one_of(name: str, *values: Any, default: Any) -> Option:
    """An option that takes these values and no others."""
    return Option(name, values, default, lambda value: value in values)


def form(name: str, *values: Any, asked: tuple[Any, ...] = ()) -> Option:
    """A form of the call, the first value being the plain one; it is never passed as a keyword.

    Those of ``asked`` are tried only where a user asks for them.
    """
    known = (*values, *asked)
    rule = f"one of {', '.join(map(repr, known))}" if asked else ""
    return Option(name, values, values[0], lambda value: value in known, keyword=False, rule=rule)


def is_plain(value: Any) -> bool:
    """Whether the value of an option is a number of Python, and not one of a context."""
    return isinstance(value, int | float | Fraction)


def parameter(c: Any, options: Options, name: str) -> Any:
    """The value of an option as a number of the context: exactly it, or itself if it is one already.

    A formula that takes an option so also holds for a symbol in its place.
    """
    value = options[name]
    return c.number(Fraction(value)) if is_plain(value) else value


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """``function`` of every number of a drawn value: a number, nested tuples, or a table of numbers.

    The function may use whole numbers, + - * /, abs, `clamped` and `without_tiny`; it is applied to a table
    as a whole.
    """
    if isinstance(value, tuple):
        return tuple(mapped(function, item) for item in value)
    return value.map(function) if hasattr(value, "map") else function(value)


def numbers_of(value: Any) -> list[Any]:
    """The numbers in a drawn value of nested tuples, Fractions or infinities, labels left out."""
    if isinstance(value, tuple):
        return [number for item in value for number in numbers_of(item)]
    return [] if isinstance(value, int) else [value]


def clamped(number: Any, low: int, high: int) -> Any:
    """A number, or each of many, moved into low..high."""
    return (
        number.clamp(low, high)
        if hasattr(number, "clamp")
        else min(max(number, Fraction(low)), Fraction(high))
    )


def where_zero(number: Any, other: Any, instead: float) -> Any:
    """A number, or each of many, with ``instead`` where another number is 0."""
    if hasattr(number, "where"):
        return number.where(other != 0, instead)
    return number if other != 0 else instead


def without_tiny(number: Any, least: Fraction) -> Any:
    """A number, or each of many, with 0 in the place of what is smaller than ``least`` in magnitude."""
    if hasattr(number, "where"):
        return number.where(number.abs() >= float(least), 0.0)
    return number if abs(number) >= least else Fraction(0)
