"""Patience: long work that asks now and then whether its time is over, on whatever thread it runs."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar

from verify.errors import VerifyError

_END: ContextVar[float] = ContextVar("end", default=math.inf)
"""When the time of the work is over, as `time.monotonic` counts; each thread has its own."""


class TimeOverError(VerifyError):
    """The work took longer than it may."""


@contextlib.contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Work inside may take ``seconds``, and no longer than work around it may."""
    token = _END.set(min(_END.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _END.reset(token)


def go_on() -> None:
    """Raise ``TimeOverError`` where the time is over: called in the loops of work that may be long."""
    end = _END.get()
    if end < math.inf and time.monotonic() >= end:
        raise TimeOverError("no result within the time that was given")
