"""The command line: its arguments, and how each outcome becomes an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from verify.errors import PipeClosedError, UsageError, VerifyError
from verify.exits import Exit
from verify.output import write

_EPILOG = """\
exit codes: 0 holds, 1 refuted or not established, 2 could not run, 3 nothing was checked, 130 interrupted,
141 the reader of the output went away before its end, as with `lossproof prove | head -1`.
A claim that is false as worded and whose correction is proved is an established result: it holds.
Results go to standard output; progress goes to standard error, and only on a terminal.
"""
_MOST_EXAMPLES = 1_000_000
OPERATION = "what it computes: a name, or package.module:OPERATION for one of your own"


_REPORTED = "report.json of a run, or what pytest --verify-json, check --json or sweep --json wrote"


class _Parser(argparse.ArgumentParser):
    """An argument parser that fails with one line, also where its help cannot be written."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def _print_message(self, message: str, file: object = None) -> None:
        write(message)


def parser() -> argparse.ArgumentParser:
    """The argument parser of every command."""
    top = _Parser(
        prog="lossproof",
        description="Prove the mathematics of maximum likelihood and check torch against it in ulps.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {version('lossproof')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="prove everything, check torch, write the reports"))
    prove = commands.add_parser("prove", help="prove claims; needs no torch")
    prove.add_argument(
        "claims",
        nargs="*",
        metavar="ID|PATH",
        help="claims to prove, or Python files and folders with claims of your own (default: the catalogue)",
    )
    prove.add_argument(
        "--time-limit",
        type=_time,
        default=10.0,
        metavar="SECONDS",
        help="how long a derivation is looked for where a statement has none; 0 for not at all (%(default)g)",
    )
    commands.add_parser("list", help="list the claims")
    explain = commands.add_parser("explain", help="show one claim with its derivation and evidence")
    explain.add_argument(
        "claim",
        nargs="+",
        metavar="ID|PATH",
        help="the claim, or a Python file with one of your own; with the id where the file has several",
    )
    explain.add_argument(
        "--evidence",
        type=Path,
        default=None,
        metavar="FILE",
        help="report.json with the evidence to show (default: reports/report.json if there is one)",
    )
    report = commands.add_parser("report", help="write the reports of one run or of several, merged")
    report.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_REPORTED)
    report.add_argument(
        "--compare",
        type=_file,
        default=None,
        metavar="OLD",
        help="show what changed since the run in this report.json, and fail with exit code 1 where an "
        "established claim is so no more or a finding is new",
    )
    _add_output(report)
    _add_check(commands.add_parser("check", help="check a function of your own, values and gradient"))
    _add_audit(commands.add_parser("audit", help="find out which wrong implementations a test lets pass"))
    replay = commands.add_parser("replay", help="judge a function on the one call of a witness")
    replay.add_argument(
        "witness", metavar="WITNESS", help="the line that a failure prints, or a file with it"
    )
    replay.add_argument("--function", metavar="PLACE", help="another function than that of the witness")
    replay.add_argument(
        "--as", dest="operation", metavar="PLACE", help="the operation of your own that it is about"
    )
    _add_sweep(commands.add_parser("sweep", help="judge a function of your own on every input"))
    commands.add_parser("doctor", help="say what is installed and what can be run")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return top


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output",
        type=_folder,
        default=Path("reports"),
        metavar="DIR",
        help="folder of the reports, made in one that exists (%(default)s)",
    )


def _add_check(check: argparse.ArgumentParser) -> None:
    check.add_argument("function", metavar="PLACE", help="what to check, as package.module:function")
    check.add_argument("--as", dest="operation", required=True, metavar="OPERATION", help=OPERATION)
    check.add_argument(
        "--dtype", nargs="+", default=["float32"], metavar="DTYPE", help="dtypes (default: float32)"
    )
    check.add_argument("--device", nargs="+", default=[], metavar="DEVICE", help="devices (default: cpu)")
    check.add_argument(
        "--require-device",
        nargs="+",
        default=[],
        metavar="DEVICE",
        help="check on this device too, and fail with exit code 2 when it is absent",
    )
    check.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="fix an option of the function; several values of one name are drawn from",
    )
    check.add_argument(
        "--level",
        default="stable",
        metavar="LEVEL",
        help="stable (default): errors within the bound of the standard stable algorithm; upcast: in a "
        "16-bit dtype within that of the algorithm in float32, rounded once; accurate: within a "
        "few roundings of what the conditioning of each number allows",
    )
    check.add_argument(
        "--height",
        default=None,
        metavar="HEIGHT",
        help="hold sums to so many additions in a row: a number, pairwise, or lanes:K (default: any order)",
    )
    check.add_argument("--no-grad", dest="grad", action="store_false", help="leave the gradient out")
    check.add_argument(
        "--examples", type=_examples, default=None, metavar="N", help="calls for each property"
    )
    check.add_argument("--seed", type=_whole, default=0, metavar="N", help="seed of the calls (%(default)s)")
    check.add_argument(
        "--time-limit", type=_seconds, default=None, metavar="SECONDS", help="seconds for each property"
    )
    check.add_argument(
        "--isolate",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="run the function in a process of its own, so that a crash is a finding, and with a time limit "
        "a hang too (default: with a time limit)",
    )


def _add_sweep(sweep: argparse.ArgumentParser) -> None:
    sweep.add_argument("function", metavar="PLACE", help="what to sweep, as package.module:function")
    sweep.add_argument("--as", dest="operation", required=True, metavar="OPERATION", help=OPERATION)
    sweep.add_argument("--dtype", required=True, metavar="DTYPE", help="dtype of inputs and results")
    sweep.add_argument("--form", default=None, metavar="FORM", help="how numbers become a call")
    sweep.add_argument("--property", default="value", metavar="PROPERTY", help="value (default) or gradient")
    sweep.add_argument("--device", default="cpu", metavar="DEVICE", help="device (%(default)s)")
    sweep.add_argument("--range", default=None, metavar="LOW:HIGH", help="only inputs between, ends included")
    sweep.add_argument("--sample", type=_positive, default=None, metavar="N", help="only N inputs, spread")
    sweep.add_argument(
        "--seed", type=_whole, default=0, metavar="N", help="shift of the sample (%(default)s)"
    )
    sweep.add_argument("--shard", default="1/1", metavar="I/N", help="only the I-th of N parts")
    sweep.add_argument("--journal", type=_file, default=None, metavar="FILE", help="where chunks are kept")
    sweep.add_argument(
        "--no-compute", action="store_true", help="only judge what the journal has, such as merged shards"
    )
    sweep.add_argument("--dask", default=None, metavar="ADDRESS", help="Dask scheduler, as tcp://host:8786")
    sweep.add_argument("--plot", type=_file, default=None, metavar="FILE", help="page with the error drawn")
    sweep.add_argument(
        "--table", type=_file, default=None, metavar="FILE", help="add to this table of worst cases"
    )
    sweep.add_argument(
        "--ratchet",
        type=_file,
        default=None,
        metavar="FILE",
        help="fail with exit code 1 where this table of worst cases has a better row",
    )


def _add_audit(audit: argparse.ArgumentParser) -> None:
    audit.add_argument(
        "test",
        metavar="TEST",
        help="a function of one implementation, as package.module:function; with --replace a suite: "
        "a path or a module",
    )
    audit.add_argument("--as", dest="operation", required=True, metavar="OPERATION", help="what it tests")
    audit.add_argument(
        "--replace", metavar="PLACE", help="the function that the suite tests, as package.module:function"
    )
    audit.add_argument(
        "--only", nargs="+", default=None, metavar="ID", help="try these wrong implementations alone"
    )
    audit.add_argument("--no-grad", dest="grad", action="store_false", help="leave wrong gradients out")
    audit.add_argument(
        "--fail-on",
        choices=("gross", "moderate", "subtle", "none"),
        default="gross",
        help="exit 1 when a wrong implementation of this grade or a worse one survives (%(default)s)",
    )
    audit.add_argument(
        "--time-limit", type=_seconds, default=None, metavar="SECONDS", help="seconds for one run of the test"
    )


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--claims", nargs="+", default=[], metavar="ID", help="only these claims")
    run.add_argument("--dtypes", nargs="+", default=None, metavar="DTYPE", help="dtypes to check")
    run.add_argument("--devices", nargs="+", default=None, metavar="DEVICE", help="devices to check on")
    run.add_argument(
        "--require-device",
        nargs="+",
        default=[],
        metavar="DEVICE",
        help="fail with exit code 2 when this device is absent",
    )
    run.add_argument("--seed", type=_whole, default=0, metavar="N", help="seed of the inputs (%(default)s)")
    run.add_argument(
        "--examples",
        type=_examples,
        default=None,
        metavar="N",
        help=f"inputs searched for each check, at most {_MOST_EXAMPLES:,}",
    )
    run.add_argument(
        "--processes", type=_positive, default=None, metavar="N", help="claims worked on at a time"
    )
    run.add_argument(
        "--expected",
        type=_file,
        default=None,
        metavar="FILE",
        help="TOML or JSON: numeric checks that are known to fail, by their id, each with reason and witness",
    )
    run.add_argument(
        "--fail-on",
        choices=("never", "proof", "finding"),
        default="proof",
        help="exit 1 when a claim is not established or an expected failure does not occur (proof, the "
        "default), also when a numeric check is refuted (finding), or never; torch has known defects, and "
        "they are findings",
    )
    _add_output(run)


def _whole(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number; give 0 or more")


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a count; give 1 or more")


def _examples(text: str) -> int:
    count = _positive(text)
    if count > _MOST_EXAMPLES:
        raise argparse.ArgumentTypeError(f"{text} is too many; give at most {_MOST_EXAMPLES:,}")
    return count


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < float("inf"):
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no time; give a number of seconds above 0")


def _time(text: str) -> float:
    return 0.0 if text.strip() == "0" else _seconds(text)


def _file(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file; give one")
    return Path(text)


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a folder; give one, or . for this one")
    return Path(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every expected failure is one line on stderr."""
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        options = parser().parse_args(words, argparse.Namespace(words=words))
        from verify.commands import COMMANDS

        return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    except PipeClosedError:
        return Exit.PIPE_CLOSED
    except VerifyError as error:
        print(f"lossproof: {' '.join(str(error).split())}", file=sys.stderr)
        return Exit.COULD_NOT_RUN
