"""Facts: what a test asked of the implementation that it was given, in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from verify.substitute import Seen, Trace


@dataclass(frozen=True, slots=True)
class Facts:
    """How often a test called, whether it asked for gradients, in which dtypes, and more in words."""

    calls: int
    backward: bool
    dtypes: tuple[str, ...]
    told: tuple[str, ...]


NO_FACTS = Facts(0, False, (), ())
"""Of a test that was never run to its end."""


def facts_of(trace: Trace) -> Facts:
    """What a trace tells."""
    calls = trace.calls
    dtypes = tuple(dict.fromkeys(call.dtype for call in calls))
    if not calls:
        return Facts(trace.count, False, dtypes, ())
    told = [
        f"{_times(trace.count)}, {' and '.join(dtypes)}, shapes {_shapes(calls)}",
        _range(calls),
        _options(calls),
        _upstream(calls),
    ]
    return Facts(trace.count, trace.backward, dtypes, tuple(filter(None, told)))


def _times(count: int) -> str:
    return "called once" if count == 1 else f"called {count} times"


def _shapes(calls: Iterable[Seen]) -> str:
    shapes = list(dict.fromkeys(str(call.shape) for call in calls))
    return ", ".join(shapes[:4]) + (f" and {len(shapes) - 4} more" if len(shapes) > 4 else "")


def _range(calls: Iterable[Seen]) -> str:
    low, high = min(call.low for call in calls), max(call.high for call in calls)
    layout = "" if all(call.contiguous for call in calls) else "; some not contiguous"
    return (
        f"numbers of the first tensor within {low:.3g}..{high:.3g}{layout}" if low <= high < math.inf else ""
    )


def _options(calls: list[Seen]) -> str:
    used = Counter(f"{name}={value}" for call in calls for name, value in call.options.items())
    told = f"options: {', '.join(used)}" if used else "all options at their default"
    ignored = sum(call.ignored for call in calls)
    return f"{told}; {ignored} ignored rows" if ignored else told


def _upstream(calls: Iterable[Seen]) -> str:
    back = [call for call in calls if call.backward]
    if not back:
        return "no backward pass"
    if all(call.flat for call in back):
        return "backward passes with an upstream gradient of one number for all, or of 1"
    return "backward passes with upstream gradients that differ from entry to entry, or from 1"
