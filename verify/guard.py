"""Guards: foreign code run within a time limit, its output and warnings kept off the results."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn

from verify.errors import VerifyError

SECONDS = 60.0
"""How long one call may take, unless `limited` says otherwise."""

AGAIN = 1.0
"""Code that swallows the interruption is interrupted again after so many seconds."""

SOON = 0.001
"""An interruption that was lost comes again after so many seconds."""


class HungError(VerifyError):
    """A call did not return in time; ``seconds`` is how long it was given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no result within {seconds:g} s")
        self.seconds = seconds


class _TimeUp(BaseException):
    """Raised inside foreign code when its time is up."""


@dataclass(slots=True)
class Clock:
    """What each call may take, in seconds, and whether one has taken more."""

    seconds: float = SECONDS
    hung: bool = False


_CLOCK: ContextVar[Clock] = ContextVar("clock")


@contextlib.contextmanager
def limited(seconds: float | None, most: float = SECONDS) -> Iterator[Clock]:
    """Inside, a call may take ``seconds``, at most ``most`` of them, which is also what None means."""
    clock = Clock(most if seconds is None else min(seconds, most))
    token = _CLOCK.set(clock)
    try:
        yield clock
    finally:
        _CLOCK.reset(token)


@contextlib.contextmanager
def kept_alive() -> Iterator[None]:
    """Inside, `os._exit` raises SystemExit as `sys.exit` does; not in a child of this process."""
    leave, own = os._exit, os.getpid()

    def refuse(status: int) -> NoReturn:
        if os.getpid() != own:
            leave(status)
        raise SystemExit(status)

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = leave


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Foreign code inside is interrupted when its time is up; what it prints goes to standard error.

    Its warnings are dropped. Raises ``HungError`` when it took too long, whatever else it did. The
    main thread is interrupted by SIGALRM, between two steps of Python code, and an alarm and a handler
    that others have set are put back; in other threads, and on Windows, code is told afterwards that it
    took too long. An alarm of others that comes earlier is left to come.
    """
    clock = _CLOCK.get(None) or Clock()
    alarm = _Alarm(clock.seconds)
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                alarm.start()
                yield
            finally:
                alarm.stop()
    except KeyboardInterrupt:
        raise
    except BaseException:
        alarm.stop()
        if not alarm.late:
            raise
    if alarm.late:
        clock.hung = True
        raise HungError(clock.seconds)


@dataclass(slots=True)
class _Alarm:
    """A timer that raises `_TimeUp` in the main thread; ``late`` says that the time was over."""

    seconds: float
    late: bool = False
    begun: float = field(default_factory=time.monotonic)
    handler: Any = None
    hook: Any = None
    before: tuple[float, float] = (0.0, 0.0)

    def start(self) -> None:
        """Set the timer where there is one, unless one of others comes first."""
        if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
            return
        handler, self.before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
        if handler is None or 0 < self.before[0] <= self.seconds:
            return
        self.handler, self.hook = handler, sys.unraisablehook
        sys.unraisablehook = self._lost
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)

    def stop(self) -> None:
        """Take the timer away and put back what was there; a second time does nothing."""
        taken = time.monotonic() - self.begun
        self.late = self.late or taken > self.seconds
        if self.handler is None:
            return
        delay, interval = self.before
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.handler)
        self.handler, sys.unraisablehook = None, self.hook
        if delay:
            signal.setitimer(signal.ITIMER_REAL, max(delay - taken, 1e-6), interval)

    def _ring(self, number: int, frame: Any) -> None:
        self.late = True
        raise _TimeUp

    def _lost(self, unraisable: Any) -> None:
        """Ring again where a finalizer or a callback of Python has let the interruption go no further."""
        if isinstance(unraisable.exc_value, _TimeUp):
            signal.setitimer(signal.ITIMER_REAL, SOON, AGAIN)
        else:
            self.hook(unraisable)
