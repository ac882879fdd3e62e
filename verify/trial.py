"""Trials: one run of somebody's test on one implementation, and how it ended."""

from __future__ import annotations

import contextlib
import enum
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.backends import load_torch
from verify.guard import HungError, guarded, limited
from verify.state import preserved

SEED = 0
"""The seed of all random generators at the beginning of each run, so that each draws the same inputs."""

LONGEST = 300
"""How much of a message is kept, in characters."""

_CORPUS = str(Path(__file__).parent / "corpus")
_SKIPS = ("Skipped", "SkipTest")


class Ending(enum.StrEnum):
    """How a run ended: the test passed, failed, skipped itself, did not return, or took the process along.

    ``DECLINED``: the implementation, and not the test, raised, in its backward pass. ``LEFT_OUT``: there was
    no reason to run it.
    """

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    HUNG = "hung"
    DIED = "died"
    DECLINED = "declined"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a run ended, what was said, and how many seconds it took."""

    ending: Ending
    told: str = ""
    seconds: float = 0.0


def tried(test: Callable[[Any], Any], implementation: Any, seconds: float) -> Trial:
    """Run a test on an implementation for at most so many seconds.

    Shared settings of torch and the random generators are put back. ``sys.exit`` with 0 passes, with
    anything else fails; only a KeyboardInterrupt comes through.
    """
    start = time.perf_counter()
    with seeded(), limited(seconds, most=seconds):
        ending, told = _run(test, implementation)
    return Trial(ending, told, time.perf_counter() - start)


def _run(test: Callable[[Any], Any], implementation: Any) -> tuple[Ending, str]:
    try:
        with guarded():
            result = test(implementation)
    except HungError as error:
        return Ending.HUNG, f"it did not return within {error.seconds:g} s"
    except KeyboardInterrupt:
        raise
    except SystemExit as error:
        told = f"it ends the program by sys.exit({error.code!r})"
        return (Ending.FAILED if error.code else Ending.PASSED), told
    except BaseException as error:
        return ending_of(error)
    if result is False:
        return Ending.PASSED, "it returns False where it should raise AssertionError"
    return Ending.PASSED, ""


def ending_of(error: BaseException) -> tuple[Ending, str]:
    """How a run ended that raised something."""
    told = message_of(error)
    if type(error).__name__ in _SKIPS:
        return Ending.SKIPPED, told
    return (Ending.DECLINED if _from_corpus(error) else Ending.FAILED), told


def message_of(error: BaseException) -> str:
    """Type and first line of an exception, cut to a length."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except Exception:  # its own __str__ raised
        lines = ["its message cannot be read"]
    told = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return "".join(c for c in told if c.isprintable())[:LONGEST]


def _from_corpus(error: BaseException) -> bool:
    """Whether it was raised by an implementation of the corpus."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_code.co_filename.startswith(_CORPUS) for frame in frames)


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """All random generators at the same seed, and as they were afterwards."""
    torch = load_torch()
    numpy = sys.modules.get("numpy")
    state, numbers = random.getstate(), numpy.random.get_state() if numpy else None
    with preserved("cpu"):
        torch.manual_seed(SEED)
        random.seed(SEED)
        if numpy:
            numpy.random.seed(SEED)
        try:
            yield
        finally:
            random.setstate(state)
            if numpy:
                numpy.random.set_state(numbers)
