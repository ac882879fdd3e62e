"""Where a run comes from: time, interpreter, machine and the versions of what it rests on."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from verify.errors import UsageError
from verify.record import FORMAT_VERSION

PACKAGES = ("lossproof", "sympy", "mpmath", "python-flint", "hypothesis", "torch")
"""The distributions whose versions decide what a run finds."""


def provenance() -> tuple[tuple[str, str], ...]:
    """Pairs of name and value: versions ("absent" where not installed), interpreter, system, processor."""
    return (
        *((name, installed(name) or "absent") for name in PACKAGES),
        ("python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("processor", _processor()),
        ("cores", str(os.cpu_count() or "unknown")),
        ("float", f"{sys.float_info.mant_dig}-bit double, {sys.byteorder}-endian"),
    )


def whole_provenance() -> tuple[tuple[str, str], ...]:
    """`provenance`, and where torch is installed what decides how it rounds here. Imports torch."""
    facts = dict(provenance())
    if installed("torch"):
        from verify import backends

        facts.update({name: str(value) for name, value in backends.provenance()})
    return tuple(facts.items())


def command_line(words: Sequence[str]) -> str:
    """A call of the command with these arguments, as one would type it."""
    return shlex.join(["lossproof", *words])


def setting(command: str) -> dict[str, Any]:
    """What a file of checks says of itself: format, time, command, and where it comes from (docs/json.md)."""
    return {
        "format_version": FORMAT_VERSION,
        "created": created(),
        "command": command,
        "provenance": [list(pair) for pair in whole_provenance()],
    }


def installed(distribution: str) -> str | None:
    """The installed version of a distribution, or None. Imports nothing of it."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def created() -> str:
    """The time of the run, UTC, to the second; SOURCE_DATE_EPOCH stands in for the clock if set.

    Raises UsageError when SOURCE_DATE_EPOCH is not a whole number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"SOURCE_DATE_EPOCH={epoch!r} is not a time; give whole seconds since 1970 or unset it"
        ) from None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or "unknown"
    return platform.processor() or "unknown"
