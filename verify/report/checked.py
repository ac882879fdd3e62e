"""Checks of functions of users, for the views: by function, worst first, and the expected failures."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence

from verify.input_witness import INPUT_MARK
from verify.operations import operations_with_contract
from verify.record import CheckRecord, EvidenceRecord, RunRecord

SEVERITY = (
    "refuted",
    "unexpected pass",
    "expired",
    "unknown",
    "expected",
    "not run",
    "held",
    "not applicable",
)
"""The outcomes, the one to look at first in front."""

FAILING = ("refuted", "unexpected pass", "expired", "unknown")
"""The outcomes with which a test fails."""

_BRIEF = 160
_COVERAGE = {"exhaustive": "every input", "witness": "the witness"}
_STILL = {
    "expected": "yes",
    "unexpected pass": "no, it passes: remove the expectation",
    "expired": "not judged: the expectation has expired",
    "not run": "not run",
}


def ran(checks: Sequence[CheckRecord]) -> tuple[CheckRecord, ...]:
    """The checks without those that were not run."""
    return tuple(check for check in checks if check.outcome != "not run")


def worst_checks(checks: Sequence[CheckRecord], most: int) -> Sequence[CheckRecord]:
    """The checks as they are, or where there are more than ``most`` the worst of them, worst first."""
    return checks if len(checks) <= most else sorted(checks, key=_weight)[:most]


def by_function(checks: Sequence[CheckRecord]) -> tuple[tuple[CheckRecord, ...], ...]:
    """The checks of one function as one operation together, in the order in which they first come."""
    groups: dict[tuple[str, str], list[CheckRecord]] = {}
    for check in checks:
        groups.setdefault((check.candidate, check.operation), []).append(check)
    return tuple(map(tuple, groups.values()))


def worst_functions(checks: Sequence[CheckRecord]) -> tuple[tuple[CheckRecord, ...], ...]:
    """The checks of each function, worst first, that of the function with the worst check in front."""
    return by_function(sorted(checks, key=_weight))


def remarks(checks: Sequence[CheckRecord]) -> list[tuple[str, int]]:
    """What the checks that held say beside, each with how many say so, the most frequent first."""
    said = Counter(check.reason for check in checks if check.outcome == "held" and check.reason)
    return said.most_common()


def expected_of(run: RunRecord) -> tuple[CheckRecord | EvidenceRecord, ...]:
    """The checks of which a failure is expected: what is to be done first, then by the error."""
    records: tuple[CheckRecord | EvidenceRecord, ...] = (*run.checks, *run.evidence)
    return tuple(sorted((record for record in records if record.expected is not None), key=_weight))


def still_fails(check: CheckRecord | EvidenceRecord) -> str:
    """Whether a failure that is expected occurs, in words."""
    return _STILL.get(check.outcome, "not known: its witness was not judged")


def words_of(check: CheckRecord | EvidenceRecord) -> str:
    """Why a failure is expected, whether it still occurs, and until when; empty where none is expected."""
    if check.expected is None:
        return ""
    until = check.expected.expires or "never"
    return f"{check.expected.reason}; still fails: {still_fails(check)}; expires: {until}"


def covered(check: CheckRecord) -> str:
    """What the number of inputs counts: every input there is, the witness, or nothing that needs a word."""
    return _COVERAGE.get(check.coverage or "", "")


def brief(reason: str) -> str:
    """A reason, shortened for the cell of a table; the JSON has all of it."""
    return reason if len(reason) <= _BRIEF else f"{reason[: _BRIEF - 1]}…"


def replay_of(witness: str) -> str:
    """The command that judges the call of a witness again, as a shell takes it."""
    fields = witness.split(":")
    named = witness.startswith(INPUT_MARK) or (len(fields) > 6 and fields[5] and fields[6])
    function = "" if named else " --function MODULE:NAME"
    ours = witness.startswith(INPUT_MARK) or fields[1:2] == [] or fields[1] in operations_with_contract()
    return f"lossproof replay {shlex.quote(witness)}{function}{'' if ours else ' --as MODULE:OPERATION'}"


def _weight(check: CheckRecord | EvidenceRecord) -> tuple[int, float]:
    ratio = check.worst_ratio
    size = math.inf if ratio is not None and math.isnan(ratio) else ratio
    return SEVERITY.index(check.outcome), -(size if size is not None else -1.0)
