"""The command audit: test functions and suites in a process of their own, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import verify
from verify import audit_commands, audit_process
from verify.cli import main
from verify.errors import UsageError
from verify.suites import suite_of

pytestmark = pytest.mark.torch

LOSSES = """
import torch

def divergence(input, target, reduction="mean", log_target=False):
    return torch.nn.functional.kl_div(input, target, reduction=reduction, log_target=log_target)

class Loss:
    @staticmethod
    def divergence(input, target, reduction="mean"):
        return divergence(input, target, reduction)
"""

TESTS = """
import os, signal, time
import pytest, torch
from torch.nn import functional
from {losses} import Loss, divergence

def pair():
    return torch.randn(8, 32).log_softmax(1), torch.randn(8, 32).softmax(1)

@pytest.fixture(scope="module")
def tolerance():
    return 1e-6

def test_value(tolerance):
    q, p = pair()
    torch.testing.assert_close(divergence(q, p), functional.kl_div(q, p), rtol=tolerance, atol=0.0)

def test_method():
    q, p = pair()
    torch.testing.assert_close(Loss.divergence(q, p), functional.kl_div(q, p), rtol=1e-6, atol=0.0)

def test_beside_it():
    assert functional is not None

def test_that_fails_anyway():
    divergence(*pair())
    assert False

@pytest.mark.skip(reason="no GPU")
def test_on_a_gpu():
    assert False

def as_function(f):
    q, p = pair()
    torch.testing.assert_close(f(q, p), functional.kl_div(q, p), rtol=1e-6, atol=0.0)

def crashes_or_hangs(f):
    q, p = pair()
    value = float(f(q, p))
    if value == 0:
        os.abort()
    if value < 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(1000)

def ends_on_sight(f):
    os._exit(7)
"""

ONLY = "kl_div-value-zero", "kl_div-value-negated", "kl_div-gradient-zero"

Audit = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Names of a module of losses and of one of tests, in the working folder."""
    losses, tests = f"losses_{tmp_path.name}", f"test_{tmp_path.name}"
    (tmp_path / f"{losses}.py").write_text(LOSSES)
    (tmp_path / f"{tests}.py").write_text(TESTS.replace("{losses}", losses))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return losses, tests


@pytest.fixture
def audit(package: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> Audit:
    """The command on a function of the tests, or on the suite; its exit code and its object."""

    def run(*flags: str, only: tuple[str, ...] = ONLY) -> tuple[int, dict[str, Any]]:
        named = ["--only", *only]
        code = main(["audit", *flags, "--as", "kl_div", *named, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def _ids(report: dict[str, Any], name: str) -> set[str]:
    return {one["id"] for one in report[name]}


def test_a_suite_is_run_with_its_function_replaced(audit: Audit, package: tuple[str, str]) -> None:
    """Also where the test has bound its name; what fails or is skipped anyway is left out."""
    losses, tests = package
    code, report = audit(f"{tests}.py", "--replace", f"{losses}:divergence")
    assert (code, _ids(report, "survivors")) == (1, {"kl_div-gradient-zero"})
    assert _ids(report, "killed") == {"kl_div-value-zero", "kl_div-value-negated"}
    assert report["killed"][0]["told"].startswith(f"{tests}.py::test_value: AssertionError: ")
    assert report["remarks"] == [
        "tests of the suite that pass and call the implementation: 2",
        f"tests that fail as they are, and are left out: 1, {tests}.py::test_that_fails_anyway",
        f"tests that are skipped as they are, and are left out: 1, {tests}.py::test_on_a_gpu",
    ]


def test_a_suite_is_audited_whatever_its_configuration_asks_for(
    audit: Audit, package: tuple[str, str], tmp_path: Path
) -> None:
    """Warnings are errors, a module that was imported before is to be rewritten, no report is written."""
    losses, tests = package
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -W error --junitxml=junit.xml\n")
    (tmp_path / "conftest.py").write_text(f'import pytest\npytest.register_assert_rewrite("{losses}")\n')
    code, report = audit(f"{tests}.py", "--replace", f"{losses}:divergence", only=("kl_div-value-zero",))
    assert (code, _ids(report, "killed")) == (0, {"kl_div-value-zero"})
    assert not (tmp_path / "junit.xml").exists()


def test_a_function_that_its_package_exports_is_replaced_there_too(
    audit: Audit, package: tuple[str, str], tmp_path: Path
) -> None:
    """The test imports it from the package, the command names the module that defines it."""
    home = tmp_path / f"exports_{tmp_path.name}"
    home.mkdir()
    (home / "__init__.py").write_text("from .own import Loss, divergence")
    (tmp_path / f"{package[0]}.py").rename(home / "own.py")
    tests = tmp_path / f"{package[1]}.py"
    tests.write_text(tests.read_text().replace(package[0], home.name))
    _, report = audit(tests.name, "--replace", f"{home.name}.own:divergence", only=("kl_div-value-zero",))
    assert report["killed"][0]["told"].startswith(f"{tests.name}::test_value: ")


def test_a_suite_named_as_a_module_and_a_method_are_found(audit: Audit, package: tuple[str, str]) -> None:
    """The suite by its import name, the attribute in a class."""
    losses, tests = package
    _, report = audit(tests, "--replace", f"{losses}:Loss.divergence", only=("kl_div-value-zero",))
    assert report["killed"][0]["told"].startswith(f"{tests}.py::test_method: ")


def test_a_function_that_the_suite_never_calls_is_nothing_checked(
    audit: Audit, package: tuple[str, str]
) -> None:
    """The exit code says so, and the reason."""
    losses, tests = package
    code, report = audit(f"{tests}.py::test_beside_it", "--replace", f"{losses}:divergence")
    assert (code, report["vacuous"]) == (3, "it never calls the implementation")


def test_a_test_function_is_audited_at_its_place(audit: Audit, package: tuple[str, str]) -> None:
    """As `verify.audit` does."""
    code, report = audit(f"{package[1]}:as_function")
    assert (code, _ids(report, "survivors")) == (1, {"kl_div-gradient-zero"})


def test_a_run_that_crashes_or_hangs_is_undecided_and_the_audit_goes_on(
    audit: Audit, package: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in compiled code; the process is started anew for the others."""
    monkeypatch.setattr(audit_process, "GRACE", 1.0)
    _, report = audit(f"{package[1]}:crashes_or_hangs", "--time-limit", "1")
    assert [(one["id"], one["told"]) for one in report["undecided"]] == [
        ("kl_div-value-negated", "it did not return within 2 s"),
        ("kl_div-value-zero", "its process died by signal SIGABRT"),
    ]
    assert _ids(report, "survivors") == {"kl_div-gradient-zero"}


def test_a_test_that_takes_the_process_along_is_vacuous(audit: Audit, package: tuple[str, str]) -> None:
    """On the first correct implementation already."""
    code, report = audit(f"{package[1]}:ends_on_sight")
    told = "it does not come to its end on a correct implementation: its process ended with exit code 7"
    assert (code, report["vacuous"]) == (3, told)


def test_a_suite_that_cannot_be_run_is_one_sentence(
    package: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And exit code 2."""
    flags = ["--as", "kl_div", "--only", "kl_div-value-zero"]
    assert main(["audit", "missing.py", "--replace", f"{package[0]}:divergence", *flags]) == 2
    assert "the suite cannot be run (pytest ends with " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("attribute", "told"),
    [("decimal:Decimal", "Decimal is a class"), ("torch.nn.functional:kl_div", "is what tests compare with")],
)
def test_what_cannot_be_replaced_is_refused(
    attribute: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class, and what the tests compare with."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(UsageError, match=told):
        suite_of("tests", attribute)


def _in_this_process(request: audit_process.Request, finished: Any) -> verify.AuditReport:
    """An audit of a test that looks at values alone."""

    def test(divergence: Any) -> None:
        q, p = torch.randn(8, 32).log_softmax(1), torch.randn(8, 32).softmax(1)
        torch.testing.assert_close(divergence(q, p), torch.nn.functional.kl_div(q, p), rtol=1e-4, atol=0.0)

    return verify.audit(test, request.operation, grad=request.grad, only=request.only)


@pytest.mark.parametrize(
    ("only", "threshold", "code"),
    [
        ("kl_div-gradient-zero", "gross", 1),
        ("kl_div-gradient-zero", "none", 0),
        ("kl_div-value-times-1.0001", "gross", 0),
        ("kl_div-value-times-1.0001", "subtle", 1),
        ("kl_div-value-zero", "subtle", 0),
    ],
)
def test_what_may_survive_is_an_option(
    monkeypatch: pytest.MonkeyPatch, only: str, threshold: str, code: int
) -> None:
    """Something of that grade or a worse one is exit code 1."""
    monkeypatch.setattr(audit_commands, "audit_isolated", _in_this_process)
    flags = ["--as", "kl_div", "--only", only, "--fail-on", threshold]
    assert main(["audit", "tests:test", *flags]) == code


def test_the_report_is_text_unless_json_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Headline first."""
    monkeypatch.setattr(audit_commands, "audit_isolated", _in_this_process)
    main(["audit", "tests:test", "--as", "kl_div", "--only", "kl_div-gradient-zero"])
    line = capsys.readouterr().out.splitlines()[0]
    assert line.endswith(" as kl_div: 1 of 1 wrong implementations survive: 1 gross")


def test_without_torch_one_sentence_says_so(tmp_path: Path) -> None:
    """And exit code 2."""
    script = (
        "import sys; sys.modules['torch'] = None; from verify.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "audit", "tests:test", "--as", "kl_div"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert (done.returncode, done.stderr.startswith("lossproof: torch is not installed")) == (2, True)
