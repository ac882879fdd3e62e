"""Autograd: the gradient that a statement is about, as torch has it, measured by the search of `check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from verify.checking import contract_of, plan
from verify.claim import GradientOf, Part
from verify.elements import variable_of
from verify.errors import VerifyError
from verify.evidence import EXAMPLES, present
from verify.namesakes import namesake_of
from verify.proof import fingerprint
from verify.record import EvidenceRecord, NotRun
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
) -> tuple[tuple[EvidenceRecord, ...], tuple[NotRun, ...]]:
    """The gradient that a statement is about by autograd, within the bound of the contract.

    One record for each dtype and device, its ``side`` being the property as `verify.check` names it; what
    could not be run comes second. ``examples`` counts as in `evidence.gather`, one call for every
    `INPUTS_A_CALL`. Raises ``UnavailableError`` without torch and ``UsageError`` for a dtype, device or
    option that makes no sense.
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
        verdict = search.verdict()
        if verdict.applicable:
            records.append(_record(part, claim_id, f"autograd of {name}", search, verdict))
        else:
            what = f"{part.id}, {search.aspect}: {name} in {search.dtype}"
            missing.append(NotRun(what, verdict.reason, "nothing to do where torch does not offer it"))
    return tuple(records), tuple(missing)


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


def _record(part: Part, claim_id: str, name: str, search: Search, verdict: Verdict) -> EvidenceRecord:
    if verdict.status is Status.REFUTED and verdict.reproducer is None:
        reason = f"{verdict.reason}; a finding counts only with a script that shows it"
        verdict = replace(verdict, status=Status.UNKNOWN, reason=reason)
    return EvidenceRecord(
        claim_id,
        part.id,
        search.aspect,
        name,
        search.dtype,
        search.device,
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
