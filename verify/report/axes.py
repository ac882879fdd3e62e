"""The axes of a plot: which stretch of numbers an axis shows, where its ticks are, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 5.0, 10.0)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high``, in powers of ten where ``log``, with the ticks on it."""

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Where a value is, 0 at the low end and 1 at the high one."""
        if self.log:
            value = math.log10(value)
        return (value - self.low) / (self.high - self.low)


def axis(values: Sequence[float], log: bool, most: int) -> Axis:
    """An axis for these values that begins and ends with a tick, of which there are about ``most``.

    On a logarithmic axis, whose ends are exponents, values <= 0 have no place and are left out.
    """
    shown = [math.log10(value) if log else value for value in values if not log or value > 0]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = _step((high - low) / most, whole=log)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = [place * step for place in range(first, last + 1)]
    ticks = tuple((10.0**mark if log else mark, _label(mark, log)) for mark in marks)
    return Axis(marks[0], marks[-1], log, ticks)


def _step(least: float, *, whole: bool) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not less than ``least``."""
    scale = 10.0 ** math.floor(math.log10(least))
    step = next(scale * step for step in _STEPS if scale * step >= least * (1 - 1e-9))
    return max(step, 1.0) if whole else step


def _label(mark: float, log: bool) -> str:
    """A number as a tick says it: with a minus sign, and powers of ten from a thousand or a thousandth on."""
    if log:
        exponent = round(mark)
        if -3 < exponent < 4:
            return f"{10.0**exponent:g}"
        return f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return f"{round(mark, 12):g}".replace("-", "−")
