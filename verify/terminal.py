"""What a command prints: results on stdout, progress on stderr, colour only where it is wanted."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from verify.output import write
from verify.report.text import Line, visible

_UNLIMITED = 1_000_000


def width() -> int:
    """How wide lines may be: COLUMNS or the terminal's width, at most 100; without either no limit."""
    console = Console()
    columns = os.environ.get("COLUMNS", "")
    limited = console.is_terminal or (columns.isascii() and columns.isdigit() and int(columns) > 0)
    return min(console.width, 100) if limited else _UNLIMITED


def show(lines: Iterable[Line]) -> None:
    """Print lines to stdout, with colour on a terminal and not under NO_COLOR."""
    terminal = Console().is_terminal
    for line in lines:
        drawn = io.StringIO()
        console = Console(file=drawn, force_terminal=terminal, highlight=False, soft_wrap=True)
        console.print(Text(visible(line.text), style=line.style))
        write(drawn.getvalue())


def show_json(value: Any) -> None:
    """Print one JSON object to stdout."""
    write(json.dumps(value, indent=2) + "\n")


class _Drawn:
    """Progress that is drawn on stderr when that is a terminal, and nothing otherwise."""

    def __init__(self, *columns: ProgressColumn) -> None:
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress:
            self._progress.stop()


class Rate(_Drawn):
    """Progress through many inputs, with their rate and the time left."""

    def __init__(self) -> None:
        told = TextColumn("{task.description}", markup=False)
        super().__init__(BarColumn(), TaskProgressColumn(), told, TimeRemainingColumn())

    def at(self, done: int, total: int) -> None:
        """That so many inputs are done, of so many."""
        if self._progress:
            if not self._progress.task_ids:
                self._progress.add_task("", total=total, completed=done)
            task = self._progress.tasks[0]
            rate = f"{task.speed:,.0f} inputs/s" if task.speed else ""
            self._progress.update(task.id, completed=done, description=rate)


class Steps(_Drawn):
    """Progress through steps; ``total`` is None if not known."""

    def __init__(self, total: int | None) -> None:
        told = TextColumn("{task.description}", markup=False)
        super().__init__(told, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        if self._progress:
            self._progress.add_task("", total=total)

    def finished(self, what: str) -> None:
        """Count one step as done and say which."""
        if self._progress:
            self._progress.update(self._progress.task_ids[0], advance=1, description=what)
