"""Combinations: a vector as a sum of others with factors that are not negative, in exact rationals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from verify.patience import go_on

Vector = Mapping[Any, Fraction]
"""Components by key; those that are absent are 0."""


def combination(columns: Sequence[Vector], target: Vector) -> dict[int, Fraction] | None:
    """Factors > 0 by number of column, so that the columns times their factors add up to ``target``; or None.

    The first phase of the simplex method with Bland's rule, which cannot run in circles. At most as many
    columns are used as there are keys. Raises ``TimeOverError`` where it takes longer than it may.
    """
    live = _useful(columns, target)
    rows = sorted({key for j in live for key in columns[j]} | set(target), key=repr)
    table = [
        [columns[j].get(key, Fraction(0)) for j in live] + [target.get(key, Fraction(0))] for key in rows
    ]
    table = [[-x for x in row] if row[-1] < 0 else row for row in table]
    basis: list[int | None] = [None] * len(table)
    while True:
        go_on()
        artificial = [row for row, owner in zip(table, basis, strict=True) if owner is None]
        gains = [sum(row[k] for row in artificial) for k in range(len(live))]
        enter = next((k for k, gain in enumerate(gains) if gain > 0), None)
        if enter is None:
            break
        _pivot(table, basis, enter)
    if any(row[-1] for row, owner in zip(table, basis, strict=True) if owner is None):
        return None
    found = zip(table, basis, strict=True)
    return {live[owner]: row[-1] for row, owner in found if owner is not None and row[-1]}


def _useful(columns: Sequence[Vector], target: Vector) -> list[int]:
    """The columns that can have a factor: what stands nowhere in the target has to cancel."""
    live = list(range(len(columns)))
    while True:
        signs: dict[Any, set[bool]] = {key: {False, True} for key in target}
        for j in live:
            for key, value in columns[j].items():
                signs.setdefault(key, set()).add(value > 0)
        kept = [j for j in live if columns[j] and all(len(signs[key]) == 2 for key in columns[j])]
        if kept == live:
            return live
        live = kept


def _pivot(table: list[list[Fraction]], basis: list[int | None], enter: int) -> None:
    """Bring column ``enter`` into the basis, at the row that allows it the least."""
    limits = [
        (row[-1] / row[enter], -1 if owner is None else owner, k)
        for k, (row, owner) in enumerate(zip(table, basis, strict=True))
        if row[enter] > 0
    ]
    _, _, at = min(limits)
    pivot = table[at][enter]
    table[at] = [x / pivot for x in table[at]]
    for k, row in enumerate(table):
        if k != at and row[enter]:
            factor = row[enter]
            table[k] = [x - factor * y for x, y in zip(row, table[at], strict=True)]
    basis[at] = enter
