"""Standard output that nobody takes: a full disk, a closed pipe, none at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from verify.terminal import show_json

COMMANDS = (
    ["list"],
    ["list", "--json"],
    ["prove", "kl-one-hot"],
    ["prove", "kl-one-hot", "--json"],
    ["explain", "kl-one-hot"],
    ["doctor"],
    ["--help"],
    ["--version"],
)


def _ended(command: list[str], output: int) -> tuple[int, str]:
    """The exit code of a command whose standard output goes to ``output``, and what it said of it."""
    done = subprocess.run(
        [sys.executable, "-m", "verify", *command], stdout=output, stderr=subprocess.PIPE, text=True
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_output_that_cannot_be_written_is_one_line(command: list[str]) -> None:
    """A full disk: exit code 2 and one line with the reason, no traceback."""
    with open("/dev/full", "wb") as full:
        code, said = _ended(command, full.fileno())
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("lossproof: cannot write to standard output (")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_closed_pipe_ends_in_silence(command: list[str]) -> None:
    """As a shell says of a program that SIGPIPE ended: exit code 141, whatever the command."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert _ended(command, writer) == (141, "")
    finally:
        os.close(writer)


def test_no_output_at_all_is_one_line() -> None:
    """A standard output that was closed before the start has a name in the message."""
    script = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'verify', 'list'])"
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_what_the_encoding_of_the_output_lacks_is_escaped() -> None:
    """The sign for "at least" in ASCII."""
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "verify", "explain", "kl-one-hot"]
    done = subprocess.run(command, env=ascii_only, capture_output=True, text=True)
    assert (done.returncode, done.stderr, r"\u2265" in done.stdout) == (0, "", True)


def test_json_has_no_character_outside_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it is JSON in every encoding."""
    show_json({"at least": "\u2265"})
    assert capsys.readouterr().out == '{\n  "at least": "\\u2265"\n}\n'
