"""Detection: planted faults are refuted, one kind in sixteen, in the property that they break.

benchmarks/detection.py runs whole checks of all of them with default settings and times them; here only the
broken property is searched, and the script that shows a finding is not run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from verify import findings
from verify.checking import plan
from verify.corpus import Fault, faults, samples
from verify.operations import operations_with_contract
from verify.reproducer import ReproducerError
from verify.verdict import Status

pytestmark = pytest.mark.torch

KNOWN = [fault for fault in faults() if fault.operation in operations_with_contract()]

SHARE = 16
"""One kind in so many is searched here; benchmarks/detection.py searches all faults."""


def _cases() -> list[Any]:
    return [
        pytest.param(fault, id=fault.id)
        for number, fault in enumerate(samples())
        if fault in KNOWN and number % SHARE == 0
    ]


def _no_script(*arguments: Any) -> str:
    raise ReproducerError("scripts are not run here")


@pytest.mark.parametrize("fault", _cases())
def test_a_planted_fault_is_refuted(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """With default settings, in the property that the fault breaks."""
    monkeypatch.setattr(findings, "run_script", _no_script)
    searches = plan(fault.candidate, fault.operation, dtypes=(fault.dtype,))
    (broken,) = (one for one in searches if one.aspect == fault.breaks)
    verdict = broken.verdict()
    assert verdict.status is Status.REFUTED, f"{fault.summary} Shown by: {fault.shown_by}. {verdict.reason}"


def test_every_planted_fault_is_of_an_operation_that_can_be_checked() -> None:
    """None is left out because its operation was renamed."""
    assert [fault.id for fault in faults() if fault not in KNOWN] == []


def test_there_are_faults_for_values_and_gradients_of_every_operation() -> None:
    """At least three of each, so that no operation is without its tests."""
    planted = Counter((fault.operation, fault.breaks.partition(" of ")[0]) for fault in KNOWN)
    lacking = [
        (name, aspect)
        for name, operation in operations_with_contract().items()
        for aspect in ("value", "gradient")
        if planted[name, aspect] < 3 and (aspect == "value" or operation.contract.gradients)
    ]
    assert lacking == []
