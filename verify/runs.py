"""A whole run: every claim judged, every numeric part measured, put together as one record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from verify.autograd import measure
from verify.backends import require_device
from verify.catalogue import atlas, claims, find
from verify.claim import Claim, Part
from verify.errors import UnavailableError, UsageError, unknown
from verify.evidence import at, gather
from verify.expected import Expected
from verify.floats import format_named
from verify.input_witness import read_input_witness
from verify.known import judged
from verify.parallel import in_order
from verify.proof import fingerprint, judge
from verify.record import (
    FORMAT_VERSION,
    ClaimRecord,
    EvidenceRecord,
    Figure,
    NotRun,
    RunRecord,
    SweepRecord,
)
from verify.report.figures import underflow
from verify.report.provenance import created, installed, whole_provenance
from verify.sweeps.peers import peers, swept
from verify.verdict import Status, Verdict

_UNDERFLOW = "log-likelihood-sum"
"""The claim that the figure of the underflowing product belongs to."""

_WITHOUT_TORCH = NotRun("numeric checks", "torch is not installed", "`pip install 'lossproof[torch]'`")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: which claims of the catalogue, on which dtypes and devices, from which seed.

    ``examples`` is the number of inputs searched for each statement, dtype and device; ``processes``
    how many claims are worked on at a time (1: in this process), which changes nothing but the time.
    ``expected``: the failures that are, by the id of the check; of each the witness alone is judged.
    """

    claims: tuple[str, ...]
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    seed: int
    examples: int
    processes: int
    command: str
    expected: Mapping[str, Expected] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found out about one claim."""

    record: ClaimRecord
    evidence: tuple[EvidenceRecord, ...]
    not_run: tuple[NotRun, ...]


def perform(plan: Plan, finished: Callable[[str], None]) -> RunRecord:
    """Judge and measure every claim of the plan, then sweep; ``finished`` is told of each of ``steps_of``."""
    moment = created()
    examined = in_order(partial(examine, plan=plan), plan.claims, plan.processes, finished)
    everywhere = in_order(_swept, sweeps_of(plan), plan.processes, lambda what: finished(_told(*what)))
    return RunRecord(
        format_version=FORMAT_VERSION,
        created=moment,
        command=plan.command,
        seed=plan.seed,
        provenance=whole_provenance(),
        claims=tuple(one.record for one in examined),
        evidence=tuple(record for one in examined for record in one.evidence),
        not_run=tuple(dict.fromkeys(entry for one in examined for entry in one.not_run)),
        figures=tuple(_figures(plan)),
        sweeps=tuple(record for records in everywhere for record in records),
        atlas=atlas(_proved(one.record for one in examined)) if _is_whole(plan) else (),
    )


def examine(claim_id: str, plan: Plan) -> Examined:
    """Judge one claim of the catalogue and measure its numeric parts."""
    claim = find(claim_id)
    parts = tuple(numeric_parts(claim))
    if parts and not installed("torch"):
        return Examined(judge(claim), (), (_WITHOUT_TORCH,))
    how: dict[str, Any] = {
        "dtypes": plan.dtypes,
        "devices": plan.devices,
        "seed": plan.seed,
        "examples": plan.examples,
        "known": tuple(plan.expected),
    }
    found: list[tuple[tuple[EvidenceRecord, ...], tuple[NotRun, ...]]] = []
    for part in parts:
        found += [gather(part, claim.id, **how)] if part.numeric else []
        found += [measure(part, claim.id, **how)] if part.gradient_of else []
        found.append((tuple(judged(part, claim.id, plan.expected)), ()))
    return Examined(
        judge(claim),
        tuple(record for records, _ in found for record in records),
        tuple(entry for _, missing in found for entry in missing),
    )


def numeric_parts(claim: Claim) -> Iterator[Part]:
    """The parts that torch computes or differentiates, also of the corrected form and of the condition."""
    yield from (part for part in (*claim.parts, *claim.holds_when) if part.numeric or part.gradient_of)
    if claim.corrected is not None:
        yield from numeric_parts(claim.corrected)


def replayed(text: str) -> Verdict:
    """The check of a statement that the witness of an input names, judged at this input alone.

    Raises ``UsageError`` for a text that is not whole, and for a statement or an implementation that the
    catalogue does not have, or has otherwise than it was; ``UnavailableError`` for a device that is absent.
    """
    witness = read_input_witness(text)
    known = {part.id: (part, claim.id) for claim in claims() for part in numeric_parts(claim)}
    if witness.part not in known:
        raise unknown("statement", witness.part, known)
    part, claim_id = known[witness.part]
    if witness.fingerprint != fingerprint(part):
        raise UsageError(f"the witness is for another {part.id} than that of now; make a new one")
    require_device(witness.device)
    record = at(part, claim_id, witness)
    if record is None:
        raise UsageError(
            f"torch computes {part.id} with no {witness.implementation} here; make a new witness"
        )
    about = f"{witness.implementation} as the {witness.side} side of {part.id}"
    refuted, example = record.status is Status.REFUTED, record.counterexample
    return Verdict(
        f"{about}: value in {witness.dtype} on {witness.device}",
        record.status,
        record.reason,
        "witness",
        record.inputs,
        worst_ulp=record.worst_ulp,
        worst_ratio=record.worst_ratio,
        level="stable",
        counterexample=example and replace(example, inputs=(*example.inputs, ("claim", claim_id))),
        reproducer=record.reproducer,
        witness=text.strip() if refuted else None,
    )


def sweeps_of(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """Which functions of torch are tried on every input, in which dtype, on which device.

    Those of the 16-bit dtypes, in a run of the whole catalogue.
    """
    if not installed("torch") or not _is_whole(plan):
        return ()
    narrow = [dtype for dtype in plan.dtypes if format_named(dtype).width == 16]
    return tuple((name, dtype, device) for name in peers() for dtype in narrow for device in plan.devices)


def steps_of(plan: Plan) -> int:
    """How many steps a run takes: its claims and its sweeps."""
    return len(plan.claims) + len(sweeps_of(plan))


def _told(operation: str, dtype: str, device: str) -> str:
    return f"every input of {operation} in {dtype} on {device}"


def _is_whole(plan: Plan) -> bool:
    return {claim.id for claim in claims()} <= set(plan.claims)


def _proved(records: Iterable[ClaimRecord]) -> frozenset[str]:
    """The ids of the statements that the kernel proved."""
    parts = (part for record in records for part in (*record.parts, *record.holds_when))
    return frozenset(part.id for part in parts if part.status == "proved")


def _swept(what: tuple[str, str, str]) -> tuple[SweepRecord, ...]:
    return swept(*what)


def _figures(plan: Plan) -> Iterator[Figure]:
    if _UNDERFLOW in plan.claims:
        try:
            yield underflow(_UNDERFLOW)
        except UnavailableError:
            return
