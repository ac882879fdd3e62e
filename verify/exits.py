"""The exit codes of the command line."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What a command tells the shell."""

    HOLDS = 0
    REFUTED = 1
    COULD_NOT_RUN = 2
    NOTHING_CHECKED = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141
