"""Expected failures: a known finding with its witness, so that a repair is noticed."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.errors import UsageError
from verify.words import kind_of

_VERSION = re.compile(r"torch>=(\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Expected:
    """A check that is expected to fail, on one call that is known.

    ``reason``: why, for people. ``witness``: the line that the failure printed, or the `Path` of a
    file that holds it. Only that call is judged again, and a function that passes it fails the test,
    or with ``strict=False`` warns. ``expires``: from when on the expectation itself fails, as a date,
    "2027-01-31", or a release of torch, "torch>=2.14"; None for never. Raises ``UsageError`` for a
    reason, witness or expiry that makes no sense.
    """

    reason: str
    witness: str | Path | None = None
    strict: bool = True
    expires: str | None = None

    def __post_init__(self) -> None:
        """Refuse at once what could not be used later."""
        if not str(self.reason).strip():
            raise UsageError(f"the reason of an expected failure is {self.reason!r}; say why it is expected")
        if not self.witness:
            raise UsageError(
                f"the expected failure {self.reason!r} has no witness; run the check without it, and "
                "give the line that its failure prints after 'witness:'"
            )
        if not isinstance(self.witness, str | Path):
            raise UsageError(f"the witness is {kind_of(self.witness)}; give a line of text or a Path")
        if not isinstance(self.strict, bool):
            raise UsageError(f"strict is {self.strict!r}; give True or False")
        if self.expires is not None:
            _limit(self.expires)

    def text(self) -> str:
        """The witness as a line of text; ``UsageError`` where its file cannot be read."""
        if isinstance(self.witness, Path):
            return witness_in(self.witness)
        return str(self.witness)

    def plain(self) -> dict[str, Any]:
        """The expectation as data that JSON can hold, with its witness as text."""
        return {
            "reason": str(self.reason),
            "witness": self.text(),
            "expires": self.expires,
            "strict": self.strict,
        }

    def expired(self, today: datetime.date, torch: str) -> bool:
        """Whether the expectation is over on a day with a version of torch."""
        if self.expires is None:
            return False
        limit = _limit(self.expires)
        return today >= limit if isinstance(limit, datetime.date) else release(torch) >= limit


def witness_in(path: Path) -> str:
    """The witness that a file holds, on one line; ``UsageError`` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the witness cannot be read from {path}: {error}") from error


def release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with: (2, 13, 0) of "2.13.0+cpu"; trailing zeros dropped."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found.group().split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _limit(expires: str) -> datetime.date | tuple[int, ...]:
    """What an expiry means: a day or a release of torch."""
    try:
        if found := _VERSION.fullmatch(expires.replace(" ", "")):
            return release(found.group(1))
        return datetime.date.fromisoformat(expires)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(
            f"expires is {expires!r}; give a date such as '2027-01-31', or a release such as 'torch>=2.14'"
        ) from None
