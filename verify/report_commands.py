"""The files of a report: written by a run, and made again from the runs that are on disk."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from verify.errors import ReportFormatError, UnavailableError
from verify.exits import Exit
from verify.record import RunRecord
from verify.report import text
from verify.report.provenance import installed
from verify.report.summary import summarise
from verify.report.text import Line
from verify.terminal import show, show_json, width

if TYPE_CHECKING:
    from verify.report.comparison import Comparison

REPORTING = ("jinja2", "latex2mathml", "msgspec")
"""The distributions that a report needs."""

FILES = ("report.json", "report.html", "report.md", "junit.xml")
"""The files of a report, the one that the others are views of in front."""


def merged(options: argparse.Namespace) -> int:
    """Merge the runs in the files given, compare them with an older one, and write the reports."""
    require_report_packages()
    from verify.report.comparison import compare
    from verify.report.files import require_folder
    from verify.report.model import load, merge

    require_folder(options.output)
    runs = {path: load(path) for path in options.files}
    record = merge(list(runs.values()))
    comparison = compare(record, load(options.compare)) if options.compare else None
    try:
        write(record, options, comparison)
    except ReportFormatError:
        _blame(runs)
        raise
    if comparison is not None and comparison.worse:
        return Exit.REFUTED
    return Exit.HOLDS if record.claims or record.checks else Exit.NOTHING_CHECKED


def write(
    record: RunRecord,
    options: argparse.Namespace,
    comparison: Comparison | None = None,
    *,
    findings_fail: bool = False,
) -> None:
    """Render first, then write, so that a failure leaves the old files; then say where they are.

    ``findings_fail``: findings are failures in junit.xml too.
    """
    from verify.report.files import write_together
    from verify.report.html import page
    from verify.report.junit import junit
    from verify.report.markdown import markdown
    from verify.report.model import encode

    folder: Path = options.output
    pieces = (
        encode(record),
        page(record, comparison).encode(),
        markdown(record, comparison).encode(),
        junit(record, findings_fail=findings_fail),
    )
    contents = dict(zip(FILES, pieces, strict=True))
    write_together(folder, contents)
    sentence = summarise(record).sentence
    if options.json:
        closing = {"report": str(folder / "report.html"), "files": sorted(contents), "sentence": sentence}
        show_json(closing if comparison is None else {**closing, "comparison": asdict(comparison)})
        return
    show(text.findings(record, width()))
    show(text.expected_failures(record, width()))
    if comparison is not None:
        show(text.changes(comparison))
    show(text.summary(record, width()))
    show([Line(f"report: {folder / 'report.html'}"), Line(sentence, "bold")])


def require_report_packages() -> None:
    """Raise UnavailableError unless what a report needs is installed."""
    absent = [name for name in REPORTING if not installed(name)]
    if absent:
        raise UnavailableError(f"reports need {', '.join(absent)}; pip install 'lossproof[report]'")


def _blame(runs: Mapping[Path, RunRecord]) -> None:
    """Raise ReportFormatError for the file that cannot be shown, by its name."""
    from verify.report.html import page

    for path, run in runs.items():
        try:
            page(run)
        except ReportFormatError as error:
            raise ReportFormatError(f"{path}: {error}") from None
