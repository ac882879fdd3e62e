"""The command sweep: a function of one's own on every input, journals merged, worst cases kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from verify.check_commands import told, verdict_exit
from verify.errors import UsageError
from verify.exits import Exit
from verify.places import function_at, operation_at
from verify.report.files import require_folder, write_together
from verify.report.provenance import command_line, setting
from verify.report.text import Line
from verify.results import Results, plain
from verify.sweeps.pictures import figures, page
from verify.sweeps.sweeping import Plan, kept, planned, run
from verify.sweeps.worst_cases import compared, read_table, recorded, table_text
from verify.terminal import Rate, show, show_json
from verify.verdict import Status, Verdict
from verify.words import counted


def sweep(options: argparse.Namespace) -> int:
    """Sweep the function at a place; say what was counted, and how it stands to an earlier table."""
    about = setting(command_line(options.words)) if options.json else None
    plan = planned(
        function_at(options.function),
        operation_at(options.operation),
        options.dtype,
        form=options.form,
        aspect=options.property,
        device=options.device,
        span=options.range,
        sample=options.sample,
        seed=options.seed,
    )
    before = read_table(options.ratchet) if options.ratchet else ()
    for path in filter(None, (options.table, options.plot)):
        require_folder(path)
    shard = _shard(options.shard)
    try:
        with Rate() as rate:
            verdict, summary = run(
                plan,
                shard=shard,
                journal=options.journal,
                executor=options.dask,
                progress=rate.at,
                compute=not options.no_compute,
            )
    except KeyboardInterrupt:
        print(_interrupted(plan, shard, options), file=sys.stderr)
        return Exit.INTERRUPTED
    row = recorded(plan.head, verdict)
    regression = compared(row, before)
    if options.table:
        table = [*(read_table(options.table) if options.table.is_file() else ())]
        write_together(options.table.parent, {options.table.name: table_text([*table, row]).encode()})
    if options.plot:
        drawn = page(verdict.subject, figures(plan.subject, summary))
        write_together(options.plot.parent, {options.plot.name: drawn.encode()})
    _show(plan, verdict, regression, about)
    if regression:
        return max(1, verdict_exit(Results((verdict,))))
    return verdict_exit(Results((verdict,)))


def _interrupted(plan: Plan, shard: tuple[int, int], options: argparse.Namespace) -> str:
    """What is kept, and how to go on."""
    if options.journal is None:
        return "interrupted; nothing is kept; give --journal FILE to have what was computed kept"
    have, whole = kept(plan, shard, options.journal)
    command = command_line(options.words)
    return f"interrupted; {have:,} of {whole:,} chunks are kept in {options.journal}; go on with: {command}"


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isascii() and parts.isascii() and part.isdigit() and parts.isdigit()):
        raise UsageError(f"--shard {text!r} is no shard; give i/N with 1 <= i <= N, as in 1/4")
    return int(part), int(parts)


def _show(plan: Plan, verdict: Verdict, regression: str, about: Mapping[str, Any] | None) -> None:
    if about is not None:
        found = {**plain(verdict), "head": dict(plan.head), "regression": regression or None}
        show_json({**found, **about})
        return
    lines = [Line(f"{verdict.subject}: {verdict.status.value}", _STYLES.get(verdict.status, "green"))]
    counts = dict(verdict.counts or {})
    lines.append(Line(f"  {verdict.coverage}, {counted(verdict.inputs, 'input')}"))
    shares = ("exact", "correctly_rounded", "faithful", "refuted", "undecided")
    lines.append(Line("  " + ", ".join(f"{name.replace('_', ' ')} {counts[name]:,}" for name in shares)))
    lines += [Line(f"  {text}") for text in _cases(counts)]
    if verdict.reason:
        lines.append(Line(f"  {verdict.reason}"))
    if verdict.status is Status.REFUTED and verdict.counterexample is not None:
        lines += [Line(line) for line in ["", *told(Results((verdict,)))]]
    if regression:
        lines.append(Line(f"  regression: {regression}", "bold red"))
    show(lines)


_STYLES = {Status.REFUTED: "bold red", Status.UNKNOWN: "yellow"}


def _cases(counts: dict[str, Any]) -> list[str]:
    """The worst inputs in words."""
    lines = []
    for name, title in (("worst", "worst error"), ("steepest", "worst error / bound")):
        case = counts[name]
        if case:
            at = ", ".join(map(repr, case["input"]))
            amount = f"{case['ulp']:.9g} ulp" if name == "worst" else f"{case['ratio']:.6g}"
            lines.append(f"{title} {amount} at {at}: {case['got']!r}, exact {case['exact']}")
    return lines
