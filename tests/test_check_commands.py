"""The commands check and replay: what they print, their exit codes, and functions that crash or hang."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from verify import isolation
from verify.cli import main

pytestmark = pytest.mark.torch

SOURCE = """
import os, pathlib, signal, time
import torch

number = 3

class Loss:
    @staticmethod
    def right(z):
        return torch.sigmoid(z)

def right(z):
    print("computing")
    return torch.sigmoid(z)

def wrong(z):
    return torch.exp(z) / (1 + torch.exp(z))

def narrow(z):
    raise NotImplementedError("only on tensor cores")

def crash_from_five(z):
    if z.numel() >= 5:
        os.abort()
    return torch.sigmoid(z)

def crash_then_hang(z):
    mark = pathlib.Path("crashed")
    if not mark.exists():
        mark.touch()
        os.abort()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(1000)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the working folder."""
    name = f"losses_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    (tmp_path / f"{name}_broken.py").write_text('raise ValueError("no kernel\\nfor this")\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


Check = Callable[..., int]


@pytest.fixture
def check(module: str) -> Check:
    """The check command on a function of the module, as sigmoid, with few examples."""

    def run(function: str, *flags: str) -> int:
        return main(["check", f"{module}:{function}", "--as", "sigmoid", "--examples", "8", *flags])

    return run


def test_a_right_function_exits_with_0(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """With a line for each property below what all are about; what the function prints is kept off them."""
    assert check("right") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.endswith(".right as sigmoid")
    assert [line.split()[:3] for line in lines] == [
        ["value", "in", "float32"],
        ["gradient", "in", "float32"],
        ["side", "effects", "in"],
    ]


def test_a_wrong_function_exits_with_1(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """And the finding is printed below."""
    assert check("wrong", "--no-grad") == 1
    out, err = capsys.readouterr()
    assert "\nrefuted: " in out
    assert "\nreplay:  python -m verify replay " in out
    assert err == ""


def test_other_properties_are_told_once(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """In the table, and not below the finding again."""
    assert check("wrong") == 1
    out = capsys.readouterr().out
    assert sum("gradient in float32 on cpu" in line for line in out.splitlines()) == 1


def test_a_function_that_declines_all_exits_with_3(check: Check) -> None:
    """Nothing was checked."""
    assert check("narrow") == 3


def test_a_function_in_a_class_has_a_place(check: Check) -> None:
    """By its dotted name."""
    assert check("Loss.right", "--no-grad") == 0


def test_json_has_the_verdicts(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """As one object, with the witness."""
    assert check("wrong", "--no-grad", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "refuted"
    assert told["verdicts"][0]["witness"].startswith("lossproof1:sigmoid:value:float32:cpu:losses_")


def test_json_says_when_and_how_it_was_made(
    check: Check, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the report that is made of it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    check("right", "--no-grad", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["format_version"], told["created"]) == (1, "1970-01-01T00:00:00Z")
    assert told["command"].startswith("lossproof ")
    assert "torch" in dict(told["provenance"])


def test_each_dtype_is_checked(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order given, each once."""
    check("right", "--no-grad", "--dtype", "float64", "bfloat16", "float64", "--json")
    subjects = [verdict["subject"] for verdict in json.loads(capsys.readouterr().out)["verdicts"]]
    assert [subject.split(" in ")[1].split()[0] for subject in subjects] == ["float64"] * 2 + ["bfloat16"] * 3


MISTAKES = {
    "no colon": (
        ["check", "losses", "--as", "sigmoid"],
        "'losses' is no place; give package.module:function",
    ),
    "file": (["check", "losses.py:mine", "--as", "sigmoid"], "give its module, losses:mine, from its folder"),
    "module": (
        ["check", "{0}_gone:f", "--as", "sigmoid"],
        "_gone'; the working folder is searched, other folders",
    ),
    "broken module": (
        ["check", "{}_broken:f", "--as", "sigmoid"],
        "cannot be imported: ValueError: no kernel",
    ),
    "name": (["check", "{}:rihgt", "--as", "sigmoid"], "did you mean right"),
    "not callable": (["check", "{}:number", "--as", "sigmoid"], "is an int; give a function"),
    "lambda": (["check", "{}:<lambda>", "--as", "sigmoid"], "cannot be reached by its name"),
    "operation": (["check", "{}:right", "--as", "sigmoids"], "unknown operation 'sigmoids'; did you mean"),
    "no operation": (["check", "{}:right"], "--as"),
    "dtype": (["check", "{}:right", "--as", "sigmoid", "--dtype", "float8"], "unknown dtype 'float8'"),
    "device": (["check", "{}:right", "--as", "sigmoid", "--device", "gpu"], "unknown device 'gpu'"),
    "option": (["check", "{}:right", "--as", "softmax", "--option", "dim=9"], "option dim of softmax is 9"),
    "no option": (["check", "{}:right", "--as", "softmax", "--option", "dim"], "give it as name=value"),
    "level": (["check", "{}:right", "--as", "sigmoid", "--level", "exact"], "unknown level 'exact'"),
    "examples": (["check", "{}:right", "--as", "sigmoid", "--examples", "0"], "'0' is not a count"),
    "time": (["check", "{}:right", "--as", "sigmoid", "--time-limit", "0"], "'0' is no time"),
    "witness": (["replay", "nothing"], "'nothing' is neither a file nor a witness"),
    "another file": (["replay", __file__], "test_check_commands.py' is a file without a witness; give"),
    "input": (["replay", "lossinput1:part"], "is cut off or changed"),
    "input and function": (["replay", "lossinput1:part", "--function", "{}:right"], "leave --function and"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_exits_with_2_and_one_line(
    kind: str, module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never with a traceback."""
    arguments, told = MISTAKES[kind]
    assert main([argument.format(module) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_a_required_device_that_is_absent_exits_with_2(
    check: Check, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is checked."""
    monkeypatch.setattr("verify.backends.devices_present", lambda: ("cpu",))
    assert check("right", "--require-device", "cuda") == 2
    assert "device 'cuda' is not present" in capsys.readouterr().err


def _witness(check: Check, capsys: pytest.CaptureFixture[str]) -> str:
    check("wrong", "--no-grad", "--json")
    return str(json.loads(capsys.readouterr().out)["verdicts"][0]["witness"])


def test_a_witness_is_replayed(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """On the function that it names, with the same finding."""
    witness = _witness(check, capsys)
    assert main(["replay", witness]) == 1
    assert f"\nwitness: {witness}\n" in capsys.readouterr().out


def test_a_witness_is_replayed_from_a_file(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is too long for a command line."""
    Path("known.txt").write_text(_witness(check, capsys) + "\n")
    assert main(["replay", "known.txt"]) == 1


def test_a_witness_is_replayed_on_another_function(
    check: Check, module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as the repaired one, which passes."""
    assert main(["replay", _witness(check, capsys), "--function", f"{module}:right"]) == 0


def test_a_function_that_ends_its_process_or_hangs_is_refuted(
    check: Check, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each property by itself; the others are checked all the same."""
    monkeypatch.setattr(isolation, "GRACE", 5.5)
    assert check("crash_then_hang", "--no-grad", "--time-limit", "0.5", "--json") == 1
    verdicts = json.loads(capsys.readouterr().out)["verdicts"]
    assert [(verdict["status"], verdict["reason"]) for verdict in verdicts] == [
        ("refuted", "its process died by signal SIGABRT"),
        ("refuted", "it did not return within 6.5 s"),
    ]


def test_the_call_that_ends_the_process_is_named(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """By its shape, and its layout; of a short one the numbers too."""
    assert check("crash_from_five", "--no-grad", "--isolate", "--examples", "40") == 1
    lines = capsys.readouterr().out.partition("\nrefuted: ")[2].splitlines()
    assert lines[1] == "got:     its process died by signal SIGABRT"
    assert re.match(r"input:   input = (\((\d+, )*\d+\) tensor|\[.*\]); upstream = ", lines[4])
    assert re.match(r"options: \w+ tensors", lines[5])


def test_isolation_changes_no_verdict(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """The other process does what this one does."""
    told = []
    for flag in ("--isolate", "--no-isolate"):
        check("wrong", "--no-grad", flag, "--json")
        told.append(json.loads(capsys.readouterr().out)["verdicts"])
    assert told[0] == told[1]


PLAIN = """
import sys, unittest
sys.modules["pytest"] = None
import torch, verify

class Losses(unittest.TestCase):
    def test_right(self):
        verify.assert_holds(verify.check(torch.sigmoid, "sigmoid", examples=2))
    def test_wrong(self):
        with self.assertRaisesRegex(AssertionError, "refuted: "):
            verify.assert_holds(verify.check(torch.tanh, "sigmoid", examples=2))

unittest.main(verbosity=0)
"""


def test_unittest_and_scripts_need_no_pytest(tmp_path: Path) -> None:
    """verify.check and verify.assert_holds work where pytest cannot be imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert (done.returncode, "OK" in done.stderr) == (0, True), done.stderr
