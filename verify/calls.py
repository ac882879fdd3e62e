"""Calls: what a candidate is called with, drawn by regime, option, layout and upstream gradient."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from verify import regimes
from verify.contract import Contract, mapped, numbers_of
from verify.domain import Declaration, Domain
from verify.floats import Format, format_named
from verify.strategies import between, declared, long_sizes, sizes
from verify.wide import exact

LAYOUTS = ("contiguous", "transposed", "padded", "offset", "strided", "expanded", "reversed", "mixed")
"""How a tensor lies in memory: in order; last two axes swapped; sliced out of a larger one; in order, one
entry off the start; every second entry; with stride 0 along an axis of equal entries; axes in reverse order;
the first tensor of a call with its last two axes swapped, the others and the upstream gradient in order.
"""

ROWS = 4
SMALL = 4
MANY = 3
"""Of an option of more values the first, its default, is drawn more often than the others."""

TWINS = 6
"""One call in so many has the first variable for the second as well, where they are of one kind."""

FEW = 12
"""Beyond so many columns a table has at most two rows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: exact values of the declared variables, options, layout and upstream gradient.

    ``lengths`` gives the sizes by name; ``upstream`` has the shape of the result; ``expanded`` says
    that it is one number repeated with stride 0. ``tracked``: autograd follows all tensors that a
    gradient may be asked for, not only the one of which it is, as where all are trained.
    """

    contract: Contract
    options: Mapping[str, Any] = field(hash=False)
    lengths: Mapping[str, int] = field(hash=False)
    values: tuple[Any, ...]
    upstream: Any
    layout: str = "contiguous"
    expanded: bool = False
    tracked: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return self.contract.lengths(self.options, self.lengths)

    @property
    def rows(self) -> int:
        """The length of the batch; 1 where the operation has none."""
        return self.lengths.get("N", 1)

    @property
    def infinite(self) -> bool:
        """Whether any number is infinite, as a score under a mask is."""
        numbers = (number for value in self.values for number in numbers_of(exact(value)))
        return any(isinstance(number, float) and math.isinf(number) for number in numbers)

    @property
    def passed(self) -> tuple[tuple[str, Any], ...]:
        """The plain options that the call spells out: those that differ from their default."""
        named = {name for part in self.arguments for name, _ in part}
        return tuple(
            (option.name, self.options[option.name])
            for option in self.contract.options
            if option.keyword and option.name not in named and self.options[option.name] != option.default
        )

    @property
    def told(self) -> str:
        """What is not plain about the call, in words: its form and the options that it spells out."""
        named = [
            f"{option.name} = {self.options[option.name]!r}"
            for option in self.contract.options
            if self.options[option.name] != option.default
        ]
        return f"a call with {', '.join(named)}" if named else "a plain call"

    @property
    def trained(self) -> tuple[str, ...]:
        """The tensors that autograd follows beside the one of which the gradient is asked for."""
        gradients = self.contract.gradients if self.tracked else ()
        return tuple(g.of for g in gradients if not g.optional and all(g.choices(self._options).values()))

    @property
    def _options(self) -> dict[str, tuple[Any, ...]]:
        return {name: (value,) for name, value in self.options.items()}

    @property
    def arguments(self) -> Any:
        """The tensors of the call: positional ones, then keywords."""
        return self.contract.arguments(self.options, self.values)


def calls(
    contract: Contract,
    dtype: str,
    choices: Mapping[str, tuple[Any, ...]],
    *,
    small: bool = False,
    masked: bool = False,
) -> st.SearchStrategy[Call]:
    """Calls of a contract in a dtype; ``choices`` gives the values to draw for each option.

    ``small`` calls have at most 2 rows of 4 columns. ``masked`` ones have infinities where the contract
    knows them, as scores under a mask do, plain options, and long rows unless they are small.
    """
    return _unlike(_calls(contract, format_named(dtype), dict(choices), small, masked))


def _unlike(call: st.SearchStrategy[Call]) -> st.SearchStrategy[Call]:
    """The same calls, each drawn afresh.

    Hypothesis varies a draw up to five times by copying one part of it over another, so that most of a
    hundred calls would be near copies of a few. It leaves alone what is drawn inside a collection
    of unlike things.
    """
    return st.lists(call, min_size=1, max_size=1, unique_by=id).map(lambda calls: calls[0])


@st.composite
def _calls(
    draw: Callable[[Any], Any],
    contract: Contract,
    format: Format,
    choices: Mapping[str, tuple[Any, ...]],
    small: bool,
    masked: bool,
) -> Call:
    columns = draw(between(1, SMALL) if small else long_sizes() if masked else sizes())
    rows = draw(between(1, 2 if small or columns > FEW else ROWS))
    lengths = {"N": columns if columns <= SMALL and draw(between(0, 4)) == 4 else rows, "C": columns}
    forms = {option.name for option in contract.options if not option.keyword}
    draws = {name: _plain if name in forms else _picked for name in choices}
    draws |= {name: _often_plain for name, values in choices.items() if len(values) > MANY}
    options = {name: draws[name](draw, values) for name, values in choices.items()}
    if masked:
        options = {**contract.plain(options, choices), **kept(options, "reduction", "ignore_index")}
        if not small and -1 in choices.get("dim", ()):
            options["dim"] = -1
    variables = contract.variables(options)
    for name in sorted({size for variable in variables for size in _sizes(variable)} - lengths.keys()):
        lengths[name] = draw(between(1, 3))
    drawn = tuple(draw(declared(variable, format, lengths)) for variable in variables)
    if twins(variables) and draw(between(0, TWINS - 1)) == TWINS - 1:
        drawn = (drawn[0], drawn[0], *drawn[2:])
    if any(variable.domain.kind == "index" for variable in variables):
        drawn = _confident(variables, drawn, _gap(draw, format), format)
    if masked:
        drawn = tuple(
            _masked(draw, value, contract.masks(variable.name, format))
            for variable, value in zip(variables, drawn, strict=True)
        )
    layout = _picked(draw, LAYOUTS)
    if layout == "expanded":
        drawn = tuple(map(_repeated, variables, drawn))
    values = contract.prepared(format, options, drawn)
    if values is None:
        return reject()
    shape = contract.lengths(options, lengths)
    upstream, expanded = _upstream(draw, shape)
    tracked = bool(draw(between(0, 1)))
    return Call(contract, options, lengths, values, upstream, layout, expanded, tracked)


def twins(variables: tuple[Declaration, ...]) -> bool:
    """Whether the first two variables are of one kind, as a mean and an observation are."""
    first, *others = variables
    return bool(others) and (first.domain, first.shape) == (others[0].domain, others[0].shape)


def _repeated(variable: Declaration, value: Any) -> Any:
    """A value whose rows are all its first one, so that it can be expanded along the batch."""
    rows = variable.shape[:1] == ("N",) and isinstance(value, tuple)
    return value[:1] * len(value) if rows else value


def _gap(draw: Callable[[Any], Any], format: Format) -> int:
    """How far the score of each label is put above its row, or below it where negative; 0 in many calls.

    Below it, as in a model that is wrong in every row, by 3/4 to 9/10 of what overflows an exponential: with
    the spread of the row the exponential of the mean loss is near the largest number.
    """
    top = int(format.precision * regimes.LOG_TWO) + 8
    gap: int = draw(between(-top, top))
    overflow, deeper = int((format.emax + 1) * regimes.LOG_TWO), -4 * gap - 3 * top
    return -(overflow * (15 * top + 3 * deeper) // (20 * top)) if deeper > 0 else max(gap, 0)


def _confident(
    variables: tuple[Declaration, ...], drawn: tuple[Any, ...], gap: int, format: Format
) -> tuple[Any, ...]:
    """The values with the score of each label above its row by ``gap``, as in a model that is trained.

    A negative gap puts it below the row; without one they stay as they are.
    """
    if not gap:
        return drawn

    def raised(row: Any, label: Any) -> Any:
        if isinstance(label, tuple):
            return tuple(map(raised, row, label))
        score = Fraction(format.round((max(row) if gap > 0 else min(row)) + gap))
        return (*row[: label - 1], score, *row[label:])

    labels = {
        (*variable.shape, variable.domain.bound): value
        for variable, value in zip(variables, drawn, strict=True)
        if variable.domain.kind == "index"
    }
    return tuple(
        raised(value, labels[variable.shape])
        if variable.domain == Domain() and variable.shape in labels
        else value
        for variable, value in zip(variables, drawn, strict=True)
    )


def _masked(draw: Callable[[Any], Any], value: Any, masks: tuple[Any, ...]) -> Any:
    """A value with one of the masks at one place, at a third of all, or in its first or last columns."""
    if not masks:
        return value
    mask, every, row = _picked(draw, masks), range(len(numbers_of(value))), value
    while isinstance(row[0], tuple):
        row = row[0]
    kind = draw(between(0 if len(row) <= SMALL else 2, 3))
    if kind == 0:
        places = {draw(between(0, every[-1]))}
    elif kind == 1:
        places = {place for place in every if draw(between(0, 2)) == 2}
    else:
        block = draw(between(1, max(1, len(row) - 1)))
        places = {place for place in every if (place if kind == 2 else -1 - place) % len(row) < block}
    turn = itertools.count()
    return mapped(lambda number: mask if next(turn) in places else number, value)


def kept(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The options of these names alone, as far as there are any."""
    return {name: options[name] for name in names if name in options}


def _sizes(variable: Declaration) -> list[str]:
    """The names of the lengths that a variable has, or counts to."""
    return [size for size in (*variable.shape, variable.domain.bound) if isinstance(size, str)]


def _picked(draw: Callable[[Any], Any], values: tuple[Any, ...]) -> Any:
    return values[draw(between(0, len(values) - 1))]


def _plain(draw: Callable[[Any], Any], values: tuple[Any, ...]) -> Any:
    """The first value half of the time and more, so that rare ones do not crowd out the plain call."""
    return values[max(draw(between(1 - len(values), len(values) - 1)), 0)]


def _often_plain(draw: Callable[[Any], Any], values: tuple[Any, ...]) -> Any:
    """The first value more often than the others, which are many."""
    return values[max(draw(between(1 - len(values) // 2, len(values) - 1)), 0)]


def _upstream(draw: Callable[[Any], Any], shape: tuple[int, ...]) -> tuple[Any, bool]:
    """Ones, one scaled number, zeros, or a number of its own for every element, at times 1 for the first."""
    kind = draw(between(0, 5))
    if kind > 2:
        own = _filled(shape, lambda: Fraction(draw(between(-12, 12)), 4))
        return _beginning_with_one(own) if kind == 3 else own, False
    scale = Fraction(1) if kind == 0 else Fraction(0)
    if kind == 1:
        scale = Fraction(draw(between(1, 12)), 4) * Fraction(2) ** draw(between(-6, 6))
    return _filled(shape, lambda: scale), bool(draw(between(0, 1)))


def _beginning_with_one(own: Any) -> Any:
    """The numbers with 1 for the first: who looks at that alone takes it that nothing is to be scaled."""
    return (_beginning_with_one(own[0]), *own[1:]) if isinstance(own, tuple) else Fraction(1)


def _filled(shape: tuple[int, ...], make: Callable[[], Fraction]) -> Any:
    if not shape:
        return make()
    return tuple(_filled(shape[1:], make) for _ in range(shape[0]))
