"""Wide calls: large tables with a regime for each row, spread from one seed by torch.

Small calls are drawn by Hypothesis (verify.calls), which shrinks them; these reach what only many
columns or rows show: tails, block edges, long sums, rescaling between blocks, many rows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from verify.backends import load_torch
from verify.calls import LAYOUTS, Call, kept
from verify.contract import Contract
from verify.domain import Declaration
from verify.floats import format_named
from verify.points import length_of
from verify.wide import Wide
from verify.wide_rows import WideRows

TABLES = (
    (3, 5),
    (4, 129),
    (65, 65),
    (8, 1025),
    (4, 50257),
    (2, 7),
    (3, 513),
    (257, 257),
    (8, 4097),
    (70001, 2),
    (2, 33),
    (3, 32),
    (33, 1024),
    (5, 1000),
    (2, 262144),
    (2, 127),
    (4, 128),
    (1025, 6),
    (8, 8195),
    (65540, 3),
    (2, 2047),
    (3, 255),
    (4, 32768),
    (2, 128256),
    (3, 4096),
)
"""Rows and columns, in the order in which they are taken; few calls already meet each kind of width."""

TALL = 1000
"""Tables of more rows are reduced in each way in turn, as it is their sums that they show."""

TALLEST = max(TABLES)
"""The table of most rows, which has plain options: an ignored label would leave few of them in the sum."""

ATTEMPTS = 20
"""Draws of the options and values of a table until they fit together."""

DENSE = 20_000
"""Numbers up to which a table has further axes longer than 1, and a call another form than the plain one."""

FLOAT64_NUMBERS = 300
"""Numbers up to which a table of float64 has further axes: exact values then come number by number."""


def wide_calls(
    contract: Contract,
    dtype: str,
    choices: Mapping[str, tuple[Any, ...]],
    *,
    seed: int,
    count: int,
    tables: tuple[tuple[int, int], ...] = TABLES,
    masked: bool = False,
) -> Iterator[Call]:
    """Up to ``count`` calls over ``tables``, the same for one seed; those outside the domain are left out.

    ``masked`` ones have infinities, and a whole row of them where rows are worked on one by one.
    """
    turn = seed
    for number in range(count):
        shape = tables[number % len(tables)]
        given = choices
        if shape == TALLEST:
            given = {**choices, **{name: (value,) for name, value in contract.plain({}, choices).items()}}
        if shape[0] > TALL and (kinds := choices.get("reduction")):
            given, turn = {**given, "reduction": (kinds[turn % len(kinds)],)}, turn + 1
        for attempt in range(ATTEMPTS):
            name = f"{contract.name} {seed} {number}"
            large = shape[0] * shape[1] > DENSE
            tried = _tried(contract, given, name, attempt, large=large)
            call = _Spread(dtype, f"{name} {attempt}", masked=masked).call(contract, tried, *shape)
            if call is not None:
                yield call
                break


def _tried(
    contract: Contract, choices: Mapping[str, tuple[Any, ...]], name: str, attempt: int, *, large: bool
) -> dict[str, tuple[Any, ...]]:
    """The choices with one form of the call, that of all attempts; later ones try plain options more often.

    A large table has the plain form.
    """
    draw, again = random.Random(name), random.Random(f"{name} {attempt}")
    tried = dict(choices)
    for option in contract.options:
        values = choices[option.name]
        if not option.keyword:
            tried[option.name] = (
                option.default if large and option.default in values else draw.choice(values),
            )
        elif attempt and option.default in values and again.random() < 0.6:
            tried[option.name] = (option.default,)
    return tried


class _Spread:
    """One call: all its numbers come from one seed."""

    def __init__(self, dtype: str, seed: str, *, masked: bool = False) -> None:
        self._torch = load_torch()
        self._dtype = dtype
        self._random = random.Random(seed)
        self._rows = WideRows(dtype, seed)
        self._masked = masked
        self._infinite = False
        self._turned = False
        self._spoilt = ""

    def call(
        self, contract: Contract, choices: Mapping[str, tuple[Any, ...]], rows: int, columns: int
    ) -> Call | None:
        """A call with these lengths; None where the options and values do not fit."""
        options = {name: self._random.choice(values) for name, values in choices.items()}
        self._infinite = bool(contract.infinite) and (self._masked or self._random.random() < 0.25)
        if self._infinite or self._random.random() < 0.4:
            options = {**contract.plain(options, choices), **kept(options, "reduction", "ignore_index")}
        variables = contract.variables(options)
        apart = not self._infinite and rows > 1 and contract.rowwise(options)
        self._spoilt = variables[0].name if apart and self._random.random() < 0.2 else ""
        first = "dim" in options and options["dim"] % options["axes"] == 0
        self._masked = self._masked and contract.rowwise(options)
        self._turned = first and options["axes"] == 2
        if first and self._random.random() < 0.75:
            rows, columns = columns, rows
        lengths = {"N": rows, "C": columns}
        most = (DENSE if self._dtype != "float64" else FLOAT64_NUMBERS) // (rows * columns)
        for name in sorted({s for v in variables for s in (*v.shape, v.domain.bound) if isinstance(s, str)}):
            longest = max(1, min(40, most))
            lengths.setdefault(name, self._random.randint(min(2, longest), longest))
        drawn = tuple(self._value(v, lengths, contract.infinite.get(v.name, ())) for v in variables)
        if any(v.domain.kind == "index" for v in variables) and self._random.random() < 0.25:
            self._raise_labels(variables, drawn)
        values = contract.prepared(format_named(self._dtype), options, drawn)
        if values is None:
            return None
        shape = contract.lengths(options, lengths)
        upstream, expanded = self._upstream(shape, alike=rows <= TALL)
        layout = self._random.choice([name for name in LAYOUTS if name != "expanded"])
        tracked = self._random.random() < 0.5
        return Call(contract, options, lengths, values, upstream, layout, expanded, tracked)

    def _value(self, variable: Declaration, lengths: Mapping[str, int], infinite: tuple[float, ...]) -> Any:
        domain, shape = variable.domain, [length_of(size, lengths) for size in variable.shape]
        if domain.kind == "index":
            return self._labels(length_of(domain.bound or 1, lengths), shape)
        rows, columns = math.prod(shape[:-1]), shape[-1] if shape else 1
        make: Callable[[int, int], Any] = self._rows.logits
        if domain.sums_to_one:
            make = self._rows.distributions
            if domain.sign == "positive":
                make = self._rows.positive_distributions
        elif domain.kind == "integer":
            make = self._rows.wholes
        elif domain.below_one:
            make = self._rows.fractions
        elif domain.sign != "any":
            zeros = domain.sign == "nonnegative" and not self._infinite
            make = self._rows.nonnegative if zeros else self._rows.positive
        turned = self._turned and len(shape) == 2 and not domain.sums_to_one
        table = make(columns, rows) if turned else make(rows, columns)
        if infinite and self._infinite:
            infinity = self._random.choice(infinite)
            table = self._rows.with_infinities(table, infinity)
            table = self._rows.in_one_row(table, infinity) if self._masked else table
        if variable.name == self._spoilt and domain.kind == "real" and domain.sign == "any":
            table = self._rows.with_nan(table)
        table = self._rows.held(table.T.contiguous() if turned else table)
        return Wide(table.reshape(shape)) if shape else Fraction(float(table))

    def _labels(self, bound: int, shape: list[int]) -> Any:
        """Labels at the first, the last, an edge, a dominant entry, or anywhere, from 1."""
        if len(shape) > 1:
            return tuple(self._labels(bound, shape[1:]) for _ in range(shape[0]))
        if not shape:
            return self._label(bound)
        if bound <= 3:
            return tuple(self._random.choices(range(1, bound + 1), k=shape[0]))
        return tuple(self._label(bound) for _ in range(shape[0]))

    def _label(self, bound: int) -> int:
        kind = self._random.randrange(5)
        if kind == 4:
            return self._random.randint(bound // 2 + 1, bound)
        if kind == 0 and self._rows.places:
            return min(bound, self._random.choice(self._rows.places) + 1)
        if kind == 1:
            return self._random.choice((1, bound))
        return self._random.randint(1, bound) if kind == 2 else min(bound, self._rows.place(bound) + 1)

    def _raise_labels(self, variables: tuple[Declaration, ...], drawn: tuple[Any, ...]) -> None:
        """Put the score of each label of a table above its row, as in a model that is trained."""
        tables = {v.shape: x.tensor for v, x in zip(variables, drawn, strict=True) if isinstance(x, Wide)}
        for variable, labels in zip(variables, drawn, strict=True):
            table = tables.get((*variable.shape, variable.domain.bound or ""))
            if variable.domain.kind == "index" and table is not None and table.ndim == 2:
                gap = self._rows.gap() + math.log(table.shape[1])
                at = self._torch.tensor(labels)[:, None] - 1
                table.copy_(self._rows.held(table.scatter(1, at, table.amax(1, keepdim=True) + gap)))

    def _upstream(self, shape: tuple[int, ...], *, alike: bool) -> tuple[Any, bool]:
        """Ones, one scaled number, or a number of its own for every element, at times 1 for the first.

        Some have stride 0. They are ``alike`` only where that may be: the gradient of a softmax is 0 then.
        """
        kind = self._random.randrange(0 if alike or not shape else 2, 4)
        scale = Fraction(1) if kind == 0 else Fraction(self._random.randint(1, 12), 4)
        if not shape:
            return scale, False
        if kind < 2:
            return Wide(self._torch.full(shape, float(scale), dtype=self._torch.float64)), bool(kind)
        table = self._rows.whole(math.prod(shape), 1, -12, 12) / 4
        if kind == 2:
            table[:1] = 1
        return Wide(table.reshape(shape)), False
