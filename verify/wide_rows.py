"""Wide rows: tables of float64 numbers by regime, made by torch from one seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from verify.backends import load_torch, torch_dtype
from verify.floats import Format, format_named

BLOCKS = (8, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
"""Block widths of kernels, at whose edges entries are placed."""

FLAT = 65_520
"""Ones of which the sum overflows float16: rows as wide are often flat."""

LONG = 1000
"""Rows of more columns lie in several blocks of a kernel."""

PLACES = 64
"""Places that are made for one table, beyond which they repeat."""

LOG_TWO = math.log(2)


FINEST = 40
"""Of distributions with tiny parts these are multiples of 2^-FINEST at least, and at most `TINY` of them."""

TINY = 31


class WideRows:
    """Makes tables of a dtype's numbers with a regime for each row; ``places``: columns singled out."""

    def __init__(self, dtype: str, seed: str) -> None:
        self._torch = load_torch()
        self._format: Format = format_named(dtype)
        self._dtype = torch_dtype(dtype)
        self._random = random.Random(seed)
        self._generator = self._torch.Generator().manual_seed(self._random.getrandbits(62))
        self.places: list[int] = []

    def held(self, table: Any) -> Any:
        """Rounded to the format, kept in float64; finite numbers stay finite."""
        top = float(self._format.largest)
        finite = self._torch.where(table.isinf(), table, table.clamp(-top, top))
        return finite.to(self._dtype).to(self._torch.float64)

    def _uniform(self, rows: int, columns: int, low: float, high: float) -> Any:
        random = self._torch.rand(rows, columns, generator=self._generator, dtype=self._torch.float64)
        return low + (high - low) * random

    def whole(self, rows: int, columns: int, low: int, high: int) -> Any:
        drawn = self._torch.randint(low, high + 1, (rows, columns), generator=self._generator)
        return drawn.to(self._torch.float64)

    def logits(self, rows: int, columns: int) -> Any:
        """Regimes mixed row by row, some in every table; or many rows with a dominant entry in turn."""
        if rows >= columns > 1 and self._random.random() < 0.5:
            return self._in_turn(rows, columns)
        parts, done, sure = [], 0, self._sure(rows, columns)
        while done < rows:
            take = 1 if rows <= 8 else min(rows - done, max(1, rows // 16))
            regime = sure.pop() if sure else self._regime(columns)
            parts.append(regime(take, columns))
            done += take
        table = self._torch.cat(parts)
        return table[self._torch.randperm(rows, generator=self._generator)] if rows > 1 else table

    def _sure(self, rows: int, columns: int) -> list[Callable[[int, int], Any]]:
        """The regimes of which every such table has a row: what whole classes of kernels get wrong."""
        if rows > 1 and columns >= FLAT:
            return [self._flat]
        if rows > 3 and columns > LONG:
            return [self._moderate, self._far_behind]
        return [self._moderate] if rows > 2 else []

    def _regime(self, columns: int) -> Callable[[int, int], Any]:
        """One regime; many very wide rows have a structure, without which one entry counts for nothing."""
        if columns >= FLAT and self._random.random() < 0.4:
            return self._flat
        if columns > LONG and self._random.random() < 0.5:
            return self._random.choice((self._dominant, self._stairs, self._two_ends))
        return self._random.choice(self._regimes())

    def _in_turn(self, rows: int, columns: int) -> Any:
        table = self._uniform(rows, columns, -2, 2) - self._random.choice((6, 12, 20))
        at = self._torch.arange(rows)
        table[at, at % columns] = self._uniform(rows, 1, -1, 1).squeeze(1)
        return table

    def _regimes(self) -> tuple[Callable[[int, int], Any], ...]:
        over = self._format.emax * LOG_TWO
        return (
            self._moderate,
            lambda r, c: self._uniform(r, c, -20, 20),
            lambda r, c: self._uniform(r, c, -over * 1.4, over * 1.4),
            lambda r, c: self._uniform(r, c, -2, 2) + self._level(),
            lambda r, c: self.whole(r, c, 0, 1) * self._random.choice((0.25, 3.0, 20.0)),
            lambda r, c: -self._random.choice((5, 30, 100)) - self._uniform(r, c, 0, 4),
            lambda r, c: self._uniform(r, c, -1, 1) * float(self._format.smallest_normal),
            self._flat,
            self._masked,
            self._dominant,
            self._dominant,
            self._stairs,
            self._stairs,
            self._two_ends,
        )

    def _flat(self, rows: int, columns: int) -> Any:
        """All entries of a row alike."""
        return self._uniform(rows, 1, -4, 4).expand(rows, columns).clone()

    def _moderate(self, rows: int, columns: int) -> Any:
        """Entries of one size, so that each counts."""
        return self._uniform(rows, columns, -3, 3)

    def _masked(self, rows: int, columns: int) -> Any:
        """Entries, or the whole end of each row, left out by what masks are filled with."""
        fill = -250.0 if self._format.emax < 16 else self._random.choice((-1e4, -(2.0**30)))
        table = self._uniform(rows, columns, -3, 3)
        if self._random.random() < 0.5:
            return table.masked_fill(self._uniform(rows, columns, 0, 1) < 0.25, fill)
        lengths = self.whole(rows, 1, (columns + 1) // 2, columns)
        return table.masked_fill(self._torch.arange(columns) >= lengths, fill)

    def _level(self) -> float:
        """A common offset: moderate for 16 bits, up to 10^4 (many columns) or 10^6 else."""
        return self._random.choice((-1, 1)) * self._random.choice(
            (60, 120, 250) if self._format.width == 16 else (100, 1e3, 1e4)
        )

    def place(self, columns: int) -> int:
        """First, last, a block edge or one off it, or anywhere."""
        block = self._random.choice([b for b in BLOCKS if b < columns] or [1])
        edge = block * self._random.randint(1, max(1, (columns - 1) // block))
        choices = (0, columns - 1, edge - 1, edge, edge, edge + 1, self._random.randrange(columns))
        place = min(columns - 1, self._random.choice(choices))
        self.places.append(place)
        return place

    def some_places(self, columns: int, count: int) -> list[int]:
        """As many places; of many only the first few are made as `place` does, the others repeat them."""
        made = [self.place(columns) for _ in range(min(count, PLACES))]
        return made + self._random.choices(made, k=count - len(made)) if made else made

    def gap(self) -> float:
        """How far an entry is above the rest: by little, or by as much as makes their exponentials vanish."""
        return self._random.choice((4, 8, 10, 12, 14, 16, 24, 60, self._beyond()))

    def _beyond(self) -> int:
        """A gap across which an exponential overflows the format, or vanishes."""
        return int(self._format.emax * LOG_TWO) + 16

    def _dominant(self, rows: int, columns: int) -> Any:
        """One entry above the rest, by little or by as much as makes the others' exponentials vanish."""
        table = self._uniform(rows, columns, -2, 2)
        gap = self.gap()
        table[range(rows), self.some_places(columns, rows)] += gap + math.log(columns)
        return table - self._random.choice((0, gap))

    def _far_behind(self, rows: int, columns: int) -> Any:
        """One entry in the last quarter, so far above the rest that an exponential overflows or vanishes."""
        table = self._uniform(rows, columns, -2, 2)
        table[:, columns - 1 - self._random.randrange(columns // 4)] += self._beyond()
        return table

    def _stairs(self, rows: int, columns: int) -> Any:
        """Blocks that rise or fall from one to the next, so that a running maximum has to be followed."""
        block = self._random.choice([b for b in (1, 2, 4, *BLOCKS) if b < columns] or [1])
        steps = (self._torch.arange(columns) // block).to(self._torch.float64)
        reach = self._random.choice((8.0, 40.0, self._format.emax * LOG_TWO * 1.2))
        height = self._random.choice((-1, 1)) * reach / max(1.0, float(steps[-1]))
        return self._uniform(rows, columns, -1, 1) + height * steps

    def _two_ends(self, rows: int, columns: int) -> Any:
        table = self._uniform(rows, columns, -3, 3) - 20
        table[:, 0], table[:, -1] = 0.25, self._random.choice((0.25, 1.5, -0.75))
        return table

    def with_infinities(self, table: Any, infinity: float) -> Any:
        """An infinity at scattered entries, in a whole first or last block, or in one whole row.

        Of more rows than columns no block is, as few entries would be left to every one of them.
        """
        rows, columns = table.shape
        kind = self._random.choice((0, 3) if rows > max(LONG, columns) else (0, 1, 2, 3))
        at = self._torch.arange(columns)
        if kind == 3 or columns < 2:
            return self.in_one_row(table, infinity)
        if kind == 0:
            mask = self._uniform(rows, columns, 0, 1) < self._random.choice((0.01, 0.3, 0.9))
            return table.masked_fill(mask & (at != self.place(columns)), infinity)
        block = self._random.choice([b for b in (1, 2, 4, *BLOCKS) if b < columns])
        return table.masked_fill((at < block) if kind == 1 else (at >= columns - block), infinity)

    def in_one_row(self, table: Any, number: float) -> Any:
        """One row of nothing but this number."""
        chosen = self._torch.arange(len(table)) == self._random.randrange(len(table))
        return table.masked_fill(chosen[:, None], number)

    def with_nan(self, table: Any) -> Any:
        """A nan in one row, or that whole row: a mask of padding, or of rows that are not there."""
        row = self._random.randrange(table.shape[0])
        whole = self._random.random() < 0.5
        table[row, slice(None) if whole else self.place(table.shape[1])] = math.nan
        return table

    def distributions(self, rows: int, columns: int) -> Any:
        """Rows that sum to exactly 1: small whole parts of a power of two, the rest in powers of two.

        At times the parts are tiny, as far as the columns suffice for the rest.
        """
        share = self._random.choice((0.02, 0.5, 1.0, 1.0))
        return self._distributions(rows, columns, self._random.choice((0, 0, 1)), share)

    def positive_distributions(self, rows: int, columns: int) -> Any:
        """As `distributions`, without zeros."""
        return self._distributions(rows, columns, 1, 1.0)

    def _distributions(self, rows: int, columns: int, least: int, share: float) -> Any:
        bits, most = max(8, columns.bit_length() + 3), 255
        if self._random.random() < 0.3:
            bits, most = max(bits, min(columns + 6, FINEST)), TINY
        if self._format.name == "float16":
            bits = min(bits, 22)
        table = self.whole(rows, columns, least, max(1, min(most, (1 << bits) // columns)))
        if share < 1:
            table = table * (self._uniform(rows, columns, 0, 1) < share)
        self._fill(table, 1 << bits)
        return table / (1 << bits)

    def _fill(self, table: Any, whole: int) -> None:
        """Bring each row to its sum: the missing part in powers of two, each in an entry of its own."""
        torch = self._torch
        rows, columns = table.shape
        first = torch.tensor(self.some_places(columns, rows))
        missing = whole - table.sum(1).long()
        left = torch.arange(rows)
        for step in range(columns):
            left = left[missing[left] > 0]
            if not len(left):
                return
            at = (first[left] + step) % columns
            due = missing[left] + table[left, at].long()
            power = torch.exp2(torch.frexp(due.double()).exponent - 1.0).long()
            entry = due if step == columns - 1 else torch.where(self._holds(due), due, power)
            table[left, at] = entry.double()
            missing[left] = due - entry

    def _holds(self, whole: Any) -> Any:
        """Which whole numbers > 0 fit into the significand of the format."""
        return whole // (whole & -whole) < (1 << self._format.precision)

    def fractions(self, rows: int, columns: int) -> Any:
        """Numbers strictly between 0 and 1, some tiny and some close to 1."""
        unit = float(self._format.unit_roundoff) * 2
        table = self._uniform(rows, columns, 0, 1)
        if self._random.random() < 0.5:
            table = self._torch.where(self._uniform(rows, columns, 0, 1) < 0.2, table**24, table)
        least = float(self._format.smallest_subnormal)
        return self.held(table).clamp(least, 1 - unit)

    def positive(self, rows: int, columns: int) -> Any:
        return self.whole(rows, columns, 1, 32) / 4

    def nonnegative(self, rows: int, columns: int) -> Any:
        table = self.positive(rows, columns)
        return table * (self._uniform(rows, columns, 0, 1) < 0.8)

    def wholes(self, rows: int, columns: int) -> Any:
        return self.whole(rows, columns, 1, self._random.choice((3, 8, 100)))
