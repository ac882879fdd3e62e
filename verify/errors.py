"""Errors of the toolkit. Each message gives the value, the rule that it broke and a way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})


class VerifyError(Exception):
    """Base of every error that the toolkit raises on purpose; the command line turns it into exit 2."""


class UsageError(VerifyError, ValueError):
    """An argument breaks a rule: an unknown claim, dtype, device, a malformed declaration."""


class DomainError(VerifyError, ValueError):
    """A value lies outside the domain in which a definition has a value."""


class PrecisionError(VerifyError):
    """The working precision is too small to tell; the caller may try again with a higher one."""


class UnavailableError(VerifyError, RuntimeError):
    """Something that was required is absent: a device, a package, a writable folder."""


class PipeClosedError(VerifyError):
    """Whoever read standard output has stopped reading; the command line ends quietly."""


class ReportFormatError(VerifyError, ValueError):
    """A file given as a report is not one, or is of a version that this release cannot read."""


class KernelError(VerifyError):
    """The proof kernel rejected a step; the message says which side condition or rule failed."""


def unknown(what: str, value: object, known: Iterable[str], notes: Mapping[str, str] = _NONE) -> UsageError:
    """The error for a value that is no name in ``known``; the nearest names, in any case, are suggested.

    ``notes`` says more about some of the names, in brackets.
    """
    names, value = sorted(known), value if isinstance(value, str) else repr(value)
    lowered = [name.lower() for name in names]
    close = difflib.get_close_matches(value.lower(), lowered, n=3, cutoff=0.4)
    near = [name for one in dict.fromkeys(close) for name in names if name.lower() == one]
    told = ", ".join(f"{name} ({notes[name]})" if name in notes else name for name in near or names)
    return UsageError(f"unknown {what} {value!r}; {f'did you mean {told}?' if near else f'known: {told}'}")
