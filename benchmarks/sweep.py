"""What sweeps cost: inputs each second, beside the candidate alone, float64, mpmath, and the memory moved.

In one run, on every 8th chunk of float32 and every 32nd of the pairs, which stand for the whole. The
floor is the candidate alone on the same inputs, with the tensors that it needs. Give --full for all.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch.nn import functional

from verify.contexts.exact import ExactContext
from verify.elements import element, formula_of
from verify.sweeps.engines import cores
from verify.sweeps.references import WINDOW
from verify.sweeps.sweeping import Plan, planned, run

SWEEPS: tuple[tuple[str, Any, str, str, str, int], ...] = (
    ("softplus", functional.softplus, "float32", "x", "value", 8),
    ("logsigmoid", functional.logsigmoid, "float32", "x", "value", 8),
    ("cross_entropy", functional.cross_entropy, "bfloat16", "pair", "value", 32),
)
PIECE = WINDOW["cpu"]
BYTES = {"float32": 4, "bfloat16": 2}


def timed(action: Callable[[], Any]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def windows(plan: Plan, shards: int) -> list[tuple[int, int]]:
    """The pieces of a shard in which a candidate is called."""
    found = []
    for chunk, (start, stop) in plan.bounds.items():
        if chunk % shards == 0:
            found += [(low, min(low + PIECE, stop)) for low in range(start, stop, PIECE)]
    return found


def columns(plan: Plan, low: int, high: int) -> tuple[Any, ...]:
    """The arguments of a piece."""
    order = plan.subject.order
    if plan.subject.form.arity == 1:
        return (order.tensor(low, high),)
    second = order.tensor(order.finite.start, order.finite.stop)
    return order.tensor(low >> 16, (low >> 16) + 1).expand_as(second).contiguous(), second


def in_threads(pieces: list[Any], action: Callable[[Any], Any]) -> float:
    """Seconds for an action on all pieces, by a thread for each processor with one torch thread."""

    def act(piece: Any) -> None:
        action(piece)  # its result is not kept

    with ThreadPoolExecutor(cores(), initializer=lambda: torch.set_num_threads(1)) as pool:
        return timed(lambda: list(pool.map(act, pieces)))


def by_float64(plan: Plan, given: tuple[Any, ...]) -> Any:
    """What people do without certainty: the same function in float64, and the difference."""
    got = plan.subject.compute(*given)
    wide = tuple(column.double() for column in given)
    x = wide[0] if len(wide) == 1 else wide[1] - wide[0]
    sign = -1 if plan.subject.form.operation == "logsigmoid" else 1
    exact = torch.sigmoid(x) if plan.subject.aspect == "gradient" else sign * functional.softplus(sign * x)
    return (got.double() - exact).abs().amax()


def mpmath_rate(plan: Plan) -> float:
    """Inputs each second of mpmath at 30 digits."""
    order, subject = plan.subject.order, plan.subject
    numbers = range(order.half + (order.binade * order.format.emax), order.half * 2, order.binade // 97 or 1)
    tried = [order.value(n) for n in list(numbers)[:300]]

    def all_of_them() -> None:
        for x in tried:
            formula, values = formula_of(subject.call(*(x,) * subject.form.arity), subject.judged)
            element(ExactContext(30, True).evaluate(formula, *values), subject.position)

    return len(tried) / timed(all_of_them)


def compare(name: str, function: Any, dtype: str, form: str, aspect: str, shards: int) -> None:
    """One line: the certified sweep, and its ratios to the floor, to float64 and to mpmath."""
    plan = planned(function, name, dtype, form=form, aspect=aspect)
    pieces = windows(plan, shards)
    start = time.perf_counter()
    verdict, _ = run(plan, shard=(1, shards))
    seconds = time.perf_counter() - start
    floor = in_threads(pieces, lambda piece: plan.subject.compute(*columns(plan, *piece)))
    plain = in_threads(pieces, lambda piece: by_float64(plan, columns(plan, *piece)))
    slow = mpmath_rate(plan)
    moved = verdict.inputs * BYTES[dtype] * (plan.subject.form.arity + 1) / 2**30
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    rate, all_of_them = verdict.inputs / seconds, seconds * 2**32 / verdict.inputs
    told = (
        f"{name} {dtype}, {form}, {aspect}: {verdict.status.value}, {verdict.inputs:,} inputs",
        f"certified        {seconds:8.2f} s, {rate / 1e6:7.1f} M inputs/s, all 2^32 in {all_of_them:.0f} s",
        f"candidate alone  {floor:8.2f} s, ratio {seconds / floor:.2f}: floor, {moved:.1f} GiB moved",
        f"plain float64    {plain:8.2f} s, ratio {seconds / plain:.2f}: exp, log each, uncertified",
        f"mpmath           {slow:8.0f} inputs/s, {rate / slow:,.0f} times as slow",
        f"memory           {memory:8.0f} MiB at most so far",
    )
    print("\n  ".join(told), flush=True)


def main() -> int:
    """Print every comparison."""
    print(f"torch {torch.__version__}, {cores()} processors, {torch.backends.cpu.get_cpu_capability()}")
    full = "--full" in sys.argv[1:]
    for name, function, dtype, form, aspect, shards in SWEEPS:
        compare(name, function, dtype, form, aspect, 1 if full else shards)
    return 0


if __name__ == "__main__":
    sys.exit(main())
