"""Trials: how one run of a test ends, whatever it does."""

from __future__ import annotations

import random
import sys
import time
import unittest
from typing import Any

import pytest
import torch

from verify.corpus.hand import changed_backward
from verify.trial import Ending, tried

pytestmark = pytest.mark.torch


def _raises(error: BaseException) -> Any:
    def test(implementation: Any) -> None:
        raise error

    return test


@pytest.mark.parametrize(
    ("error", "ending", "told"),
    [
        (AssertionError("not close\n\nMismatched: 3"), Ending.FAILED, "AssertionError: not close"),
        (ValueError(), Ending.FAILED, "ValueError"),
        (unittest.SkipTest("no device"), Ending.SKIPPED, "SkipTest: no device"),
        (pytest.skip.Exception("no device"), Ending.SKIPPED, "Skipped: no device"),
        (pytest.fail.Exception("no"), Ending.FAILED, "Failed: no"),
        (SystemExit(3), Ending.FAILED, "it ends the program by sys.exit(3)"),
        (SystemExit(0), Ending.PASSED, "it ends the program by sys.exit(0)"),
    ],
)
def test_what_a_test_raises_says_how_it_ends(error: BaseException, ending: Ending, told: str) -> None:
    """Skips, exits and failures are told apart."""
    trial = tried(_raises(error), None, 5)
    assert (trial.ending, trial.told) == (ending, told)


def test_a_test_that_returns_passes() -> None:
    """One that returns False is told that it should raise."""
    assert tried(lambda implementation: None, None, 5).told == ""
    trial = tried(lambda implementation: False, None, 5)
    assert (trial.ending, trial.told) == (
        Ending.PASSED,
        "it returns False where it should raise AssertionError",
    )


def test_a_test_that_hangs_is_interrupted() -> None:
    """Between two steps of Python code."""

    def hangs(implementation: Any) -> None:
        while True:
            time.sleep(0.01)

    trial = tried(hangs, None, 0.2)
    assert (trial.ending, trial.told) == (Ending.HUNG, "it did not return within 0.2 s")


def test_ctrl_c_comes_through() -> None:
    """The audit ends with it."""
    with pytest.raises(KeyboardInterrupt):
        tried(_raises(KeyboardInterrupt()), None, 5)


def test_each_run_draws_the_same() -> None:
    """And what draws beside it goes on where it was."""
    drawn: list[Any] = []

    def draws(implementation: Any) -> None:
        drawn.append((torch.rand(3).tolist(), random.random()))

    torch.manual_seed(7)
    random.seed(7)
    before = torch.get_rng_state(), random.getstate()
    tried(draws, None, 5)
    tried(draws, None, 5)
    assert drawn[0] == drawn[1]
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_settings_of_torch_are_put_back() -> None:
    """A test that sets the default dtype does not change the next run."""
    tried(lambda implementation: torch.set_default_dtype(torch.float64), None, 5)
    assert torch.get_default_dtype() is torch.float32


def test_what_the_backward_pass_of_the_corpus_raises_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the implementation that does not take the call."""

    def declined(upstream: Any) -> Any:
        raise ValueError("only two axes")

    def test(implementation: Any) -> None:
        x = torch.zeros(2, requires_grad=True)
        changed_backward(x, declined).sum().backward()

    assert tried(test, None, 5).ending is Ending.DECLINED


def test_what_is_printed_stays_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """It would stand among the results."""
    tried(lambda implementation: print("computing", file=sys.stdout), None, 5)
    assert capsys.readouterr().out == ""
