"""Two runs against each other: which claims and findings are new, fixed, moved, or no longer there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from verify.record import ClaimRecord, PartRecord, RunRecord
from verify.report.shape import named, quantity, side_of, standing
from verify.report.summary import established
from verify.verdict import Status

FACTOR = 2.0
"""A worst error / bound has moved when it is more than this times what it was, or less than 1/this."""

KINDS = ("broken", "new", "fixed", "moved", "gone", "added", "removed")
"""The kinds of change, the one to look at first in front."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two runs.

    ``kind``: broken (an established claim is not established any more), new (a finding that was none),
    fixed (a refuted check that now holds, or a claim now established), moved (the status changed
    otherwise, the statement changed, or the worst error / bound by more than FACTOR), gone (a finding
    that was not run again), added or removed (a claim that was not there, or is not any more).
    """

    kind: str
    claim: str
    what: str
    before: str
    after: str

    @property
    def worse(self) -> bool:
        """Whether something holds no more, or is now refuted: the exit code is then 1."""
        return self.kind in ("broken", "new")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed since an older run; ``facts`` are the versions and settings that differ."""

    before: str
    after: str
    facts: tuple[tuple[str, str, str], ...]
    changes: tuple[Change, ...]

    def of(self, kind: str) -> tuple[Change, ...]:
        """The changes of one kind: claims first, then the checks, largest change first."""
        return tuple(change for change in self.changes if change.kind == kind)

    @property
    def worse(self) -> bool:
        """Whether a claim broke or a finding is new."""
        return any(change.worse for change in self.changes)

    @property
    def sentence(self) -> str:
        """How many changes there are of each kind."""
        counts = [f"{len(self.of(kind))} {kind}" for kind in KINDS if self.of(kind)]
        return f"Against the run of {self.before}: {', '.join(counts) or 'no change'}."


@dataclass(frozen=True, slots=True)
class _Check:
    """A numeric check or a sweep, as far as two runs can differ in it."""

    status: Status
    ratio: float | None

    @property
    def words(self) -> str:
        return (
            str(self.status) if self.ratio is None else f"{self.status}, {quantity(self.ratio)} × its bound"
        )


def compare(run: RunRecord, old: RunRecord) -> Comparison:
    """What ``run`` has that ``old`` had not, and the other way round."""
    earlier, later = dict(old.provenance), dict(run.provenance)
    names = dict.fromkeys([*earlier, *later])
    facts = [(name, earlier.get(name, "absent"), later.get(name, "absent")) for name in names]
    facts.append(("seed", str(old.seed), str(run.seed)))
    changes = [*_claims(run, old), *_checks(_measured(run), _measured(old))]
    return Comparison(
        before=old.created,
        after=run.created,
        facts=tuple(fact for fact in facts if fact[1] != fact[2]),
        changes=tuple(sorted(changes, key=lambda change: KINDS.index(change.kind))),
    )


def _claims(run: RunRecord, old: RunRecord) -> Iterator[Change]:
    before, after = ({claim.id: claim for claim in one.claims} for one in (old, run))
    for name in dict.fromkeys([*after, *before]):
        if name not in before:
            yield Change("added", name, "claim", "not there", standing(after[name]))
        elif name not in after:
            yield Change("removed", name, "claim", standing(before[name]), "not there")
        elif (kind := _claim_kind(before[name], after[name])) is not None:
            reworded = "" if _statements(before[name]) == _statements(after[name]) else ", another statement"
            yield Change(kind, name, "claim", standing(before[name]), standing(after[name]) + reworded)


def _claim_kind(before: ClaimRecord, after: ClaimRecord) -> str | None:
    if established(before) != established(after):
        return "fixed" if established(after) else "broken"
    same = before.status == after.status and _statements(before) == _statements(after)
    return None if same else "moved"


def _statements(claim: ClaimRecord) -> tuple[tuple[str, str], ...]:
    parts: list[PartRecord] = [*claim.parts, *claim.holds_when, *([claim.literal] if claim.literal else [])]
    own = tuple((part.id, part.fingerprint) for part in parts)
    return own if claim.corrected is None else own + _statements(claim.corrected)


def _measured(run: RunRecord) -> dict[tuple[str, str], _Check]:
    """The checks by claim and description; of two of one name the least favourable."""
    found: dict[tuple[str, str], _Check] = {}
    for key, check in _named(run):
        other = found.get(key, check)
        found[key] = min(check, other, key=lambda one: (one.status.rank, -_size(one.ratio)))
    return found


def _named(run: RunRecord) -> Iterator[tuple[tuple[str, str], _Check]]:
    for record in run.evidence:
        where = f"{named(record)} in {record.dtype} on {record.device}, {side_of(record)} of {record.part}"
        yield (record.claim, where), _Check(record.status, record.worst_ratio)
    for one in run.sweeps:
        where = f"{one.operation}, {one.property} of {one.form} in {one.dtype} on {one.device}"
        yield ("every input", where), _Check(one.status, one.worst_ratio)
    for check in run.checks:
        if check.outcome not in ("not run", "expired", "not applicable"):
            where = f"{check.candidate}: {check.property} in {check.dtype} on {check.device}"
            yield (check.claim, where), _Check(check.status, check.worst_ratio)


def _checks(after: dict[tuple[str, str], _Check], before: dict[tuple[str, str], _Check]) -> Iterable[Change]:
    found: list[tuple[float, Change]] = []
    for key in dict.fromkeys([*after, *before]):
        now, then = after.get(key), before.get(key)
        kind = _kind(now, then)
        if kind is not None:
            words = (one.words if one else "not run" for one in (then, now))
            size = _factor(now, then) if kind == "moved" else _size((now or then or _NONE).ratio)
            found.append((size, Change(kind, *key, *words)))
    return (change for _, change in sorted(found, key=lambda pair: -pair[0]))


_NONE = _Check(Status.UNKNOWN, None)


def _kind(now: _Check | None, then: _Check | None) -> str | None:
    """What became of a check; None where nothing did, or where it came or went without a finding."""
    if now is None or then is None:
        if now is not None and now.status == Status.REFUTED:
            return "new"
        return "gone" if then is not None and then.status == Status.REFUTED else None
    if now.status == Status.REFUTED and then.status != Status.REFUTED:
        return "new"
    if then.status == Status.REFUTED and now.status >= Status.PASSED:
        return "fixed"
    return "moved" if now.status != then.status or _factor(now, then) > FACTOR else None


def _factor(now: _Check | None, then: _Check | None) -> float:
    """By what factor, 1 or above, the worst error / bound of two checks differ."""
    if now is None or then is None or now.ratio is None or then.ratio is None:
        return 1.0
    low, high = sorted((_size(now.ratio), _size(then.ratio)))
    if low == high:
        return 1.0
    return high / low if low else math.inf


def _size(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value
