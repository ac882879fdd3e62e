"""The audit of a test: what survives, why, and what is said of tests that say nothing."""

from __future__ import annotations

import json
import sys
import time
import unittest
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify import corpus
from verify.audit_report import AuditReport
from verify.certificates import GRADES, certificates
from verify.errors import UsageError

pytestmark = pytest.mark.torch

FAULTS = {fault.id: fault for fault in corpus.wrong()}


def _inputs(rows: int = 8, classes: int = 32) -> tuple[Any, Any]:
    return torch.randn(rows, classes).log_softmax(1), torch.randn(rows, classes).softmax(1)


def loose(divergence: Any) -> None:
    """Compares the gradient with an absolute tolerance above all of its entries."""
    q, p = _inputs()
    q.requires_grad_()
    result = divergence(q, p)
    result.backward()
    torch.testing.assert_close(result, functional.kl_div(q, p), rtol=1e-6, atol=0.0)
    torch.testing.assert_close(q.grad, -p / p.numel(), rtol=0.0, atol=1.0)


def forward_only(divergence: Any) -> None:
    """Looks at the value of one call."""
    q, p = _inputs()
    torch.testing.assert_close(divergence(q, p), functional.kl_div(q, p), rtol=1e-6, atol=0.0)


def compares_nothing(divergence: Any) -> None:
    """Calls, and looks away."""
    q, p = _inputs()
    divergence(q.requires_grad_(), p).backward()


@pytest.fixture(scope="module")
def report() -> AuditReport:
    """The audit of the loose test."""
    return verify.audit(loose, "kl_div")


def _ids(entries: Any) -> set[str]:
    return {entry.id for entry in entries}


def test_what_the_test_compares_is_killed(report: AuditReport) -> None:
    """Wrong values, of which it sees every digit."""
    assert {"kl_div-value-zero", "kl_div-value-negated", "kl_div-value-times-1.001"} <= _ids(report.killed)


def test_what_lies_within_the_tolerance_survives(report: AuditReport) -> None:
    """Every wrong gradient, down to a sign."""
    assert {"kl_div-gradient-zero", "kl_div-gradient-negated"} <= _ids(report.survivors)


def test_survivors_come_worst_first(report: AuditReport) -> None:
    """Gross ones before moderate ones before subtle ones."""
    grades = [GRADES.index(one.grade) for one in report.survivors]
    assert grades == sorted(grades)
    assert report.worst == "gross"


def test_a_survivor_tells_how_far_it_was_off(report: AuditReport) -> None:
    """In this test, at the values that it compared."""
    (zero,) = (one for one in report.survivors if one.id == "kl_div-gradient-zero")
    assert zero.passed is not None
    assert (zero.reason, zero.passed.share) == ("within tolerance", 1.0)
    assert 2**23 <= zero.passed.ulp <= 2**24


def test_a_survivor_is_certified_wrong(report: AuditReport) -> None:
    """Its witness refutes it."""
    for one in report.survivors[:3]:
        verdict = verify.replay(FAULTS[one.id].candidate, one.witness)
        assert verdict.status is verify.Status.REFUTED
        assert verdict.worst_ulp == pytest.approx(one.ulp, rel=0.01)


def test_every_wrong_one_has_one_fate(report: AuditReport) -> None:
    """Survivor, killed or not applicable."""
    parts = report.survivors, report.killed, report.not_applicable, report.undecided
    names = [one.id for part in parts for one in part]
    assert len(names) == len(set(names))
    assert set(names) == set(certificates()) & {
        fault.id for fault in FAULTS.values() if fault.operation == "kl_div"
    }


def test_correct_implementations_pass(report: AuditReport) -> None:
    """In all styles; there is no false alarm."""
    assert report.right >= 5
    assert report.false_alarms == ()


def test_the_report_is_json(report: AuditReport) -> None:
    """Without numbers that JSON lacks."""
    told = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert told["survivors"][0]["id"] == report.survivors[0].id
    assert told["instead"] == report.instead


def test_the_report_reads_from_the_top(report: AuditReport) -> None:
    """What survives, what was asked, why, and what to change."""
    lines = str(report).splitlines()
    assert lines[0].startswith(f"{loose.__module__}.loose as kl_div: {len(report.survivors)} of ")
    assert "  called once, float32, shapes (8, 32)" in lines
    assert any(line.startswith("the test sees an error and lets it pass (") for line in lines)
    assert lines[-1] == f"  {report.instead}"


def test_the_replacement_kills_what_survives(report: AuditReport) -> None:
    """The line at the end of the report is a test that fails it."""
    wrong = FAULTS[report.survivors[0].id].candidate
    with pytest.raises(AssertionError, match="refuted: "):
        exec(report.instead, {"verify": verify, "implementation": wrong})


def test_without_a_backward_pass_wrong_gradients_survive() -> None:
    """And the report says that none was made."""
    report = verify.audit(forward_only, "kl_div", only=["kl_div-gradient-zero", "kl_div-value-zero"])
    assert [(one.id, one.reason) for one in report.survivors] == [
        ("kl_div-gradient-zero", "no backward pass")
    ]
    assert _ids(report.killed) == {"kl_div-value-zero"}
    assert report.advice[0].startswith("call backward with upstream gradients")


def test_wrong_gradients_can_be_left_out() -> None:
    """For functions that have none."""
    report = verify.audit(forward_only, "kl_div", grad=False)
    assert {one.breaks for one in (*report.survivors, *report.killed)} == {"value"}


def test_what_no_input_exercises_is_said_so() -> None:
    """With the inputs that would show it."""
    report = verify.audit(forward_only, "kl_div", only=["kl_div-value-zero_gives_nan"])
    assert [(one.reason, one.told) for one in report.survivors] == [
        ("never exercised", "never exercised: it shows with a target with zeros")
    ]


def test_zero_gradients_of_a_mean_pass_the_defaults_of_assert_close() -> None:
    """Each entry is below the absolute tolerance of 1e-5."""

    def mean_over_many_tokens(loss: Any) -> None:
        x, y = torch.randn(131072, 4), torch.randint(4, (131072,))
        mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        loss(mine, y).backward()
        functional.cross_entropy(theirs, y).backward()
        torch.testing.assert_close(mine.grad, theirs.grad)

    report = verify.audit(mean_over_many_tokens, "cross_entropy", only=["cross_entropy-gradient-zero"])
    assert [(one.id, one.grade) for one in report.survivors] == [("cross_entropy-gradient-zero", "gross")]


def test_a_dtype_in_which_nothing_is_wrong_is_not_applicable() -> None:
    """1.001 times a number is within the rounding of bfloat16."""

    def in_bfloat16(divergence: Any) -> None:
        q, p = (part.bfloat16() for part in _inputs())
        torch.testing.assert_close(divergence(q, p), functional.kl_div(q, p))

    report = verify.audit(in_bfloat16, "kl_div", only=["kl_div-value-times-1.0001"])
    assert (report.survivors, report.killed) == ((), ())
    assert report.not_applicable[0].told.endswith("and the test calls in bfloat16")


def test_an_option_that_a_wrong_one_lacks_is_not_applicable() -> None:
    """It is never killed for what it does not take."""

    def of_logarithms(divergence: Any) -> None:
        q, p = _inputs()
        torch.testing.assert_close(
            divergence(q, p.log(), log_target=True), functional.kl_div(q, p.log(), log_target=True)
        )

    report = verify.audit(of_logarithms, "kl_div", only=["kl_div-value-zero_gives_nan"])
    assert (report.survivors, report.killed) == ((), ())
    assert "log_target" in report.not_applicable[0].told
    assert f"none of the wrong ones applies: {report.not_applicable[0].told}" in str(report)


def test_a_test_that_fails_correct_implementations_is_told_which() -> None:
    """Bit for bit what torch gives is too much to ask."""

    def bit_for_bit(divergence: Any) -> None:
        q, p = torch.randn(64, 512).log_softmax(1), torch.randn(64, 512).softmax(1)
        assert torch.equal(divergence(q, p, reduction="none"), functional.kl_div(q, p, reduction="none"))

    report = verify.audit(bit_for_bit, "kl_div", only=["kl_div-value-zero"])
    assert "kl_div-kl_div_in_double" in _ids(report.false_alarms)
    assert 0 < report.false_alarms[0].passed.share < 1e-6
    assert report.vacuous == ""


def test_a_correct_implementation_that_is_too_slow_is_undecided() -> None:
    """The test did not fail it."""

    def waits(divergence: Any) -> None:
        q, p = torch.randn(64, 512).log_softmax(1), torch.randn(64, 512).softmax(1)
        got = divergence(q, p, reduction="none")
        if not torch.equal(got, functional.kl_div(q, p, reduction="none")):
            time.sleep(60)

    report = verify.audit(waits, "kl_div", only=["kl_div-value-zero"], time_limit=1.0)
    assert report.false_alarms == ()
    assert "kl_div-kl_div_in_double" in _ids(report.undecided)


CALLS = {
    "too few": lambda divergence: divergence(torch.zeros(2, 2)),
    "by another name": lambda divergence: divergence(logits=torch.zeros(2, 2), target=torch.ones(2, 2)),
    "no tensor": lambda divergence: divergence(torch.zeros(2, 2), 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_that_are_none_of_the_operation_are_no_false_alarms(name: str) -> None:
    """The test has another signature in mind: it is told so, with what it is called with and what fits."""
    with pytest.raises(
        UsageError, match=r"no call that the test makes is one of kl_div: .* do not fit \(input"
    ):
        verify.audit(CALLS[name], "kl_div", only=["kl_div-value-zero"])


def _fails(implementation: Any) -> None:
    raise AssertionError("always")


def _skips(implementation: Any) -> None:
    raise unittest.SkipTest("needs a GPU")


def _needs_a_device(implementation: Any) -> None:
    implementation(torch.zeros(2, 2, device="meta:7" if torch.cuda.is_available() else "cuda"), None)


def _hangs(implementation: Any) -> None:
    while True:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("test", "vacuous", "tried"),
    [
        (lambda implementation: None, "it never calls the implementation", 0),
        (_fails, "it fails on every correct implementation: AssertionError: always", 0),
        (_skips, "it skips itself: SkipTest: needs a GPU", 0),
        (_hangs, "it does not come to its end on a correct implementation: it did not return", 0),
        (_needs_a_device, "it fails on every correct implementation: ", 0),
        (compares_nothing, "it passes every wrong implementation: nothing is compared", 2),
    ],
)
def test_a_test_that_says_nothing_is_vacuous(test: Any, vacuous: str, tried: int) -> None:
    """And the audit comes to its end."""
    only = ["kl_div-value-zero", "kl_div-gradient-zero"]
    report = verify.audit(test, "kl_div", only=only, time_limit=0.3 if test is _hangs else None)
    assert report.vacuous.startswith(vacuous)
    assert report.tried == tried


def test_a_test_that_ends_the_program_by_sys_exit_is_audited() -> None:
    """Its exit code says whether it liked what it saw."""

    def script(divergence: Any) -> None:
        q, p = _inputs()
        sys.exit(not torch.allclose(divergence(q, p), functional.kl_div(q, p)))

    report = verify.audit(script, "kl_div", only=["kl_div-value-zero"])
    assert _ids(report.killed) == {"kl_div-value-zero"}
    assert report.killed[0].told == "it ends the program by sys.exit(True)"


def test_a_wrong_one_on_which_the_test_hangs_is_undecided() -> None:
    """Neither killed nor a survivor."""

    def waits(divergence: Any) -> None:
        q, p = _inputs()
        while float(divergence(q, p)) == 0:
            time.sleep(0.01)

    report = verify.audit(waits, "kl_div", only=["kl_div-value-zero"], time_limit=0.3)
    assert (_ids(report.undecided), report.killed) == ({"kl_div-value-zero"}, ())


def test_a_test_that_draws_otherwise_each_time_is_noticed() -> None:
    """What it lets pass is still found, its values being computed again."""
    count = iter(range(1000))

    def unseeded(divergence: Any) -> None:
        torch.manual_seed(next(count))
        forward_only(divergence)

    report = verify.audit(unseeded, "kl_div", only=["kl_div-value-plus-1e-06", "kl_div-value-zero"])
    assert any(remark.startswith("a second run does not repeat the first") for remark in report.remarks)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"test": 3}, "the test is an int"),
        ({"operation": "kl"}, "unknown operation 'kl'; did you mean kl_div"),
        ({"time_limit": 0}, "time_limit is 0; give a number of seconds above 0"),
        ({"only": ["kl_div-value-zeros"]}, "unknown wrong implementation 'kl_div-value-zeros'; did you mean"),
        ({"only": []}, "no wrong implementation of kl_div"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], told: str) -> None:
    """Before anything is run."""
    with pytest.raises(UsageError, match=told):
        verify.audit(**{"test": forward_only, "operation": "kl_div", **given})


OWN = (
    "log_softmax-gradient-zero",
    "log_softmax-gradient-softmax_term_deleted",
    "log_softmax-gradient-times-1.001",
    "log_softmax-value-plus-1e-06",
    "log_softmax-value-not_shifted",
)


def test_our_own_verifier_kills_a_sample_and_raises_no_false_alarm() -> None:
    """The audit of `verify.check`, on which every certificate rests."""
    report = verify.audit(
        lambda f: verify.assert_holds(verify.check(f, "log_softmax", examples=16)), "log_softmax", only=OWN
    )
    assert _ids(report.killed) == set(OWN)
    assert (report.false_alarms, report.vacuous) == ((), "")
