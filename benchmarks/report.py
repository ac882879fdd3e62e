"""How long a report of 100,000 numeric checks takes to read and to write, beside json.loads of the same file.

    python benchmarks/report.py [ROWS]

The checks of the committed report are repeated under other names until there are so many. With a Chromium
on the PATH also how long the page of the committed report takes to open, from the disk, five times.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TypeVar

from verify.record import RunRecord
from verify.report.html import page
from verify.report.junit import junit
from verify.report.markdown import markdown
from verify.report.model import decode, encode, load

ROOT = Path(__file__).parent.parent
ROWS = 100_000
_DRAWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
_Result = TypeVar("_Result")


def widened(run: RunRecord, rows: int) -> RunRecord:
    """The run with its checks repeated, each time as those of other implementations."""
    copies = -(-rows // len(run.evidence))
    evidence = (
        replace(record, implementation=f"{record.implementation} {copy}" if copy else record.implementation)
        for copy in range(copies)
        for record in run.evidence
    )
    return replace(run, evidence=tuple(evidence)[:rows])


def timed(what: str, work: Callable[[], _Result]) -> tuple[_Result, float]:
    """The result of the work, and its seconds, which are printed."""
    start = time.perf_counter()
    result = work()
    taken = time.perf_counter() - start
    print(f"{taken:8.2f} s  {what}")
    return result, taken


def opening(path: Path) -> None:
    """Print how long Chromium takes from asking for a page to the end of its load event."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import browser, chromium

    if chromium() is None:
        print("no Chromium on the PATH, so the page was not opened")
        return
    taken = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, browser(Path(folder)) as tab:
        for _ in range(5):
            tab.open(path)
            taken.append(float(tab.run(_DRAWN)))
    size = path.stat().st_size
    print(f"{median(taken) / 1000:8.2f} s  to open and draw the page, {size:,} bytes, in Chromium")


def main() -> None:
    """Print the seconds of each step, their sum, and its ratio to the peer."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    run = load(ROOT / "reports" / "report.json")
    data = encode(widened(run, rows))
    print(f"{rows:,} checks, {len(data):,} bytes of JSON")
    _, peer = timed("json.loads", lambda: json.loads(data))
    wide, read = timed("read and validate", lambda: decode(data, "report.json"))
    text, html = timed("report.html", lambda: page(wide))
    _, short = timed("report.md", lambda: markdown(wide))
    xml, cases = timed("junit.xml", lambda: junit(wide))
    total = read + html + short + cases
    print(f"{total:8.2f} s  in all, {total / peer:.1f} times json.loads")
    print(f"report.html {len(text.encode()):,} bytes, junit.xml {len(xml):,} bytes")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_text(page(run), encoding="utf-8")
        opening(path)


if __name__ == "__main__":
    main()
