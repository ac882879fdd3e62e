"""The commands about one's own functions: check one, and replay a witness."""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from verify.assertions import finding
from verify.backends import require_device
from verify.cases import MARK, read_witness
from verify.checking import contract_of, plan
from verify.checking import replay as judge_again
from verify.contract import Contract
from verify.errors import UsageError
from verify.exits import Exit
from verify.expected import witness_in
from verify.input_witness import INPUT_MARK
from verify.isolation import check_isolated
from verify.operations import operations_with_contract
from verify.places import function_at, operation_at
from verify.report.provenance import command_line, setting
from verify.report.text import Line
from verify.results import Results
from verify.runs import replayed
from verify.terminal import Steps, show, show_json
from verify.verdict import Status, Verdict


def check(options: argparse.Namespace) -> int:
    """Check the function at a place as an operation, on each device in each dtype."""
    about = setting(command_line(options.words)) if options.json else None
    for device in options.require_device:
        require_device(device)
    how: dict[str, Any] = {
        "dtypes": list(dict.fromkeys(options.dtype)),
        "devices": list(dict.fromkeys([*options.device, *options.require_device] or ["cpu"])),
        "grad": options.grad,
        "level": options.level,
        "height": options.height,
        "options": _options(options.option),
        "examples": options.examples,
        "seed": options.seed,
        "time_limit": options.time_limit,
    }
    contract_of(operation_at(options.operation))
    isolated = options.time_limit is not None if options.isolate is None else options.isolate
    results = (_isolated if isolated else _here)(options.function, options.operation, how)
    return _shown(results, about)


def replay(options: argparse.Namespace) -> int:
    """Judge a function on the one call of a witness, or one of torch on an input of a statement."""
    about = setting(command_line(options.words)) if options.json else None
    text = options.witness
    marks = "|".join(mark.rstrip("0123456789") for mark in (MARK, INPUT_MARK))
    if not re.match(rf"({marks})\d+:", text) and Path(text).is_file():
        text = witness_in(Path(text))
    if text.startswith(INPUT_MARK):
        if options.function or options.operation:
            raise UsageError("the witness of an input names what it is about; leave --function and --as out")
        return _shown(Results((replayed(text),)), about)
    if not text.startswith(MARK):
        kind = "neither a file nor a witness" if text == options.witness else "a file without a witness"
        raise UsageError(
            f"{options.witness!r} is {kind}; give the line that begins with {MARK}:, or its file"
        )
    own = operation_at(options.operation) if options.operation else None

    def named(name: str) -> Contract:
        if own is None and name not in operations_with_contract():
            raise UsageError(
                f"the witness is about {name}; name that operation with --as package.module:OPERATION"
            )
        return contract_of(own or name)

    case = read_witness(text, named)
    place = options.function or case.candidate
    if not place:
        raise UsageError("the witness does not say which function it refutes; name it with --function")
    verdict = judge_again(function_at(place), text, operation=own)
    return _shown(Results((verdict,)), about)


def _here(place: str, operation: str, how: Mapping[str, Any]) -> Results:
    searches = plan(function_at(place), operation_at(operation), **how)
    verdicts = []
    with Steps(len(searches)) as steps:
        for search in searches:
            verdicts.append(search.verdict())
            steps.finished(search.aspect)
    return Results(tuple(verdicts))


def _isolated(place: str, operation: str, how: Mapping[str, Any]) -> Results:
    with Steps(None) as steps:
        return check_isolated(place, operation, how, lambda verdict: steps.finished(verdict.subject))


def _options(told: Sequence[str]) -> dict[str, Any]:
    """The options given as name=value; a name that is given twice has several values to draw from."""
    options: dict[str, list[Any]] = {}
    for text in told:
        name, equals, value = text.partition("=")
        if not (equals and name.isidentifier()):
            raise UsageError(f"--option {text!r} has no name and value; give it as name=value")
        options.setdefault(name, []).append(_value(value))
    return dict(options)


def _value(text: str) -> Any:
    """A number, True, False or None as Python writes it; anything else is a word."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _shown(results: Results, about: Mapping[str, Any] | None) -> int:
    """Show the verdicts; with what is said ``about`` the call as one JSON object."""
    if about is not None:
        show_json({**json.loads(results.to_json()), **about})
    else:
        show(Line(line, "" if verdict is None else _style(verdict)) for line, verdict in results.table())
        if not results.holds:
            show(Line(line) for line in ["", *told(results)])
    return verdict_exit(results)


def told(results: Results) -> list[str]:
    """The finding in lines; the other verdicts stand above it."""
    return finding(results, others=False).splitlines()


def _style(verdict: Verdict) -> str:
    if not verdict.applicable:
        return "dim"
    return {Status.REFUTED: "bold red", Status.UNKNOWN: "yellow"}.get(verdict.status, "green")


def verdict_exit(results: Results) -> int:
    """Holds; refuted or not established; or nothing was checked at all."""
    if results.holds:
        return Exit.HOLDS
    if results.status is Status.UNKNOWN and not any(verdict.inputs for verdict in results):
        return Exit.NOTHING_CHECKED
    return Exit.REFUTED
