"""Audit findings: what attempts at right and wrong implementations say about a test."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping

from verify.attempts import FIRST, LAST, Attempt, Entrant
from verify.audit_report import IDLE, LOOSE, NO_BACKWARD, UNKNOWN, AuditReport, Entry
from verify.audit_words import off_text, share_text, ulp_text
from verify.certificates import Certificate
from verify.corpus.planting import Fault
from verify.facts import Facts
from verify.snapshots import Difference
from verify.trial import Ending

_OPEN = (Ending.HUNG, Ending.DIED)
"""Endings of a run that was not decided."""

_NO_ALARM = (Ending.PASSED, Ending.LEFT_OUT, Ending.DECLINED, *_OPEN)
"""Endings of a correct implementation that say nothing against the test."""


def report_of(
    test: str,
    operation: str,
    found: Iterable[Entrant],
    attempts: Iterable[Attempt],
    facts: Facts,
    seconds: float,
    remarks: Iterable[str] = (),
) -> AuditReport:
    """The report that attempts at entrants amount to."""
    became = {attempt.id: attempt for attempt in attempts}
    pairs = [(one, became[one.id]) for one in found if one.id in became]
    right = [(one, a) for one, a in pairs if one.role == "right" and (a.applied or one.candidate is None)]
    alarms = [_right_entry(one, a) for one, a in right if a.ending not in _NO_ALARM]
    wrong = [(one, a) for one, a in pairs if one.role == "wrong"]
    noise = functools.reduce(
        operator.or_, (a.apart for _, a in right if a.ending is Ending.PASSED), Difference()
    )
    sorted_: dict[str, list[Entry]] = {name: [] for name in ("survivor", "killed", "idle", "undecided")}
    sorted_["undecided"] += [_right_entry(one, a) for one, a in right if a.ending in _OPEN]
    for one, attempt in wrong:
        sorted_[_fate(attempt, facts)].append(_wrong_entry(one, attempt, facts, noise))
    survivors = tuple(sorted(sorted_["survivor"], key=lambda entry: (entry.rank, entry.id)))
    passed = sum(a.ending is Ending.PASSED for _, a in right)
    return AuditReport(
        test,
        operation,
        survivors,
        tuple(sorted_["killed"]),
        tuple(alarms),
        tuple(sorted_["idle"]),
        tuple(sorted_["undecided"]),
        _vacuous(facts, became, passed, survivors, sorted_["killed"]),
        passed,
        facts.calls,
        facts.told,
        (*remarks, *_remarks(became)),
        tuple(_advice(survivors, facts, noise)),
        _instead(operation, facts),
        round(seconds, 2),
    )


def _fate(attempt: Attempt, facts: Facts) -> str:
    if attempt.ending in (Ending.DECLINED, Ending.LEFT_OUT) or not attempt.applied:
        return "undecided" if attempt.ending in _OPEN else "idle"
    if attempt.ending is Ending.PASSED:
        return "survivor"
    return "killed" if attempt.ending is Ending.FAILED else "undecided"


def _right_entry(one: Entrant, attempt: Attempt) -> Entry:
    return Entry(one.id, one.summary, attempt.told or attempt.ending.value, passed=attempt.apart)


def _wrong_entry(one: Entrant, attempt: Attempt, facts: Facts, noise: Difference) -> Entry:
    fault, proof = one.wrong, proof_for(one.proofs, facts)
    reason, told = _why(fault, attempt, facts, noise)
    return Entry(
        one.id,
        one.summary,
        told,
        reason,
        fault.breaks,
        fault.shown_by,
        proof.grade,
        proof.dtype,
        proof.ulp,
        proof.relative,
        proof.share,
        proof.ordinary,
        proof.exact,
        proof.got,
        proof.witness,
        attempt.apart if attempt.compared else None,
    )


def proof_for(proofs: Mapping[str, Certificate], facts: Facts) -> Certificate:
    """The certificate in the first dtype that the test used, else in the first that there is."""
    return next((proofs[dtype] for dtype in facts.dtypes if dtype in proofs), next(iter(proofs.values())))


def _why(fault: Fault, attempt: Attempt, facts: Facts, noise: Difference) -> tuple[str, str]:
    """Why a test let a wrong implementation pass, or what it said: a kind, and a sentence."""
    if attempt.ending is not Ending.PASSED:
        return attempt.ending.value, attempt.told
    if not attempt.applied:
        return "not called", attempt.declined or "it was not called"
    if fault.breaks != "value" and not facts.backward:
        return NO_BACKWARD, "no backward pass is made"
    if not attempt.compared:
        return UNKNOWN, "its results could not be compared with right ones"
    apart = attempt.apart
    if apart.same or (apart.ulp <= noise.ulp and apart.share <= noise.share):
        return IDLE, f"never exercised: it shows with {fault.shown_by}"
    return LOOSE, f"passes though {off_text(apart)} off in this test, or {ulp_text(apart.ulp)}"


def _vacuous(
    facts: Facts,
    became: Mapping[str, Attempt],
    passed: int,
    survivors: tuple[Entry, ...],
    killed: list[Entry],
) -> str:
    first = became[FIRST]
    if first.ending is Ending.SKIPPED:
        return f"it skips itself: {first.told}"
    if first.ending in (Ending.HUNG, Ending.DIED):
        return f"it does not come to its end on a correct implementation: {first.told}"
    if not passed:
        return f"it fails on every correct implementation: {first.told}"
    if not facts.calls:
        return "it never calls the implementation"
    if survivors and not killed:
        return (
            "it passes every wrong implementation: nothing is compared, or within a tolerance that admits all"
        )
    return ""


def _remarks(became: Mapping[str, Attempt]) -> Iterable[str]:
    first, last = became[FIRST], became.get(LAST, became[FIRST])
    if first.ending is Ending.PASSED and first.told:
        yield first.told
    if first.ending is Ending.PASSED and last.ending is Ending.FAILED:
        yield f"a second run on the same implementation fails: {last.told}"
    if last.unmatched:
        yield "a second run does not repeat the first; seed every generator that the test draws from"


def _advice(survivors: tuple[Entry, ...], facts: Facts, noise: Difference) -> Iterator[str]:
    """What to change so that the survivors are killed."""
    if not facts.calls or not survivors:
        return
    if any(one.reason == NO_BACKWARD for one in survivors):
        yield "call backward with upstream gradients that differ from entry to entry; compare the gradient"
    loose = [one.passed for one in survivors if one.reason == LOOSE and one.passed]
    if loose:
        most, ulp = max(one.share for one in loose), max(one.ulp for one in loose)
        yield (
            f"hold every entry, of the result and of the gradient, to a bound of its own: errors of "
            f"{share_text(most)} and of {ulp_text(ulp)} pass, where correct implementations differ by "
            f"{share_text(noise.share)} and {ulp_text(noise.ulp)}; an absolute tolerance hides small entries"
        )
    idle = list(dict.fromkeys(one.shown_by for one in survivors if one.reason == IDLE))
    if idle:
        more = f"; and {len(idle) - 10} more" if len(idle) > 10 else ""
        yield f"add inputs: {'; '.join(idle[:10])}{more}"


def _instead(operation: str, facts: Facts) -> str:
    """A line that checks an implementation in the dtypes that the test used."""
    dtypes = ", ".join(f'"{dtype}"' for dtype in facts.dtypes or ("float32",))
    comma = "," if len(facts.dtypes) < 2 else ""
    return f'verify.assert_holds(verify.check(implementation, "{operation}", dtypes=({dtypes}{comma})))'
