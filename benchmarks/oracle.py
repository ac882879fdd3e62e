"""Throughput of the oracle: log_softmax of float64 rows in balls, against mpmath in a loop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import mpmath

from verify.contexts.ball import BallContext
from verify.operations.log_softmax import log_softmax

WIDTHS = (10, 1000)
SECONDS = 2.0
BALL = BallContext(170)
MP = mpmath.MPContext()
MP.prec = BALL.precision_bits


def by_balls(row: Sequence[float]) -> Sequence[Any]:
    """The definition as the oracle evaluates it, with proved error bounds."""
    result: Sequence[Any] = BALL.evaluate(log_softmax.definition, row)
    return result


def by_mpmath(row: Sequence[float]) -> Sequence[Any]:
    """The same formula as a plain loop over mpmath numbers of the same precision, without bounds."""
    powers = [MP.exp(MP.mpf(x)) for x in row]
    total = sum(powers)
    return [MP.log(power / total) for power in powers]


def elements_per_second(evaluate: Callable[[Sequence[float]], Sequence[Any]], width: int) -> float:
    """Elements of log_softmax per second, over rows of normal logits, for about two seconds."""
    draw, elements = random.Random(0), 0
    start = time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        elements += len(evaluate([draw.gauss(0, 5) for _ in range(width)]))
    return elements / passed


def main() -> None:
    """Print the figures for each width and the ratio of the two."""
    print(f"log_softmax at float64 inputs, {BALL.precision_bits} bits")
    for width in WIDTHS:
        balls, loop = elements_per_second(by_balls, width), elements_per_second(by_mpmath, width)
        print(
            f"width {width:5}: balls {balls:9,.0f}/s   mpmath loop {loop:9,.0f}/s   ratio {balls / loop:.2f}"
        )


if __name__ == "__main__":
    main()
