"""Peers: torch's own functions on every input of the 16-bit formats, for the report of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.backends import devices_present
from verify.floats import FORMATS
from verify.forms import FORMS
from verify.namesakes import namesake_of
from verify.operations import operations_with_contract
from verify.record import SweepRecord
from verify.sweeps.everywhere import Everywhere, everywhere


def peers() -> dict[str, Callable[..., Any]]:
    """The functions of torch that have forms, by the name of their contract."""
    found = {}
    for name in sorted({form.operation for form in FORMS}):
        contract = operations_with_contract()[name].contract
        function = None if contract is None else namesake_of(contract)
        if function is not None:
            found[name] = function
    return found


def swept(operation: str, dtype: str, device: str) -> tuple[SweepRecord, ...]:
    """What torch's function does on every input of each form; nothing where the device is absent."""
    if device not in devices_present() or FORMATS[dtype].width != 16:
        return ()
    todo = everywhere(
        peers()[operation], operation, {}, dtype=dtype, device=device, grad=True, time_limit=None
    )
    return tuple(_record(one) for one in todo)


def _record(one: Everywhere) -> SweepRecord:
    verdict = one.verdict()
    counts: dict[str, Any] = dict(verdict.counts or {})
    case = counts.get("worst") or {}
    return SweepRecord(
        operation=one.form.operation,
        form=one.form.words,
        property=one.swept.judged,
        dtype=one.dtype,
        device=one.device,
        status=verdict.status,
        inputs=verdict.inputs,
        exact=counts.get("exact", 0),
        correctly_rounded=counts.get("correctly_rounded", 0),
        faithful=counts.get("faithful", 0),
        refuted=counts.get("refuted", 0),
        undecided=counts.get("undecided", 0),
        worst_ulp=verdict.worst_ulp,
        worst_ratio=verdict.worst_ratio,
        worst_input=", ".join(map(repr, case.get("input", ()))),
        got="" if not case else repr(case["got"]),
        exact_value=case.get("exact", ""),
        reason=verdict.reason,
    )
