"""Verification of maximum-likelihood mathematics and of the code that computes it.

Names are loaded when they are first used, so that ``import verify`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify import operations, strategies
    from verify.assertions import assert_holds, assert_ulp
    from verify.audit_report import AuditReport
    from verify.auditing import audit
    from verify.catalogue import claims, find
    from verify.checking import check, replay
    from verify.claim import Claim, Hypothesis, Part, Step, Witness
    from verify.consistency import check_operation
    from verify.contract import Contract, Option
    from verify.form import Curve, Filled, Form, X
    from verify.operation import Operation
    from verify.proof import prove
    from verify.results import Results
    from verify.sweeps.sweeping import sweep
    from verify.verdict import Counterexample, Status, Verdict

_HOMES = {
    "audit": "verify.auditing",
    "AuditReport": "verify.audit_report",
    "assert_holds": "verify.assertions",
    "assert_ulp": "verify.assertions",
    "claims": "verify.catalogue",
    "check": "verify.checking",
    "check_operation": "verify.consistency",
    "find": "verify.catalogue",
    "Claim": "verify.claim",
    "Hypothesis": "verify.claim",
    "Part": "verify.claim",
    "Step": "verify.claim",
    "Witness": "verify.claim",
    "Contract": "verify.contract",
    "Option": "verify.contract",
    "Curve": "verify.form",
    "Filled": "verify.form",
    "Form": "verify.form",
    "X": "verify.form",
    "Operation": "verify.operation",
    "prove": "verify.proof",
    "replay": "verify.checking",
    "Results": "verify.results",
    "sweep": "verify.sweeps.sweeping",
    "Counterexample": "verify.verdict",
    "Status": "verify.verdict",
    "Verdict": "verify.verdict",
}

__all__ = [
    "AuditReport",
    "Claim",
    "Contract",
    "Counterexample",
    "Curve",
    "Filled",
    "Form",
    "Hypothesis",
    "Operation",
    "Option",
    "Part",
    "Results",
    "Status",
    "Step",
    "Verdict",
    "Witness",
    "X",
    "assert_holds",
    "assert_ulp",
    "audit",
    "check",
    "check_operation",
    "claims",
    "find",
    "operations",
    "prove",
    "replay",
    "strategies",
    "sweep",
]
_MODULES = ("operations", "strategies")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"verify.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'verify' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
