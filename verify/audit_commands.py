"""The command audit: which wrong implementations does a test, or a suite, let pass?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from verify.audit_process import Request, audit_isolated
from verify.audit_report import AuditReport
from verify.errors import UsageError
from verify.exits import Exit
from verify.places import parts_of
from verify.report.text import Line
from verify.terminal import Steps, show, show_json


def audit(options: argparse.Namespace) -> int:
    """Audit the test function at a place, or a suite with an attribute replaced."""
    if not options.replace:
        _require_place(options.test)
    only = None if options.only is None else tuple(options.only)
    request = Request(
        options.test, options.operation, options.replace or "", options.grad, only, options.time_limit
    )
    with Steps(len(request.entrants)) as steps:
        report = audit_isolated(request, lambda entrant, attempt: steps.finished(entrant.id))
    if options.json:
        show_json(json.loads(report.to_json()))
    else:
        show(Line(line, _style(line)) for line in str(report).splitlines())
    return _outcome(report, options.fail_on)


def _require_place(test: str) -> None:
    """Raise ``UsageError`` for what names no function, before anything is loaded."""
    if test.endswith(".py") or Path(test).is_dir():
        raise UsageError(
            f"{test!r} is a suite; name what it tests with --replace package.module:attribute, "
            "or give one test function as package.module:function"
        )
    parts_of(test)


def _style(line: str) -> str:
    word = line.split()[0] if line.split() else ""
    return {"gross": "bold red", "moderate": "yellow", "vacuous:": "bold red", "false": "bold red"}.get(
        word, ""
    )


def _outcome(report: AuditReport, fail_on: str) -> int:
    """Nothing was checked; something of the grade, or a worse one, survives; or not."""
    if not report.right or not report.tried:
        return Exit.NOTHING_CHECKED
    return Exit.REFUTED if fail_on != "none" and report.survive(fail_on) else Exit.HOLDS
