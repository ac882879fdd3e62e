"""Workers: processes of their own for foreign code, which tell what they do, one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Worker:
    """A process that tells in lines what it does; ``count`` is how much there is to do, once it has told."""

    process: subprocess.Popen[str]
    lines: queue.Queue[str]
    count: int = 0
    listener: threading.Thread | None = None

    def next(self, seconds: float | None) -> dict[str, Any]:
        """What it tells next; empty when it has ended. Raises ``queue.Empty`` after so many seconds."""
        line = self.lines.get(timeout=seconds)
        return dict(json.loads(line)) if line else {}

    def end(self) -> None:
        """End the process and what listens to it."""
        self.process.kill()
        self.process.wait()
        if self.listener is not None:
            self.listener.join()


def started(program: str, request: Mapping[str, Any]) -> Worker:
    """A worker that runs a line of Python, with a request on its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    worker = Worker(process, queue.Queue())
    worker.listener = threading.Thread(target=_listen, args=(worker, json.dumps(request)), daemon=True)
    worker.listener.start()
    return worker


def _listen(worker: Worker, request: str) -> None:
    """Hand the request over, and pass on each line until the end, which is an empty one."""
    given, told = worker.process.stdin, worker.process.stdout
    if given is not None and told is not None:
        with contextlib.suppress(BrokenPipeError), given:
            given.write(request)
        with told:
            for line in told:
                worker.lines.put(line)
    worker.lines.put("")


def how_it_ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    more = ", as it is when memory runs out" if name == "SIGKILL" else ""
    return f"its process died by signal {name}{more}"


def asked() -> tuple[dict[str, Any], Callable[..., None]]:
    """In a worker: the request, and a function that tells the other side something.

    Whatever else is printed goes to standard error.
    """
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(**told: Any) -> None:
        out.write(json.dumps(told) + "\n")
        out.flush()

    return json.load(sys.stdin), tell
