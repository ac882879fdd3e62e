"""A session of pytest with checks becomes a report: what the plugin writes, the command reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

import verify
from verify.cli import main
from verify.record import CheckRecord, ExpectedRecord
from verify.report.model import load

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.torch

SOURCE = """
import torch
from verify.testing import Expected, parametrize_with_checks

def unshifted(x, dim):
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))

WITNESS = {witness!r}

@parametrize_with_checks(
    [
        (unshifted, "log_softmax"),
        (unshifted, "log_softmax", "known"),
        (torch.log_softmax, "log_softmax", "repaired"),
        (torch.log_softmax, "log_softmax", "old"),
    ],
    examples=8,
    grad=False,
    expected={{
        "known-log_softmax-value-float32-cpu": Expected("overflows", WITNESS, expires="2999-01-31"),
        "repaired-log_softmax-value-float32-cpu": Expected("did overflow", WITNESS),
        "old-log_softmax-value-float32-cpu": Expected("long ago", WITNESS, expires="2000-01-31"),
    }},
)
def test_it(check):
    check()

@parametrize_with_checks([(torch.softmax, "softmax")], examples=2, grad=False, devices=("cuda",))
def test_elsewhere(check):
    check()
"""


def unshifted(x: Any, dim: int) -> Any:
    """Overflows."""
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


@pytest.fixture
def checks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> dict[str, CheckRecord]:
    """The checks of values in the report of a session, by the name in the id of the item."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    witness = verify.check(unshifted, "log_softmax", examples=20, grad=False)[0].witness
    pytester.makepyfile(test_it=SOURCE.format(witness=witness))
    pytester.runpytest_subprocess("-k", "value and not every", "--verify-json=checks.json")
    assert main(["report", "checks.json", "--output", "out"]) == 0
    run = load(pytester.path / "out" / "report.json")
    return {check.id.partition("[")[2].partition("-")[0]: check for check in run.checks}


@pytest.mark.skipif(torch.cuda.is_available(), reason="not run: a CUDA device is present")
def test_a_session_becomes_a_report(pytester: pytest.Pytester, checks: dict[str, CheckRecord]) -> None:
    """Findings, expected failures in each of their states, and what was not run."""
    assert {name: check.outcome for name, check in checks.items()} == {
        "unshifted": "refuted",
        "known": "expected",
        "repaired": "unexpected pass",
        "old": "expired",
        "softmax": "not run",
    }
    told = json.loads(pytester.path.joinpath("checks.json").read_text())
    assert (told["format_version"], told["command"].split()[0]) == (1, "pytest")
    found, known = checks["unshifted"], checks["known"]
    assert (found.candidate, found.operation, found.property) == ("test_it.unshifted", "log_softmax", "value")
    assert known.expected is not None
    assert known.expected == ExpectedRecord("overflows", known.expected.witness, "2999-01-31")
    assert known.expected.witness.startswith("lossproof1:log_softmax:value:float32:cpu:")
    assert (checks["softmax"].device, checks["old"].dtype) == ("cuda", "float32")
    page = pytester.path.joinpath("out", "report.html").read_text()
    assert f"lossproof replay {found.witness}" in page
    assert "2 expected failures to remove or renew</h1>" in page
