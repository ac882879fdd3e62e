"""The tiers of the oracle against each other, on as many values as are asked for: a million by default.

Every operation, value and gradients, in the regimes of wide calls: each float64 value of a table has to
enclose its ball, and each ball the number of mpmath. Exit code 1 if one does not. Interrupted, it tells what
was compared until then.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from tiers import Count, balls_in_mpmath, tables_in_balls

from verify.calls import Call
from verify.elements import choices_for, properties, variable_of
from verify.operations import operations_with_contract
from verify.spread import wide_calls

TABLES = ((2, 7), (1025, 2), (257, 4), (65, 9), (9, 31))
"""Rows and columns: a number of a softmax costs mpmath the columns squared, one of its gradient cubed."""

SHARED = ((2, 7), (9, 5), (33, 3))
"""As many where a number is a sum over rows or hidden states: gradients of tensors that all rows share."""

DTYPES = ("float32", "bfloat16", "float16")
CALLS = 5
"""Calls of one seed."""


def drawn(name: str, dtype: str, aspect: str, seed: int) -> Iterator[Call]:
    """The calls of one seed, in which the property exists."""
    contract = operations_with_contract()[name].contract
    assert contract is not None
    choices = choices_for(aspect, contract, {option.name: option.values for option in contract.options})
    of = variable_of(aspect, contract)
    plain = {name: values[0] for name, values in choices.items()}
    variables = contract.variables(plain)
    shared = any((v.name == of and "N" not in v.shape) or "H" in v.shape for v in variables)
    tables = SHARED if shared else TABLES
    yield from wide_calls(contract, dtype, choices, seed=seed, count=CALLS, tables=tables)


def compared(name: str, seed: int) -> tuple[Count, Count]:
    """What one seed compares of an operation, all properties, the dtypes taking turns."""
    contract = operations_with_contract()[name].contract
    assert contract is not None
    tables, balls = Count(), Count()
    for number, aspect in enumerate(properties(contract, grad=True)):
        if aspect == "side effects":
            continue
        dtype = DTYPES[(seed + number) % len(DTYPES)]
        for call in drawn(name, dtype, aspect, seed):
            _into(tables, lambda c=call, d=dtype, a=aspect: tables_in_balls(c, d, a))
            _into(balls, lambda c=call, a=aspect: balls_in_mpmath(c, a))
    return tables, balls


def _into(count: Count, look: Callable[[], Count]) -> None:
    found = look()
    count.known, count.outside = count.known + found.known, count.outside + found.outside


def main() -> int:
    """Draw until both pairs of tiers were compared on so many values, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=1_000_000, help="values for each pair (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (%(default)s)")
    asked = parser.parse_args()
    names, start, seed = sorted(operations_with_contract()), time.perf_counter(), 0
    by_name = {name: (Count(), Count()) for name in names}
    totals = (0, 0)
    with ProcessPoolExecutor(asked.workers) as pool, contextlib.suppress(KeyboardInterrupt):
        while min(totals) < asked.values:
            for name, found in zip(names, pool.map(compared, names, [seed] * len(names)), strict=True):
                for count, part in zip(by_name[name], found, strict=True):
                    _into(count, lambda p=part: p)
            totals = tuple(sum(counts[tier].known for counts in by_name.values()) for tier in (0, 1))
            seed += 1
            if sys.stderr.isatty():
                print(f"\r{seed} seeds, {totals[0]:,} and {totals[1]:,} values", end="", file=sys.stderr)
    outside = 0
    for name, (tables, balls) in by_name.items():
        outside += tables.outside + balls.outside
        print(
            f"{name:34} float64 in balls {tables.known:9,} ({tables.outside} outside)   "
            f"balls in mpmath {balls.known:9,} ({balls.outside} outside)"
        )
    seconds = time.perf_counter() - start
    print(f"in all {totals[0]:,} and {totals[1]:,} values, {outside} outside, {seed} seeds, {seconds:.0f} s")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
