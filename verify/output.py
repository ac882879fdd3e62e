"""Standard output: written at once, and given up in one way when nobody takes it."""

from __future__ import annotations

import os
import sys

from verify.errors import PipeClosedError, UnavailableError


def write(text: str) -> None:
    """Write to standard output and pass it on; characters that its encoding lacks as escapes.

    Raises PipeClosedError when its reader has gone and UnavailableError when it cannot be written.
    """
    if sys.stdout is None:
        raise UnavailableError("standard output is closed; send it to a terminal, a file or /dev/null")
    try:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon()
        raise PipeClosedError("the reader of standard output has gone") from None
    except OSError as error:
        _abandon()
        raise UnavailableError(
            f"cannot write to standard output ({error.strerror}); send it where there is space"
        ) from None


def _abandon() -> None:
    """Let what is still to be written go nowhere, so that the interpreter ends in silence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
