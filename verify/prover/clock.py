"""A clock: the time that a search may take, and attempts that are cut short when they take too much of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from verify.guard import guarded, limited
from verify.patience import patient

Result = TypeVar("Result")

SHARE = 4
"""One attempt may take this part of what the search may take in all, so that no attempt takes it all."""

LEAST = 0.001
"""Seconds below which no attempt is begun: an alarm could ring before it is."""

GRACE = 0.05
"""Seconds for which an alarm comes first, where there is one, so that two interruptions do not meet."""


class Clock:
    """Seconds of a search that are left; ``attempts`` counts by kind what was tried."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.attempts: dict[str, int] = {}
        self._end = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self._left <= LEAST

    @property
    def _left(self) -> float:
        return self._end - time.monotonic()

    def attempt(self, work: Callable[[], Result], kind: str = "", share: int = SHARE) -> Result | None:
        """What ``work`` returns; None where it fails, it takes too long, or no time is left.

        It is counted if it is given a kind, and may take one of ``share`` parts of the time of the search.
        Then it is cut short: by an alarm on the main thread, and elsewhere when the kernel or the search
        next asks whether to go on.
        """
        left = self._left
        if left <= LEAST:
            return None
        if kind:
            self.attempts[kind] = self.attempts.get(kind, 0) + 1
        try:
            most = max(LEAST, min(left, self.seconds / share))
            with limited(most), patient(most + GRACE), guarded():
                return work()
        except Exception:  # fail closed: a crash is a rejection, as in the kernel
            return None
