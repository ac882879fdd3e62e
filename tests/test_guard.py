"""Guards: code that takes too long is interrupted, and what others have set is put back."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from verify.guard import SECONDS, HungError, guarded, limited

alarms = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="not run: this system has no alarms")


def asleep() -> None:
    """Waits in one long step."""
    time.sleep(30)


def retrying() -> None:
    """Catches every exception there is, and goes on."""
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            continue


def deaf() -> None:
    """Takes its interruption for one more failed attempt."""
    for _ in range(2):
        try:
            time.sleep(30)
        except BaseException:
            continue


def translating() -> None:
    """Tells every exception as one of its own."""
    try:
        time.sleep(30)
    except BaseException as error:
        raise ValueError from error


def interrupted() -> None:
    """Ends with the user's own interruption."""
    try:
        time.sleep(0.05)
    finally:
        raise KeyboardInterrupt


@alarms
@pytest.mark.parametrize("code", [asleep, retrying, deaf, translating], ids=lambda f: f.__name__)
def test_code_that_takes_too_long_is_interrupted(code: Callable[[], None]) -> None:
    """Whatever it makes of the interruption, it is told to have hung."""
    start = time.monotonic()
    with limited(0.05) as clock, pytest.raises(HungError, match=r"no result within 0\.05 s"), guarded():
        code()
    assert clock.hung
    assert time.monotonic() - start < 10


class _Lasting:
    """An object that takes a while to go."""

    def __del__(self) -> None:
        time.sleep(0.5)


def lasting() -> None:
    """Is in a finalizer when its time is up, which no exception leaves."""
    _Lasting()
    while True:
        pass


@alarms
def test_an_interruption_that_a_finalizer_swallows_comes_again() -> None:
    """At once, and it is not told on standard error."""
    started, hook = time.monotonic(), sys.unraisablehook
    with pytest.raises(HungError), limited(0.1), guarded():
        lasting()
    assert time.monotonic() - started < 5
    assert sys.unraisablehook is hook


def test_code_in_time_is_left_alone() -> None:
    """What it raises comes through."""
    with limited(10) as clock, pytest.raises(ValueError, match="mine"), guarded():
        raise ValueError("mine")
    assert not clock.hung


def test_ctrl_c_comes_through() -> None:
    """Also late."""
    with limited(0.01), pytest.raises(KeyboardInterrupt), guarded():
        interrupted()


@pytest.mark.parametrize(("asked", "given"), [(None, SECONDS), (5.0, 5.0), (1e9, SECONDS)])
def test_a_limit_is_at_most_a_minute(asked: float | None, given: float) -> None:
    """A longer time for a whole check is none for one call."""
    with limited(asked) as clock:
        assert clock.seconds == given


def test_another_thread_is_told_afterwards() -> None:
    """Only the main thread can be interrupted."""
    told: list[str] = []

    def run() -> None:
        try:
            with limited(0.02), guarded():
                time.sleep(0.05)
        except HungError as error:
            told.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert told == ["no result within 0.02 s"]


@pytest.fixture
def rung() -> Iterator[list[int]]:
    """The calls of an alarm handler that is installed for the test."""
    calls: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    yield calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@alarms
def test_the_alarm_of_others_is_put_back(rung: list[int]) -> None:
    """The handler, and the timer with the time that has passed taken off."""
    signal.setitimer(signal.ITIMER_REAL, 1000)
    with limited(0.05), pytest.raises(HungError), guarded():
        time.sleep(30)
    assert 900 < signal.getitimer(signal.ITIMER_REAL)[0] < 999.96
    signal.raise_signal(signal.SIGALRM)
    assert rung == [1]


@alarms
def test_an_earlier_alarm_of_others_rings(rung: list[int]) -> None:
    """It is theirs, and comes when they wanted it."""
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with limited(10), guarded():
        time.sleep(0.1)
    assert rung == [1]
