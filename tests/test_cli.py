"""The command line: exit codes, what goes where, and failures in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from verify import commands
from verify.cli import main
from verify.errors import UnavailableError
from verify.record import ClaimRecord, RunRecord
from verify.report.model import load, save


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, sample_run: RunRecord) -> list[ClaimRecord]:
    """The claims of the sample run stand for the catalogue and its proofs; the list can be changed."""
    records = list(sample_run.claims)

    class Stand:
        """A claim of which only the id is looked at."""

        def __init__(self, name: str) -> None:
            self.id = name

    monkeypatch.setattr(commands, "claims", lambda: tuple(Stand(record.id) for record in records))
    monkeypatch.setattr(commands, "judge", lambda claim, _: next(r for r in records if r.id == claim.id))
    return records


def _one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What was written to stderr, which must be one line, with nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lossproof: ")
    assert err.count("\n") == 1
    return err


def test_proofs_that_hold_exit_with_0(judged: list[ClaimRecord]) -> None:
    """A claim that is false as worded and proved as corrected is an established result."""
    assert [record.status for record in judged] == ["proved", "refuted"]
    assert main(["prove"]) == 0


def test_a_proof_that_fails_exits_with_1(judged: list[ClaimRecord]) -> None:
    """A claim whose derivation was not accepted is not established."""
    judged[0] = replace(judged[0], status="unknown")
    assert main(["prove"]) == 1


def test_nothing_to_check_exits_with_3(judged: list[ClaimRecord]) -> None:
    """No claim at all is not a success."""
    judged.clear()
    assert main(["prove"]) == 3


def test_an_interrupt_exits_with_130(
    judged: list[ClaimRecord], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends without a traceback."""

    def interrupted(claim: object, seconds: float) -> ClaimRecord:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "judge", interrupted)
    assert main(["prove"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_prove_prints_one_line_a_claim(judged: list[ClaimRecord], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there is neither colour nor wrapping nor progress."""
    main(["prove"])
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "kl-one-hot     proved",
        "bits-per-word  false as worded, proved as corrected",
        "2 of 2 claims established",
    ]
    assert err == ""


def test_prove_as_json_has_the_whole_derivation(
    judged: list[ClaimRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    """The steps are flattened, each with its formula, rules, conditions and reason."""
    main(["prove", "--json"])
    claim = json.loads(capsys.readouterr().out)["claims"][0]
    assert claim["status"] == "proved"
    assert claim["points"] == 400
    assert claim["steps"][1] == {
        "part": "main",
        "relation": "=",
        "formula": r"-\log q_{y}",
        "text": "-log(q[y])",
        "rules": [{"name": "delta", "words": "a sum against [i = y] is its term at i = y"}],
        "conditions": ["1 <= y <= n: declared"],
        "why": "only the term at the label is left",
    }


def test_prove_as_json_has_the_corrected_claim(
    judged: list[ClaimRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    """A refuted claim carries its witness and, in the same form, the claim that does hold."""
    main(["prove", "--json"])
    claim = json.loads(capsys.readouterr().out)["claims"][1]
    assert claim["witness"] == "p = (1/2, 1/8): 2 bits, mean 5/16"
    assert claim["sympy"] == "false"
    assert claim["corrected"]["status"] == "proved"


@pytest.mark.parametrize("second", ["undecided", "undecided (more than 100 operations)"])
def test_one_undecided_opinion_decides(
    judged: list[ClaimRecord], capsys: pytest.CaptureFixture[str], second: str
) -> None:
    """SymPy agrees with a claim if it agrees with every part; a reason beside it changes nothing."""
    part = replace(judged[0].parts[0], sympy="true")
    judged[0] = replace(judged[0], parts=(part, replace(part, sympy=second)))
    main(["prove", "--json"])
    assert json.loads(capsys.readouterr().out)["claims"][0]["sympy"] == "undecided"


def test_explain_shows_statement_steps_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """The derivation can be read in a terminal."""
    assert main(["explain", "kl-one-hot"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("kl-one-hot: proved\n")
    assert " 1. " in out
    assert "by xlog" in out
    assert "refuter: " in out


def test_explain_without_evidence_says_how_to_name_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may have written its report elsewhere."""
    monkeypatch.chdir(tmp_path)
    main(["explain", "kl-one-hot"])
    told = "`lossproof run` gathers it for the claims of `lossproof list`, --evidence names its file"
    assert told in capsys.readouterr().out


def test_explain_shows_the_evidence_of_a_run(
    sample_run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numeric checks of an earlier run stand below the proof."""
    save(sample_run, tmp_path / "report.json")
    main(["explain", "kl-one-hot", "--evidence", str(tmp_path / "report.json")])
    assert "refuted: F.cross_entropy (left), float32 on cpu" in capsys.readouterr().out


def test_list_names_every_claim_of_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    """The catalogue can be looked through without proving anything."""
    assert main(["list", "--json"]) == 0
    ids = {claim["id"] for claim in json.loads(capsys.readouterr().out)["claims"]}
    assert ids >= {"softmax-nll", "kl-one-hot", "evidence-bits"}


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The release can be named in a report of a bug."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"lossproof {version('lossproof')}\n")


def test_an_unknown_claim_is_told_what_list_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """Every id that is suggested is listed, or is marked as the corrected form of one that is."""
    main(["list", "--json"])
    listed = {claim["id"] for claim in json.loads(capsys.readouterr().out)["claims"]}
    main(["prove", "zzzzqqqq"])
    named = _one_line(capsys).partition("known: ")[2].strip().split(", ")
    assert {name for name in named if "(the corrected form of " not in name} == listed


def test_a_report_cannot_steer_the_terminal(
    sample_run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences and line breaks in a foreign report are shown, not obeyed."""
    hostile = replace(sample_run.evidence[1], implementation="a\x1b[2J\nb\u202e")
    save(replace(sample_run, evidence=(hostile,)), tmp_path / "report.json")
    main(["report", str(tmp_path / "report.json"), "--output", str(tmp_path)])
    assert "refuted: a\N{REPLACEMENT CHARACTER}[2J" in capsys.readouterr().out.splitlines()[0]


def test_doctor_names_versions(capsys: pytest.CaptureFixture[str]) -> None:
    """What a run rests on is said, absent things included."""
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert {"python", "sympy", "mpmath", "python-flint", "torch", "claims"} <= set(facts)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["explain", "kl-one-hit"], "did you mean kl-one-hot"),
        (["prove", "kl-one-hit"], "unknown claim 'kl-one-hit'"),
        (["run", "--claims", "nonsense"], "unknown claim 'nonsense'"),
        (["run", "--dtypes", "float33"], "did you mean float32"),
        (["run", "--devices", "cpux"], "unknown device 'cpux'"),
        (["run", "--examples", "0"], "give 1 or more"),
        (["run", "--examples", "1000001"], "1000001 is too many; give at most 1,000,000"),
        (["run", "--output", ""], "'' is not the name of a folder"),
        (["report", "a.json", "--output", " "], "' ' is not the name of a folder"),
        (["explain", "KL-ONE-HIT"], "did you mean kl-one-hot"),
        (["run", "--dtypes", "FLOAT32"], "did you mean float32"),
        (["prove", "bits-per-word-geo"], "bits-per-word-geometric (the corrected form of bits-per-word)"),
        (["run", "--seed", "-1"], "give 0 or more"),
        (["run", "--fail-on", "sometimes"], "sometimes"),
        (["frobnicate"], "frobnicate"),
        ([], "COMMAND"),
        (["report", "no/such/report.json"], "cannot read no/such/report.json"),
    ],
)
def test_a_bad_argument_is_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The value, the rule and a way out, on stderr, with exit code 2."""
    assert main(arguments) == 2
    assert complaint in _one_line(capsys)


def test_a_required_device_that_is_absent_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was to measure on CUDA does not pass without it."""

    def absent(name: str) -> str:
        raise UnavailableError(f"device {name!r} is not present; present: cpu")

    monkeypatch.setattr("verify.backends.require_device", absent)
    assert main(["run", "--require-device", "cuda"]) == 2
    assert "device 'cuda' is not present" in _one_line(capsys)


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"format_version": 1, "claims": 3}', "\0\0"])
def test_a_broken_report_is_one_line_and_writes_nothing(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A foreign file leaves the folder as it was."""
    (tmp_path / "bad.json").write_text(content, encoding="utf-8")
    assert main(["report", str(tmp_path / "bad.json"), "--output", str(tmp_path / "out")]) == 2
    _one_line(capsys)
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_one_line(
    sample_run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where the folder should be: exit 2, with the path and what to do."""
    save(sample_run, tmp_path / "report.json")
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert main(["report", str(tmp_path / "report.json"), "--output", str(tmp_path / "taken")]) == 2
    assert "choose a place that can be written" in _one_line(capsys)


@pytest.mark.parametrize("command", [["run", "--claims", "kl-one-hot"], ["report", "report.json"]])
def test_a_folder_in_no_folder_is_not_made(
    command: list[str],
    sample_run: RunRecord,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last folder of --output alone is made; a name that is wrong further up makes nothing."""
    monkeypatch.chdir(tmp_path)
    save(sample_run, Path("report.json"))
    assert main([*command, "--output", "no/reports"]) == 2
    assert "the folder no does not exist; make it first" in _one_line(capsys)
    assert not Path("no").exists()


def test_a_run_asks_for_its_folder_before_it_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Minutes of work are not lost to a folder that cannot be written."""
    monkeypatch.setattr("verify.runs.perform", lambda *_: pytest.fail("it was computed"))
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert main(["run", "--claims", "kl-one-hot", "--output", str(tmp_path / "taken")]) == 2
    assert "nothing was computed" in _one_line(capsys)


@pytest.mark.torch
def test_a_run_on_absent_devices_alone_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was to measure and can measure nothing has not succeeded."""
    monkeypatch.setattr("verify.backends.devices_present", lambda: ("cpu",))
    assert main(["run", "--devices", "cuda"]) == 2
    assert "no device of --devices cuda is present" in _one_line(capsys)


@pytest.mark.torch
def test_an_absent_device_beside_a_present_one_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What can be measured is measured, and the rest is listed as not run."""
    monkeypatch.setattr("verify.backends.devices_present", lambda: ("cpu",))
    few = ["--examples", "2", "--dtypes", "float32", "--processes", "1", "--claims", "kl-one-hot"]
    assert main(["run", "--devices", "cuda", "cpu", *few, "--output", str(tmp_path)]) == 0
    assert [entry.what for entry in load(tmp_path / "report.json").not_run] == ["numeric checks on cuda"]


def test_a_formula_that_cannot_be_shown_names_its_file(
    sample_run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of several reports the message says which one is at fault."""
    broken = replace(sample_run.claims[1], statement=r"\frac{1}{")
    save(replace(sample_run, claims=sample_run.claims[:1]), tmp_path / "good.json")
    save(replace(sample_run, claims=(broken,)), tmp_path / "bad.json")
    files = [str(tmp_path / name) for name in ("good.json", "bad.json")]
    assert main(["report", *files, "--output", str(tmp_path / "out")]) == 2
    assert f"{tmp_path / 'bad.json'}: formula" in _one_line(capsys)


def test_report_writes_its_files(
    sample_run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page, the Markdown, the JSON and the XML, and at the end where they are and what they say."""
    save(sample_run, tmp_path / "mine.json")
    assert main(["report", str(tmp_path / "mine.json"), "--output", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "junit.xml",
        "report.html",
        "report.json",
        "report.md",
    ]
    assert load(tmp_path / "out" / "report.json") == sample_run
    closing = capsys.readouterr().out.splitlines()[-2:]
    assert closing[0] == f"report: {tmp_path / 'out' / 'report.html'}"
    assert closing[1].startswith("2 claims: ")


def test_no_colour_without_a_terminal() -> None:
    """Output that goes to a file has no escape codes, nor has anything under NO_COLOR."""
    done = subprocess.run(
        [sys.executable, "-m", "verify", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm-256color"},
    )
    assert "\x1b" not in done.stdout + done.stderr
