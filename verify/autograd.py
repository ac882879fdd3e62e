"""Autograd: the gradient that a statement is about, as torch has it, measured by the search of `check`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from verify.cases import read_witness
from verify.checking import contract_of, plan, replay
from verify.claim import GradientOf, Part
from verify.elements import variable_of
from verify.errors import VerifyError
from verify.evidence import EXAMPLES, present
from verify.namesakes import namesake_of
from verify.proof import fingerprint
from verify.record import EvidenceRecord, NotRun, check_id
from verify.reproducer import run_script
from verify.search import Search
from verify.signatures import name_of
from verify.verdict import Status, Verdict

INPUTS_A_CALL = 3
"""Inputs of a numeric check in whose stead one call is made: it has a gradient in every entry of a tensor."""


def measure(
    part: Part,
    claim_id: str,
    *,
    dtypes: Sequence[str],
    devices: Sequence[str],
    seed: int = 0,
    examples: int = EXAMPLES,
    known: Collection[str] = (),
) -> tuple[tuple[EvidenceRecord, ...], tuple[NotRun, ...]]:
    """The gradient that a statement is about by autograd, within the bound of the contract.

    One record for each dtype and device, its ``side`` being the property as `verify.check` names it; what
    could not be run comes second. ``examples`` counts as in `evidence.gather`, one call for every
    `INPUTS_A_CALL`. The checks whose id is ``known`` are left out. Raises ``UnavailableError`` without torch
    and ``UsageError`` for a dtype, device or option that makes no sense.
    """
    about = part.gradient_of
    if about is None:
        return (), ()
    here, missing = present(devices)
    peer = _peer(about)
    if peer is None:
        what = f"{part.id}: the gradient by torch"
        why = f"torch has no {contract_of(about.operation).namesake}"
        return (), (*missing, NotRun(what, why, "name a function as peer of the statement's gradient_of"))
    name, function = peer
    records: list[EvidenceRecord] = []
    for search in _searches(about, function, dtypes, here, seed, max(1, examples // INPUTS_A_CALL)):
        where = search.aspect, _named(name), search.dtype, search.device
        if check_id(part.id, *where) in known:
            continue
        verdict = search.verdict()
        if verdict.applicable:
            records.append(_record(part, claim_id, where, verdict))
        else:
            what = f"{part.id}, {search.aspect}: {name} in {search.dtype}"
            missing.append(NotRun(what, verdict.reason, "nothing to do where torch does not offer it"))
    return tuple(records), tuple(missing)


def at(part: Part, claim_id: str, witness: str) -> EvidenceRecord | None:
    """The check that a witness names, judged on its call alone; None where the part has no such check.

    Raises ``UsageError`` for a witness that is none.
    """
    about, where = part.gradient_of, _place(part, witness)
    peer = _peer(about) if about is not None else None
    if about is None or peer is None or where is None:
        return None
    return _record(part, claim_id, where, replay(peer[1], witness, operation=about.operation))


def check_of(part: Part, witness: str) -> str | None:
    """The id of the check of a statement that a witness is for; None where it is for none of them.

    Raises ``UsageError`` for a witness that is none.
    """
    where = _place(part, witness)
    return None if where is None else check_id(part.id, *where)


def _place(part: Part, witness: str) -> tuple[str, str, str, str] | None:
    """Property, implementation, dtype and device of a witness that is for the gradient of a statement."""
    about = part.gradient_of
    peer = _peer(about) if about is not None else None
    if about is None or peer is None:
        return None
    contract = contract_of(about.operation)
    case = read_witness(witness, lambda name: contract if name == contract.name else contract_of(name))
    if case.call.contract.name != contract.name or variable_of(case.aspect, contract) != about.tensor:
        return None
    return case.aspect, _named(peer[0]), case.dtype, case.device


def checks(part: Part, dtypes: Sequence[str], devices: Sequence[str]) -> Iterator[str]:
    """The ids of the checks of the gradient that a statement is about."""
    about = part.gradient_of
    peer = _peer(about) if about is not None else None
    if about is not None and peer is not None:
        for search in _searches(about, peer[1], dtypes, devices, 0, 1):
            yield check_id(part.id, search.aspect, _named(peer[0]), search.dtype, search.device)


def _named(name: str) -> str:
    return f"autograd of {name}"


def _peer(about: GradientOf) -> tuple[str, Callable[..., Any]] | None:
    """What is differentiated, in words and as a function: what is named, torch's own, or a composition."""
    from verify.corpus.compositions import COMPOSITIONS

    if about.peer is not None:
        return name_of(about.peer), about.peer
    contract = contract_of(about.operation)
    own = namesake_of(contract)
    if own is not None:
        return contract.namesake.replace("torch.nn.functional.", "F."), own
    return COMPOSITIONS.get(contract.name)


def _searches(
    about: GradientOf,
    function: Callable[..., Any],
    dtypes: Sequence[str],
    devices: Sequence[str],
    seed: int,
    calls: int,
) -> list[Search]:
    """The searches of a `check` of the function that are about the gradient in the tensor."""
    if not devices:
        return []
    planned = plan(
        function,
        about.operation,
        dtypes=dtypes,
        devices=devices,
        options=about.options,
        examples=calls,
        seed=seed,
    )
    return [
        one
        for one in planned
        if isinstance(one, Search) and variable_of(one.aspect, one.contract) == about.tensor
    ]


def _record(part: Part, claim_id: str, where: tuple[str, str, str, str], verdict: Verdict) -> EvidenceRecord:
    """The record of a verdict; ``where`` is property, implementation, dtype and device."""
    if verdict.status is Status.REFUTED and verdict.reproducer is None:
        reason = f"{verdict.reason}; a finding counts only with a script that shows it"
        verdict = replace(verdict, status=Status.UNKNOWN, reason=reason)
    return EvidenceRecord(
        claim_id,
        part.id,
        *where,
        verdict.status,
        verdict.inputs,
        worst_ulp=verdict.worst_ulp,
        worst_ratio=verdict.worst_ratio,
        counterexample=verdict.counterexample,
        reproducer=verdict.reproducer,
        reproduced=_printed(verdict),
        reason=verdict.reason,
        fingerprint=fingerprint(part),
        witness=verdict.witness,
    )


def _printed(verdict: Verdict) -> str | None:
    """What the script of a refuted verdict prints."""
    if verdict.status is not Status.REFUTED or verdict.reproducer is None:
        return None
    try:
        return run_script(verdict.reproducer)
    except VerifyError:
        return None
