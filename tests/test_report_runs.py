"""A whole run, small: proofs, torch's evidence, and the exit code that follows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from verify.cli import main
from verify.report.model import load

SMALL = ["--dtypes", "float32", "--devices", "cpu", "--examples", "5", "--processes", "1"]


def _run(folder: Path, *arguments: str) -> int:
    return main(["run", *SMALL, "--output", str(folder), *arguments])


@pytest.mark.torch
def test_a_run_joins_proof_and_evidence(tmp_path: Path) -> None:
    """One record holds the proof of a claim and what torch computes for it, under one id."""
    assert _run(tmp_path, "--claims", "softmax-nll") == 0
    run = load(tmp_path / "report.json")
    assert [claim.status for claim in run.claims] == ["proved"]
    assert {record.claim for record in run.evidence} == {"softmax-nll"}


@pytest.mark.torch
def test_a_run_measures_the_gradient_that_a_claim_is_about(tmp_path: Path) -> None:
    """By autograd of the torch function, in the record beside the proof."""
    assert _run(tmp_path, "--claims", "softmax-gradient") == 0
    told = {(one.implementation, one.side) for one in load(tmp_path / "report.json").evidence}
    assert told == {("autograd of F.softmax", "gradient")}


@pytest.mark.torch
def test_a_run_is_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed and time give the same bytes."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    _run(tmp_path / "one", "--claims", "softmax-nll")
    _run(tmp_path / "two", "--claims", "softmax-nll")
    pair = [(tmp_path / name / "report.json").read_bytes() for name in ("one", "two")]
    assert pair[0].replace(b"/one", b"/two") == pair[1]


@pytest.mark.torch
def test_several_processes_find_the_same(tmp_path: Path) -> None:
    """How many processes work changes the time and nothing else."""
    _run(tmp_path / "one", "--claims", "softmax-nll", "five-bits-is-2^-5")
    _run(tmp_path / "two", "--claims", "softmax-nll", "five-bits-is-2^-5", "--processes", "2")
    one, two = (load(tmp_path / name / "report.json") for name in ("one", "two"))
    assert (one.claims, one.evidence) == (two.claims, two.evidence)


@pytest.mark.torch
def test_an_interrupted_run_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    """Ctrl-C during the search: exit code 130, one word on stderr, no half-written report."""
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        f"from verify.cli import main; sys.exit(main(['run', '--output', {str(tmp_path / 'out')!r}]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        time.sleep(4)
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert (run.returncode, out, err) == (130, "", "interrupted\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.torch
def test_the_figure_shows_the_product_underflow(tmp_path: Path) -> None:
    """The product of 46 factors 0.1 is 0 in float32, and its log minus infinity; the sum goes on."""
    _run(tmp_path, "--claims", "log-likelihood-sum")
    (figure,) = load(tmp_path / "report.json").figures
    product, total = (dict(points) for _, points in figure.series)
    assert product[45.0] == pytest.approx(total[45.0], rel=0.01)
    assert product[46.0] == float("-inf")
    assert total[80.0] == pytest.approx(-184.2068, rel=1e-6)


def test_a_bad_epoch_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SOURCE_DATE_EPOCH that is no time stops the run."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert _run(tmp_path, "--claims", "entropy-one-hot") == 2
    assert "SOURCE_DATE_EPOCH='yesterday'" in capsys.readouterr().err
    assert not (tmp_path / "report.json").exists()


@pytest.mark.torch
def test_run_as_json_says_where_and_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The closing lines are one JSON object under --json."""
    _run(tmp_path, "--claims", "softmax-nll", "--json")
    closing = json.loads(capsys.readouterr().out)
    assert closing["report"] == str(tmp_path / "report.html")
    assert closing["sentence"].startswith("1 claim: 1 proved; ")


@pytest.mark.cuda
def test_a_run_measures_on_cuda(cuda: str, tmp_path: Path) -> None:
    """On a machine with a CUDA device every implementation is measured there too."""
    arguments = ["run", "--devices", cuda, "--dtypes", "float32", "--examples", "5", "--processes", "1"]
    main([*arguments, "--claims", "softmax-nll", "--output", str(tmp_path)])
    assert {record.device for record in load(tmp_path / "report.json").evidence} == {"cuda"}
