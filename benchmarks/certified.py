"""What certainty costs: a result judged against enclosures, beside what tests do without them.

In one run, per function, dtype and shape: the certified judgement of one result (value and bound of every
element) over ``torch.testing.assert_close`` with a float64 reference; then Arb, mpmath and gradcheck per
element, on a part of the table. Times are the least of several; memory is the growth of the process.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from verify.calls import Call
from verify.contexts.exact import ExactContext
from verify.contexts.models import model_for
from verify.elements import element, flat, formula_of
from verify.examination import Examiner
from verify.floats import format_named
from verify.operations import operations_with_contract
from verify.oracle import enclose_family
from verify.verdict import Status
from verify.wide import Wide

SHAPES = ((256, 50257), (4096, 1000))
REPEATS = 5
PART = (4, 250)
"""Rows and columns of the part that Arb and mpmath are timed on."""


def call_of(name: str, x: Any) -> Call:
    """The plain call of a function on logits, in the middle of the classes where it takes labels."""
    contract = operations_with_contract()[name].contract
    assert contract is not None
    options = {o.name: o.default for o in contract.options} | ({"dim": 1} if name == "log_softmax" else {})
    if name == "cross_entropy":
        options["reduction"] = "none"
    rows, columns = x.shape
    values: tuple[Any, ...] = (Wide(x.double()),)
    if name == "cross_entropy":
        labels = tuple(1 + (7919 * row) % columns for row in range(rows))
        ones = Wide(torch.ones(columns).double())
        values = contract.prepare(options, (*values, labels, ones, (1,) * rows)) or ()
    upstream = Wide(torch.ones(rows, columns).double())
    return Call(contract, options, {"N": rows, "C": columns, "D": 1}, values, upstream)


def least(run: Callable[[], Any]) -> float:
    """The least time of several, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def memory() -> int:
    """The most memory that the process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def compare(name: str, dtype: str, shape: tuple[int, int]) -> None:
    """One line: seconds of both, their ratio, and the memory of the certified one over the float64 input."""
    torch.manual_seed(0)
    x = (torch.randn(shape) * 4).to(getattr(torch, dtype))
    call = call_of(name, x)
    function: Any = functional.log_softmax if name == "log_softmax" else functional.cross_entropy
    labels = None if name == "log_softmax" else torch.tensor(call.values[1]) - 1

    def result(table: Any) -> Any:
        if name == "log_softmax":
            return function(table, dim=1)
        return function(table, labels, reduction="none")

    examiner = Examiner(result, "value", format_named(dtype), "cpu", model_for(dtype), False, "stable", 4096)

    def plain() -> None:
        expected = result(x.double())
        torch.testing.assert_close(result(x), expected, check_dtype=False, rtol=2e-2, atol=1e-2)

    def certified() -> None:
        found = examiner.judged(result(x), call)
        assert found.outcome.status is Status.PASSED

    uncertified = least(plain)
    before = memory()
    seconds = least(certified)
    grown = (memory() - before) / (8 * x.numel())
    print(
        f"{name:14s} {dtype:9s} {shape!s:13s} certified {seconds:7.3f} s  assert_close {uncertified:7.3f} s  "
        f"ratio {seconds / uncertified:5.2f}  memory {grown:4.1f} x input in float64"
    )


def per_element(name: str) -> None:
    """Elements each second of the slower tiers and of finite differences, on a small part."""
    x = torch.randn(PART)
    call = call_of(name, x)
    formula, values = formula_of(call, "value")
    start = time.perf_counter()
    enclose_family(lambda c, *v: flat(formula(c, *v)), values, format=format_named("float32"))
    arb = x.numel() / (time.perf_counter() - start)
    start = time.perf_counter()
    element(ExactContext(50).evaluate(formula, *values), 0)
    mp = x.numel() / (time.perf_counter() - start)
    small = torch.randn(4, 25, dtype=torch.float64, requires_grad=True)
    start = time.perf_counter()
    torch.autograd.gradcheck(lambda t: functional.log_softmax(t, dim=1), (small,))
    check = small.numel() / (time.perf_counter() - start)
    print(f"{name}: Arb {arb:,.0f}, mpmath {mp:,.0f}, gradcheck {check:,.0f} elements/s")


def main() -> int:
    """Print every comparison."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in ("log_softmax", "cross_entropy"):
        for dtype in ("float32", "bfloat16"):
            for shape in SHAPES:
                compare(name, dtype, shape)
    per_element("log_softmax")
    return 0


if __name__ == "__main__":
    sys.exit(main())
