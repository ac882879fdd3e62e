"""A clock: the time that a search may take, and attempts that are cut short when they take too much of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from verify.guard import guarded, limited

Result = TypeVar("Result")

SHARE = 4
"""One attempt may take this part of what the search may take in all, so that no attempt takes it all."""


class Clock:
    """Seconds of a search that are left; ``attempts`` counts by kind what was tried."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.attempts: dict[str, int] = {}
        self._end = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._end

    def attempt(self, work: Callable[[], Result], kind: str = "", share: int = SHARE) -> Result | None:
        """What ``work`` returns; None where it fails, it takes too long, or no time is left.

        It is counted if it is given a kind, and may take one of ``share`` parts of the time of the search;
        it is cut short on the main thread, and elsewhere its result does not count.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            return None
        if kind:
            self.attempts[kind] = self.attempts.get(kind, 0) + 1
        try:
            with limited(min(left, self.seconds / share)), guarded():
                return work()
        except Exception:  # fail closed: a crash is a rejection, as in the kernel
            return None
