"""The ledger of a test session: what each check came to, and the files that are made of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from verify.backends import DEVICES
from verify.errors import UnavailableError, UsageError, unknown
from verify.record import OUTCOMES
from verify.report.checks import outcome_of
from verify.report.files import require_folder, require_writable, write_together
from verify.report.provenance import created, setting
from verify.results import plain
from verify.standalone import file_of
from verify.verdict import Status, Verdict, overall
from verify.words import counted

_TOLD = {"expected": "refuted as expected"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one check of one item came to: one of ``OUTCOMES``, on which device, and why.

    ``verdict`` is plain data, None where nothing was run; ``test`` is the standalone test of a finding.
    ``subject``: what was to be judged, in words. ``expected``: the failure that is expected, as plain data.
    """

    outcome: str
    device: str
    reason: str
    verdict: dict[str, Any] | None = None
    test: str | None = None
    subject: str = ""
    expected: dict[str, Any] | None = None
    id: str = ""

    @classmethod
    def of(
        cls,
        verdict: Verdict,
        device: str,
        test: str | None = None,
        *,
        outcome: str = "",
        expected: dict[str, Any] | None = None,
    ) -> Entry:
        """The entry of a verdict."""
        told = outcome or outcome_of(verdict)
        return cls(told, device, verdict.reason, plain(verdict), test, verdict.subject, expected)

    def to_json(self) -> str:
        """The entry as text, for the way from one process to another."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


def entries_of(told: Sequence[tuple[str, str]]) -> tuple[Entry, ...]:
    """The entries of a session, from the id of each item and what it told, in the order of the ids."""
    return tuple(
        replace(Entry(**json.loads(text)), id=item) for item, text in sorted(told, key=lambda one: one[0])
    )


def summary(entries: Sequence[Entry]) -> list[str]:
    """What the session came to, in a line, and a line for each reason for which something was not run."""
    counts = Counter(entry.outcome for entry in entries)
    told = [f"{counts[outcome]} {_TOLD.get(outcome, outcome)}" for outcome in OUTCOMES if counts[outcome]]
    absent = Counter(entry.reason for entry in entries if entry.outcome == "not run")
    return [
        f"checks: {', '.join(told)}",
        *(f"not run: {absent[reason]}: {reason}" for reason in sorted(absent)),
    ]


def write_json(path: Path, entries: Sequence[Entry], command: str) -> None:
    """Write the entries, their overall status and where they come from as a JSON object.

    Raises ``UnavailableError`` where the file cannot be written.
    """
    judged = [Status(entry.verdict["status"]) for entry in entries if entry.verdict is not None]
    names = ("id", "outcome", "reason", "subject", "expected", "verdict")
    checks = [{name: getattr(entry, name) for name in names} for entry in entries]
    told = {"status": overall(judged).value, **setting(command), "checks": checks}
    text = json.dumps(told, indent=1, allow_nan=False)
    write_together(path.parent, {path.name: text.encode()})


def write_tests(path: Path, entries: Sequence[Entry]) -> tuple[int, int]:
    """Write the findings as a test file; how many there are in it, and how many have no script.

    Raises ``UnavailableError`` where the file cannot be written.
    """
    found = [entry for entry in entries if entry.outcome == "refuted"]
    tests = [(entry.id.rpartition("::")[2], entry.test) for entry in found if entry.test]
    write_together(path.parent, {path.name: file_of(tests).encode()})
    return len(tests), len(found) - len(tests)


def idle_devices(entries: Sequence[Entry], required: Sequence[str]) -> tuple[str, ...]:
    """The required devices on which no check was judged."""
    used = {entry.device for entry in entries if entry.verdict is not None}
    return tuple(device for device in dict.fromkeys(required) if device not in used)


def close(told: Sequence[tuple[str, str]], option: Callable[[str], Any], command: str) -> list[str]:
    """Write the files that the options ask for; the lines of the summary of a session."""
    entries = entries_of(told)
    lines = summary(entries) if entries else ["checks: none"]
    lines += [
        f"no check ran on {name}, which is required"
        for name in idle_devices(entries, option("require_device") or ())
    ]
    try:
        if option("json"):
            write_json(Path(option("json")), entries, command)
            lines.append(f"written: {option('json')}")
        if option("write_tests"):
            count, without = write_tests(Path(option("write_tests")), entries)
            more = f"; not in it for want of a script: {counted(without, 'finding')}" if without else ""
            lines.append(f"written: {option('write_tests')}, {counted(count, 'test')}{more}")
    except UnavailableError as error:
        lines.append(f"not written: {error}")
    return lines


def refuse_options(option: Callable[[str], Any]) -> str:
    """What is wrong with the options of a session, in words; empty where nothing is."""
    examples, seed = option("examples"), option("seed")
    if examples is not None and examples < 1:
        return f"--verify-examples is {examples}; give 1 or more"
    if seed is not None and seed < 0:
        return f"--verify-seed is {seed}; give 0 or more"
    for device in option("require_device") or ():
        if device not in DEVICES:
            return f"--verify-require-device: {unknown('device', device, DEVICES)}"
    for name in ("json", "write_tests"):
        if option(name) is not None:
            path = Path(option(name))
            try:
                require_folder(path)
                require_writable(path.parent, [path.name])
            except UnavailableError as error:
                return f"--verify-{name.replace('_', '-')}: {error}"
    return _unusable_time() if option("json") is not None else ""


def _unusable_time() -> str:
    try:
        created()
    except UsageError as error:
        return f"--verify-json: {error}"
    return ""
