"""Known failures of a run: named in a file with their witness, judged on it alone, shown as what they are."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import verify
from verify.autograd import measure
from verify.cli import main
from verify.evidence import gather
from verify.input_witness import read_input_witness
from verify.record import EvidenceRecord
from verify.report.model import load
from verify.runs import numeric_parts

pytestmark = [pytest.mark.torch, pytest.mark.slow]

CLAIM, NAME = "kl-one-hot", "kl_divergence(Categorical)"
CHECK = "kl-one-hot-left-kl_divergence-Categorical-float32-cpu"


@pytest.fixture(scope="module")
def found() -> EvidenceRecord:
    """A finding of a run: the divergence of torch's distributions clamps its probabilities."""
    part = next(part for part in numeric_parts(verify.find(CLAIM)) if part.id == CLAIM)
    records, _ = gather(part, CLAIM, dtypes=("float32",), devices=("cpu",), examples=20)
    return next(record for record in records if (record.side, record.implementation) == ("left", NAME))


def _harmless(found: EvidenceRecord) -> str:
    """A witness of the same check at which the function is right."""
    witness = read_input_witness(found.witness or "")
    values = tuple((Fraction(1),) if isinstance(value, tuple) else 1 for value in witness.values)
    return replace(witness, values=values).text()


def _toml(tmp_path: Path, check: str = CHECK, **fields: Any) -> str:
    """A file that expects one check to fail."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items() if value is not None]
    path = tmp_path / "expected.toml"
    path.write_text("\n".join([f'["{check}"]', *lines]) + "\n", encoding="utf-8")
    return str(path)


def _run(expected: str, output: Path, *more: str, claim: str = CLAIM) -> int:
    where = [
        "--claims",
        claim,
        "--dtypes",
        "float32",
        "--devices",
        "cpu",
        "--examples",
        "9",
        "--processes",
        "1",
    ]
    return main(["run", *where, "--expected", expected, "--output", str(output), *more])


def test_a_check_has_an_id_and_its_finding_a_witness(found: EvidenceRecord) -> None:
    """The witness is the simple input, exactly."""
    assert found.id == CHECK
    witness = read_input_witness(found.witness or "")
    assert (witness.part, witness.implementation, witness.fingerprint) == (CLAIM, NAME, found.fingerprint)
    assert witness == read_input_witness(witness.text())


def test_a_known_failure_is_no_finding(
    found: EvidenceRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is judged on the one input, shown in all views, and fails nothing, findings included."""
    path = _toml(tmp_path, reason="clamps its probabilities", witness=found.witness, expires="2999-01-31")
    # The other distribution has the same defect, and is not named: it stays a finding.
    assert _run(path, tmp_path / "out") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "expected: kl_divergence(Categorical) kl-one-hot: left in float32 on cpu, clamps its" in told
    assert "1 refuted as expected" in told
    run = load(tmp_path / "out" / "report.json")
    (known,) = [record for record in run.evidence if record.id == CHECK]
    assert (known.outcome, known.inputs, known.witness) == ("expected", 1, found.witness)
    assert known.expected is not None
    assert known.expected.reason == "clamps its probabilities"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<h2>Expected failures</h2>" in page
    assert f"Check of the run: <code>{CHECK}</code>" in page
    assert "clamps its probabilities; still fails: yes" in (tmp_path / "out" / "report.md").read_text()
    assert 'type="refuted as expected"' in (tmp_path / "out" / "junit.xml").read_text()


def test_a_known_failure_that_is_no_more_fails_the_run(
    found: EvidenceRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its repair is noticed, and what to do is said."""
    path = _toml(tmp_path, reason="clamps", witness=_harmless(found))
    assert _run(path, tmp_path / "out") == 1
    assert "still fails: no, it passes: remove the expectation" in " ".join(capsys.readouterr().out.split())
    assert '<failure type="passed unexpectedly"' in (tmp_path / "out" / "junit.xml").read_text()


def test_a_pass_of_one_that_is_not_strict_is_told_alone(found: EvidenceRecord, tmp_path: Path) -> None:
    """It does not fail the run."""
    path = _toml(tmp_path, reason="clamps", witness=_harmless(found), strict=False)
    assert _run(path, tmp_path / "out") == 0


def test_the_witness_is_replayed(found: EvidenceRecord, capsys: pytest.CaptureFixture[str]) -> None:
    """On its input alone: the finding with its command, and a pass where there is none."""
    assert main(["replay", found.witness or ""]) == 1
    out = capsys.readouterr().out
    assert f"refuted: {NAME} as the left side of kl-one-hot: value in float32 on cpu" in out
    assert f"replay:  python -m verify replay {found.witness}" in out
    assert main(["replay", _harmless(found)]) == 0


def test_the_witness_of_another_statement_is_not_replayed(
    found: EvidenceRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that has changed since, and one that there is not."""
    witness = read_input_witness(found.witness or "")
    for other, told in (
        (replace(witness, fingerprint="0"), "the witness is for another kl-one-hot than that of now"),
        (replace(witness, part="kl-one-hut"), "unknown statement 'kl-one-hut'; did you mean kl-one-hot"),
        (replace(witness, implementation="none"), "torch computes kl-one-hot with no none here"),
    ):
        assert main(["replay", other.text()]) == 2
        assert told in capsys.readouterr().err


def test_what_is_not_named_is_searched_as_ever(found: EvidenceRecord, tmp_path: Path) -> None:
    """The findings of the other functions are those of a run without the file."""
    path = _toml(tmp_path, reason="clamps", witness=found.witness)
    _run(path, tmp_path / "out")
    refuted = {
        record.id for record in load(tmp_path / "out" / "report.json").evidence if record.outcome == "refuted"
    }
    assert CHECK not in refuted
    assert "kl-one-hot-left-kl_divergence-OneHotCategorical-float32-cpu" in refuted


def test_a_gradient_is_known_to_fail_by_the_witness_of_its_call(tmp_path: Path) -> None:
    """The same file takes both kinds, here as JSON, with the witness in a file beside it."""
    claim = "logsumexp-gradient"
    part = next(part for part in numeric_parts(verify.find(claim)) if part.gradient_of is not None)
    records, _ = measure(part, claim, dtypes=("float32",), devices=("cpu",), examples=120)
    (refuted,) = [record for record in records if record.outcome == "refuted"]
    (tmp_path / "witness.txt").write_text(refuted.witness or "", encoding="utf-8")
    path = tmp_path / "expected.json"
    path.write_text(json.dumps({refuted.id: {"reason": "overflows", "witness": "witness.txt"}}))
    assert _run(str(path), tmp_path / "out", claim=claim) == 0
    outcomes = {record.id: record.outcome for record in load(tmp_path / "out" / "report.json").evidence}
    assert outcomes[refuted.id] == "expected"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"check": "kl-one-hot-left-kl_div-float32-cpu"}, "unknown check of this run"),
        ({"check": CHECK.replace("float32", "float64")}, "unknown check of this run"),
        ({"check": "nothing-of-the-sort"}, "unknown check of this run"),
        ({"witness": "lossinput1:kl-one-hot:left"}, "is cut off or changed; give it as report.json has it"),
        ({"witness": None}, "has no witness"),
        ({"witness": "nowhere.txt"}, "the witness cannot be read from"),
        ({"reason": " "}, "say why it is expected"),
        ({"expires": "2020-01-01"}, "expired (2020-01-01, torch is"),
        ({"expires": "soon"}, "expires is 'soon'; give a date"),
        ({"strict": "no"}, "strict is 'no'; give True or False"),
        ({"until": "2999-01-01"}, "unknown field 'until'"),
        (
            {"check": CHECK.replace("Categorical", "OneHotCategorical")},
            f"the witness is one for {CHECK}; give that of this check",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line_up_front(
    fields: dict[str, Any],
    complaint: str,
    found: EvidenceRecord,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the file, the value and what to give, and nothing is computed or written."""
    given = {"reason": "clamps", "witness": found.witness, **fields}
    assert _run(_toml(tmp_path, **given), tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "expected.toml" in told
    assert complaint in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["not = = toml", "[1]\n"])
def test_a_file_that_is_none_is_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither text nor a table without a reason."""
    (tmp_path / "expected.toml").write_text(text)
    assert _run(str(tmp_path / "expected.toml"), tmp_path / "out") == 2
    assert "expected.toml" in capsys.readouterr().err


def test_a_witness_of_another_statement_is_refused(
    found: EvidenceRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Evidence for one statement is none for another of the same name."""
    other = replace(read_input_witness(found.witness or ""), fingerprint="0" * 16).text()
    assert _run(_toml(tmp_path, reason="clamps", witness=other), tmp_path / "out") == 2
    assert "for another statement than that of now; make a new one" in capsys.readouterr().err
