"""The command sweep: what it prints, its exit codes, pictures, and the ratchet of worst cases."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from verify import sweep_commands
from verify.cli import main

pytestmark = pytest.mark.torch

SOURCE = """
import torch

def right(z):
    return torch.nn.functional.softplus(z)

def wrong(z):
    return torch.where(z == 3.140625, right(z) * 1.25, right(z))

def worse(z):
    return torch.where(z == -1.0, torch.nextafter(right(z), right(z) * 2), right(z))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the working folder, up to the name of the function."""
    name = f"swept_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def sweep(place: str, *flags: str) -> int:
    """The command in bfloat16 near 0."""
    return main(["sweep", place, "--as", "softplus", "--dtype", "bfloat16", "--range=-4:4", *flags])


def test_a_right_function_exits_with_0(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And the counts stand there; nothing goes to standard error, which is no terminal."""
    assert sweep(f"{place}:right") == 0
    out, err = capsys.readouterr()
    assert "searched, 33,026 inputs" in out
    assert "correctly rounded 33,026, faithful 33,026, refuted 0, undecided 0" in out
    assert err == ""


def test_a_wrong_function_exits_with_1(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the finding and its witness."""
    assert sweep(f"{place}:wrong") == 1
    out = capsys.readouterr().out
    assert "refuted 1" in out
    assert "\nreplay:  python -m verify replay " in out


def test_json_is_one_object(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was counted, and what the sweep depends on."""
    assert sweep(f"{place}:right", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["inputs"], told["counts"]["faithful"]) == ("passed", 33_026, 33_026)
    assert told["head"]["form"] == "x"
    assert sum(sum(row) for _, row in told["counts"]["histogram"]) == 33_026


def test_a_picture_is_drawn(place: str, tmp_path: Path) -> None:
    """Of both axes, in one page."""
    assert sweep(f"{place}:right", "--plot", "page.html") == 0
    page = (tmp_path / "page.html").read_text()
    drawings = page.split("<figure>")[1:]
    assert len(drawings) == 2
    for drawing in drawings:
        ElementTree.fromstring(drawing[drawing.index("<svg") : drawing.index("</svg>") + 6])


def test_the_ratchet_notices_what_gets_worse(place: str, tmp_path: Path) -> None:
    """One input that is off by an ulp more, within its bound, is a regression; the same again is none."""
    assert sweep(f"{place}:right", "--table", "worst.json") == 0
    assert sweep(f"{place}:right", "--ratchet", "worst.json") == 0
    text = (tmp_path / "worst.json").read_text().replace(f"{place}.right", f"{place}.worse")
    (tmp_path / "worst.json").write_text(text)
    assert sweep(f"{place}:worse", "--ratchet", "worst.json") == 1


@pytest.mark.parametrize("text", ['{"rows": []}', "no json", '{"format_version": 1, "rows": [{}]}'])
def test_a_table_of_another_kind_is_refused(
    place: str, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is computed."""
    (tmp_path / "worst.json").write_text(text)
    assert sweep(f"{place}:right", "--ratchet", "worst.json") == 2
    assert "is no table of worst cases" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (("--shard", "5/4"), "give (i, N)"),
        (("--shard", "1"), "give i/N"),
        (("--form", "y"), "known: x"),
        (("--ratchet", "absent.json"), "cannot be read"),
        (("--journal", " "), "is not the name of a file"),
        (("--journal", "no/x.jsonl"), "the folder no does not exist; make it first"),
        (("--plot", "no/x.html"), "the folder no does not exist; make it first"),
        (("--table", "no/x.json"), "the folder no does not exist; make it first"),
    ],
)
def test_bad_arguments_exit_with_2(
    place: str, flags: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with the way out."""
    assert sweep(f"{place}:right", *flags) == 2
    err = capsys.readouterr().err
    assert hint in err
    assert len(err.splitlines()) == 1


def test_an_interrupt_without_a_journal_says_that_nothing_is_kept(
    place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how to have it kept."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep_commands, "run", interrupted)
    assert sweep(f"{place}:right") == 130
    assert "nothing is kept; give --journal FILE" in capsys.readouterr().err


def test_merged_shards_are_judged_without_computing(place: str, tmp_path: Path) -> None:
    """One is missing: nothing is established; with it the whole is."""
    for shard in ("1/2", "2/2"):
        assert sweep(f"{place}:right", "--shard", shard, "--journal", f"{shard[0]}.jsonl") == 0
    assert sweep(f"{place}:right", "--journal", "1.jsonl", "--no-compute") == 1
    merged = (tmp_path / "1.jsonl").read_bytes() + (tmp_path / "2.jsonl").read_bytes()
    (tmp_path / "merged.jsonl").write_bytes(merged)
    assert sweep(f"{place}:right", "--journal", "merged.jsonl", "--no-compute") == 0


def test_an_empty_journal_has_nothing_checked(place: str) -> None:
    """Exit code 3."""
    assert sweep(f"{place}:right", "--journal", "none.jsonl", "--no-compute") == 3
