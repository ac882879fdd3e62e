"""What a run amounts to: counts, the one sentence, the order of the findings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verify.floats import FORMATS
from verify.record import OUTCOMES, CheckRecord, ClaimRecord, EvidenceRecord, NotRun, RunRecord
from verify.verdict import Status
from verify.words import counted

_OUTCOMES = {
    "unknown": "undecided",
    "expected": "refuted as expected",
    "unexpected pass": "passed unexpectedly",
}


@dataclass(frozen=True, slots=True)
class Functions:
    """Counts of the functions of users that were checked.

    ``functions`` are pairs of a function and an operation; ``known`` of them have a failure that is expected
    and does occur. ``outcomes``: how many checks came to what, the keys being those of OUTCOMES. ``absent``:
    what was not run, one entry for each reason.
    """

    functions: int
    refuted: int
    known: int
    outcomes: Mapping[str, int]
    absent: tuple[NotRun, ...] = ()

    @property
    def judged(self) -> int:
        """How many checks were run, whatever they came to."""
        return sum(self.outcomes.values()) - self.outcomes["not run"]

    @property
    def stale(self) -> int:
        """How many expected failures are none any more, or have expired."""
        return self.outcomes["unexpected pass"] + self.outcomes["expired"]

    @property
    def words(self) -> str:
        """How many functions, and what their checks came to, with the reason why some were not run."""
        counts = _listed([(self.outcomes[key], told_outcome(key)) for key in OUTCOMES])
        checks = counted(sum(self.outcomes.values()), "check")
        told = f"{counted(self.functions, 'function')} checked, {checks}: {counts}"
        if not self.absent:
            return told
        more = f"; and {counted(len(self.absent) - 1, 'other reason')}" if len(self.absent) > 1 else ""
        return f"{told} ({self.absent[0].why}{more})"


def told_outcome(outcome: str) -> str:
    """What a check came to, in words."""
    return _OUTCOMES.get(outcome, outcome)


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a run. The claims are counted once each, the numeric checks by their status; of those that
    are expected to fail ``expected`` do, and ``stale`` do not, those left out that are not strict.

    ``not_run`` is gathered: what differs in the dtype alone is one entry, and so are the checks of functions
    with one reason.
    """

    claims: int
    proved: int
    corrected: int
    opinions: int
    cited: int
    open: int
    checks: int
    passed: int
    refuted: int
    unknown: int
    expected: int
    stale: int
    inputs: int
    not_run: tuple[NotRun, ...]
    functions: Functions

    @property
    def of_claims(self) -> bool:
        """Whether there is anything to say of claims: a run was, and not checks of functions alone."""
        return bool(self.claims or self.checks or not self.functions.functions)

    @property
    def sentence(self) -> str:
        """One sentence for a person: claims, numeric checks, functions checked, and what was not run."""
        told = [self._of_claims] if self.of_claims else []
        told += [self.functions.words] if self.functions.functions else []
        if others := self._others:
            told.append(f"not run: {_named(others)}")
        return f"{'; '.join(told)}{'' if self.not_run else '; nothing left out'}."

    @property
    def left_out(self) -> int:
        """How many things were not run, each check of a function being one."""
        return len(self._others) + self.functions.outcomes["not run"]

    @property
    def _others(self) -> tuple[NotRun, ...]:
        """What was not run, but for the checks of functions, which are counted among these."""
        return tuple(entry for entry in self.not_run if entry not in self.functions.absent)

    @property
    def _of_claims(self) -> str:
        claims = _listed(
            [
                (self.proved, "proved"),
                (self.corrected, "refuted as worded and proved as corrected"),
                (self.opinions, "opinion" if self.opinions == 1 else "opinions"),
                (self.cited, "resting on a cited theorem"),
                (self.open, "NOT established"),
            ]
        )
        checks = _listed(
            [
                (self.passed, "passed"),
                (self.refuted, "refuted"),
                (self.unknown, "undecided"),
                (self.expected, "refuted as expected"),
            ]
        )
        return f"{counted(self.claims, 'claim')}: {claims}; {counted(self.checks, 'numeric check')}: {checks}"


def summarise(run: RunRecord) -> Summary:
    """Count what the run found."""
    held = [claim for claim in run.claims if established(claim)]
    status = Counter(claim.status for claim in held)
    checks = Counter(record.status for record in run.evidence)
    expected = sum(map(_is_expected, run.evidence))
    return Summary(
        claims=len(run.claims),
        proved=status["proved"],
        corrected=status["refuted"],
        opinions=status["opinion"],
        cited=status["cited"],
        open=len(run.claims) - len(held),
        checks=len(run.evidence),
        passed=checks[Status.PASSED] + checks[Status.PROVED],
        refuted=checks[Status.REFUTED] - expected,
        unknown=checks[Status.UNKNOWN],
        expected=expected,
        stale=sum(map(_is_stale, run.evidence)),
        inputs=sum(record.inputs for record in run.evidence),
        not_run=(*_checks_not_run(run.checks), *gathered(run.not_run)),
        functions=_functions(run.checks),
    )


def _functions(checks: Sequence[CheckRecord]) -> Functions:
    found = {
        outcome: {(check.candidate, check.operation) for check in checks if check.outcome == outcome}
        for outcome in OUTCOMES
    }
    return Functions(
        functions=len(set().union(*found.values())),
        refuted=len(found["refuted"]),
        known=len(found["expected"]),
        outcomes={outcome: sum(check.outcome == outcome for check in checks) for outcome in OUTCOMES},
        absent=_checks_not_run(checks),
    )


def _checks_not_run(checks: Sequence[CheckRecord]) -> tuple[NotRun, ...]:
    """The checks of functions that were not run, one entry for each reason."""
    reasons = Counter((check.device, check.reason) for check in checks if check.outcome == "not run")
    entries = []
    for (device, reason), count in reasons.items():
        why, _, how = reason.removeprefix("not run: ").rpartition("; run ")
        where = f" on {device}" if device else ""
        what = f"{counted(count, 'check')} of functions{where}"
        entries.append(NotRun(what, why or how, f"run {how}" if why else "run them on a machine that has it"))
    return tuple(entries)


def gathered(entries: Sequence[NotRun]) -> tuple[NotRun, ...]:
    """What was not run, with one entry where several differ in the dtype alone.

    What an implementation does not offer comes last: nothing can be done about it.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        what, _, dtype = entry.what.rpartition(" in ")
        whole = dtype not in FORMATS
        found = groups.setdefault((entry.what if whole else what, entry.why, entry.how), [])
        found += [] if whole else [dtype]
    joined = (
        NotRun(f"{what} in {', '.join(dict.fromkeys(dtypes))}" if dtypes else what, why, how)
        for (what, why, how), dtypes in groups.items()
    )
    return tuple(sorted(joined, key=lambda entry: entry.why.startswith("not applicable")))


def established(claim: ClaimRecord) -> bool:
    """Whether the claim ended where a claim may end.

    That is: proved or cited; an opinion whose nearest mathematics is proved; or refuted as worded,
    with a witness, with a correction that is itself established, and with the condition proved
    under which the wording does hold.
    """
    parts = all(part.status in ("proved", "cited") for part in (*claim.parts, *claim.holds_when))
    if claim.status == "refuted":
        return parts and claim.corrected is not None and established(claim.corrected)
    return parts and claim.status in ("proved", "cited", "opinion")


def findings(records: Sequence[EvidenceRecord | CheckRecord]) -> tuple[EvidenceRecord | CheckRecord, ...]:
    """The refuted checks of claims and functions, worst first.

    What is infinitely wrong comes first; the others are in order of error / bound, then of the ulp. Those
    whose exact value is 0 come last: there the ulp is the least that the format has, and an error of 1e-7 is
    a count of 38 digits. A failure of a function that is expected is no finding.
    """
    refuted = [record for record in records if record.status == Status.REFUTED and not _is_expected(record)]
    return tuple(sorted(refuted, key=_place))


def _is_expected(record: EvidenceRecord | CheckRecord) -> bool:
    return record.outcome == "expected"


def _is_stale(record: EvidenceRecord) -> bool:
    """Whether a check should have failed and did not; a pass of one that is not strict is a warning."""
    known = record.expected
    return known is not None and (
        record.outcome == "unknown" or (record.outcome == "unexpected pass" and known.strict)
    )


def _place(record: EvidenceRecord | CheckRecord) -> tuple[int, float, float, bool, str, str, str]:
    ratio, ulp = _size(record.worst_ratio), _size(record.worst_ulp)
    case = record.worst_case or record.counterexample
    if record.worst_ratio is None or math.isinf(ulp):
        rank = 0
    else:
        rank = 2 if case is not None and _is_zero(case.exact) else 1
    # A wrong value tells more than the gradient that is wrong with it.
    follows = isinstance(record, CheckRecord) and not record.property.startswith("value")
    return rank, -ratio, -ulp, follows, record.claim, record.implementation, record.dtype


def _is_zero(number: str) -> bool:
    return bool(number) and set(number) <= set("+-.0")


def _size(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value


def _named(entries: Sequence[NotRun]) -> str:
    """What was not run and why; of many the first, and how many more."""
    first = f"{entries[0].what} ({entries[0].why})"
    return first if len(entries) == 1 else f"{first} and {len(entries) - 1} more"


def _listed(counts: Sequence[tuple[int, str]]) -> str:
    return ", ".join(f"{count} {words}" for count, words in counts if count) or "none"
