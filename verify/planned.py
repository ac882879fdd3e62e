"""Planned calls: those that a search makes beside the calls that Hypothesis draws, all from one seed."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from verify.calls import Call
from verify.drawn_options import Drawn
from verify.elements import Property
from verify.findings import size
from verify.reduction import without_rows
from verify.spread import TABLES, wide_calls

Tables = tuple[tuple[int, int], ...]
Fixed = tuple[str, Any]

FIRST = ((3, 5),)
"""Rows and columns of the call by which a form is tried, and of those for the options in turn."""

OFTEN = 5
"""Calls with a form and the value of a keyword from which on the two count as drawn together."""

JOINT = 2
"""Calls with every keyword at another value than its default, for each kind of reduction."""

LAST = ((3, 256), (2, 1024), (1, 100_003))
"""Rows and columns of such calls after all others: whole blocks, and a third beyond what 16 bits count."""

MASKED = ((5, 4099),)
"""Rows and columns of a call in which one long row is masked, of values that may be infinite."""

MANY = 10
"""Wide calls of a property after which there are those."""

EMPTY = 2
"""Calls with an empty batch, for each kind of reduction: as many with plain options, and with any."""

FEW_ROWS = ((2, 3),)
"""Rows and columns of the calls of which the batch is emptied."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The planned calls of one property; what the candidate declines is planned no more."""

    drawn: Drawn
    aspect: Property
    dtype: str
    seed: int

    def first(self, choices: Mapping[str, tuple[Any, ...]]) -> Iterator[Call]:
        """One call of 3 by 5, if there is one with these choices."""
        return self._calls(choices, FIRST, self.seed)

    def in_turn(self) -> Iterator[Call]:
        """Calls with each value of an option that was hardly drawn, the others at their defaults.

        One too with each value of a keyword in each form of the call.
        """
        for number, fixed in enumerate(self.drawn.rare(OFTEN)):
            yield from self._calls(self.drawn.only(*fixed), FIRST, self.seed + number)

    def jointly(self) -> Iterator[Call]:
        """Calls with every keyword at another value than its default.

        `JOINT` in the plain form for each reduction, and one in each other form.
        """
        kinds: list[Fixed] = [("reduction", kind) for kind in self.drawn.taken().get("reduction", ())]
        each: list[tuple[Fixed, ...]] = [(kind,) for kind in kinds] or [()]
        for number, fixed in enumerate([*each * JOINT, *((form,) for form in self.drawn.other_forms())]):
            yield from self._jointly(FIRST, number, *fixed)

    def wide(self, count: int) -> Iterator[Call]:
        """So many wide calls; after many some with no keyword at its default, and one with a masked row."""
        choices = self.drawn.taken()
        yield from wide_calls(self.drawn.contract, self.dtype, choices, seed=self.seed, count=count)
        if count >= MANY and self.aspect != "side effects":
            for number, table in enumerate(LAST):
                yield from self._jointly((table,), number)
        if count >= MANY and self.aspect == "value" and any(self.drawn.contract.infinite.values()):
            rows = {"dim": tuple(dim for dim in choices["dim"] if dim)} if "dim" in choices else {}
            apart = {"reduction": "none", "axes": 2, "target": "indices", "ignore_index": None}
            rows |= {name: (value,) for name, value in apart.items() if value in choices.get(name, ())}
            yield from self._calls({**choices, **rows}, MASKED, self.seed, masked=True)

    def narrower(self, call: Call) -> Iterator[Call]:
        """After a wide call the smaller tables, with the same options."""
        tables = sorted((t for t in TABLES if math.prod(t) < size(call) // 2), key=math.prod)
        choices = {name: (value,) for name, value in call.options.items()}
        return self._calls(choices, tuple(tables), self.seed)

    def empty(self) -> Iterator[Call]:
        """Calls with an empty batch, whose losses have the sum 0."""
        taken = self.drawn.taken()
        for kind in taken.get("reduction", (None,)):
            fixed: list[Fixed] = [] if kind is None else [("reduction", kind)]
            for choices in (self.drawn.only(*fixed), {**taken, **{name: (value,) for name, value in fixed}}):
                some = self._calls(choices, FEW_ROWS * EMPTY, self.seed)
                yield from (call for one in some if (call := without_rows(one)) is not None)

    def _jointly(self, table: Tables, number: int, *fixed: Fixed) -> Iterator[Call]:
        """A call with every keyword at another value than its default, but those fixed, if there is one.

        Each property has values of its own, so that a fault in several has several chances to be seen.
        """
        seed = self.seed + zlib.crc32(self.aspect.encode()) % 1000 + number
        drawn = (self._calls(some, table, seed) for some in self.drawn.jointly(seed, *fixed))
        return itertools.islice(itertools.chain.from_iterable(drawn), 1)

    def _calls(
        self, choices: Mapping[str, tuple[Any, ...]], tables: Tables, seed: int, *, masked: bool = False
    ) -> Iterator[Call]:
        """A call for each of these tables, where there is one with these choices."""
        return wide_calls(
            self.drawn.contract,
            self.dtype,
            choices,
            seed=seed,
            count=len(tables),
            tables=tables,
            masked=masked,
        )
