"""Attempts: what an audit tries of an operation, one after the other, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from verify import corpus
from verify.certificates import Certificate, certificates
from verify.corpus.planting import Fault, Right
from verify.errors import UsageError, unknown
from verify.operations import operations_with_contract
from verify.signatures import signature_of
from verify.snapshots import NOTHING, Difference
from verify.substitute import Function, Substitute, Trace
from verify.trial import Ending, Trial

RIGHTS = 8
"""Right implementations that are tried at most, beside the reference at the beginning and at the end."""

PATIENCE = 10.0
"""How many times as long as the reference a run may take, and ``GRACE`` seconds."""

GRACE = 1.0

FIRST, LAST = "reference", "reference again"


@dataclass(frozen=True, slots=True)
class Entrant:
    """An implementation that is tried: right, or wrong with its certificates by dtype."""

    id: str
    role: str
    candidate: Function | None
    dtypes: tuple[str, ...]
    summary: str
    fault: Fault | None = None
    proofs: Mapping[str, Certificate] = field(default_factory=dict, hash=False)

    @property
    def wrong(self) -> Fault:
        """The fault of a wrong one; ``UsageError`` for a right one."""
        if self.fault is None:
            raise UsageError(f"{self.id} is not wrong")
        return self.fault


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one entrant.

    ``applied``: calls that it computed; ``declined``: why it left one to the reference; ``compared``: results
    and gradients that were compared with those of the reference, and ``apart`` how far they were off at most;
    ``unmatched``: calls with other inputs than the reference had.
    """

    id: str
    ending: Ending
    told: str = ""
    seconds: float = 0.0
    applied: int = 0
    declined: str = ""
    compared: int = 0
    apart: Difference = NOTHING
    unmatched: int = 0


def entrants(operation: str, *, grad: bool = True, only: Iterable[str] | None = None) -> tuple[Entrant, ...]:
    """What an audit tries, in order: the reference, right ones, wrong ones, the reference again.

    Without ``grad`` no wrong gradients; ``only`` names the wrong ones by id. Raises ``UsageError`` for an
    operation of which nothing wrong is known, and for an id that is not one.
    """
    known = operations_with_contract()
    if operation not in known or operation not in corpus.REFERENCES:
        raise unknown("operation", operation, corpus.REFERENCES)
    proofs = certificates()
    wrong = [
        Entrant(one.id, "wrong", one.candidate, tuple(proofs[one.id]), one.summary, one, proofs[one.id])
        for one in corpus.wrong()
        if one.operation == operation and one.id in proofs and (grad or one.breaks == "value")
    ]
    if only is not None:
        wrong = _named(wrong, only)
    if not wrong:
        raise UsageError(f"no wrong implementation of {operation} is certified; audit another operation")
    reference = [
        Entrant(name, "right", None, (), "the reference of the audit, torch's own where that is right")
        for name in (FIRST, LAST)
    ]
    return (reference[0], *_rights(operation), *wrong, reference[1])


def _named(wrong: list[Entrant], ids: Iterable[str]) -> list[Entrant]:
    """Those with these ids."""
    known = {one.id: one for one in wrong}
    for name in (ids := tuple(ids)):
        if name not in known:
            raise unknown("wrong implementation", name, known)
    return [one for one in wrong if one.id in ids]


def _rights(operation: str) -> list[Entrant]:
    """The last of each kind, with the largest blocks, that has a gradient and an installed library."""
    kinds: dict[Any, Right] = {}
    for right in corpus.rights():
        if right.operation == operation and right.grad and (not right.needs or find_spec(right.needs)):
            kinds[getattr(right.candidate, "func", right.candidate)] = right
    return [
        Entrant(one.id, "right", one.candidate, one.dtypes, one.summary)
        for one in list(kinds.values())[:RIGHTS]
    ]


class Runner:
    """Tries entrants one by one; it keeps the trace of the reference, by which the others are compared.

    Raises ``UsageError`` where the reference is called, and no call has the signature of the operation.
    """

    def __init__(
        self,
        operation: str,
        run: Callable[[Any, float], Trial],
        seconds: float,
        original: Function | None = None,
    ) -> None:
        contract = operations_with_contract()[operation].contract
        self._operation = operation
        self._tensors = contract.tensors if contract else 1
        own = corpus.REFERENCES[operation]
        self._reference = original or own
        found = (signature_of(original) if original else None), signature_of(own)
        self._signatures = tuple(one for one in found if one is not None)
        self._run, self._limit = run, seconds
        self.trace: Trace | None = None
        self.broken = ""

    def attempt(self, entrant: Entrant) -> Attempt:
        """What becomes of one entrant."""
        if entrant.id == FIRST:
            return self._first(entrant)
        if reason := self._needless(entrant):
            return Attempt(entrant.id, Ending.LEFT_OUT, reason)
        substitute = Substitute(
            self._reference, self._tensors, self._signatures, entrant.candidate, entrant.dtypes, self.trace
        )
        trial = self._run(substitute, self._limit)
        attempt = Attempt(entrant.id, trial.ending, trial.told, trial.seconds)
        return replace(
            attempt,
            applied=substitute.applied,
            declined=substitute.declined,
            compared=substitute.compared,
            apart=substitute.apart,
            unmatched=substitute.unmatched,
        )

    def _first(self, entrant: Entrant) -> Attempt:
        substitute = Substitute(self._reference, self._tensors, self._signatures)
        trial = self._run(substitute, self._limit)
        self.trace = substitute.trace
        if substitute.declined and not substitute.trace.calls:
            raise UsageError(
                f"no call that the test makes is one of {self._operation}: {substitute.declined}; call the "
                "implementation as torch's is called (docs/operations.md), or audit it as what it is"
            )
        if trial.ending is Ending.PASSED:
            self._limit = min(self._limit, PATIENCE * trial.seconds + GRACE)
        elif trial.ending is not Ending.FAILED:
            self.broken = f"the test does not come to its end on the reference: {trial.told}"
        return Attempt(entrant.id, trial.ending, trial.told, trial.seconds, substitute.trace.count)

    def _needless(self, entrant: Entrant) -> str:
        """Why a wrong implementation need not be tried, seen how the reference was called."""
        trace = self.trace
        if trace is None or entrant.fault is None:
            return ""
        if self.broken:
            return self.broken
        if not trace.count:
            return "the test never calls the implementation"
        used = {call.dtype for call in trace.calls}
        if not used & set(entrant.dtypes) and not trace.later:
            told, shown = " and ".join(sorted(used)), " and ".join(entrant.dtypes)
            return f"it is wrong in {shown}, and the test calls in {told}"
        return ""


def plain(attempt: Attempt) -> dict[str, Any]:
    """An attempt as data that JSON can hold."""
    return asdict(attempt)


def attempt_of(told: Mapping[str, Any]) -> Attempt:
    """The attempt that `plain` was made of."""
    return Attempt(**{**told, "ending": Ending(told["ending"]), "apart": Difference(**told["apart"])})
