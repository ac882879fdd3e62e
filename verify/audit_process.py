"""Audits in a process of their own: a run that crashes or hangs is told so, and the audit goes on."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from verify.attempts import FIRST, Attempt, Entrant, Runner, attempt_of, entrants, plain
from verify.audit_findings import report_of
from verify.audit_report import AuditReport
from verify.auditing import SECONDS
from verify.errors import UsageError, VerifyError
from verify.facts import NO_FACTS, Facts, facts_of
from verify.places import function_at
from verify.suites import suite_of
from verify.trial import Ending, tried
from verify.worker import Worker, asked, how_it_ended, started

GRACE = 30.0
"""Seconds beyond its time limit that a run has before its process is ended."""

SUITE_SECONDS = 600.0
"""How long one run of a suite may take, unless told otherwise."""

START = 300.0
"""Seconds in which a process must have imported the test, or collected the suite."""

_WORKER = "from verify.audit_process import serve; serve()"


@dataclass(frozen=True, slots=True)
class Request:
    """What is audited: a test function at a place, or a suite in which the place ``replace`` is replaced."""

    test: str
    operation: str
    replace: str = ""
    grad: bool = True
    only: tuple[str, ...] | None = None
    time_limit: float | None = None

    @property
    def seconds(self) -> float:
        """How long one run may take."""
        return self.time_limit or (SUITE_SECONDS if self.replace else SECONDS)

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        """What is tried."""
        return entrants(self.operation, grad=self.grad, only=self.only)


@dataclass(slots=True)
class _Progress:
    """What is known so far: the attempts by id, the facts, what was noticed, and what is being tried."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    facts: Facts = NO_FACTS
    remarks: tuple[str, ...] = ()
    begun: str = ""


def audit_isolated(request: Request, finished: Callable[[Entrant, Attempt], None]) -> AuditReport:
    """As `verify.audit`, of a test at a place or of a suite, in another process.

    Raises ``UsageError`` for what cannot be imported, collected or replaced.
    """
    found, start = request.entrants, time.perf_counter()
    known, progress = {entrant.id: entrant for entrant in found}, _Progress()

    def keep(attempt: Attempt) -> None:
        progress.attempts.setdefault(attempt.id, attempt)
        finished(known[attempt.id], attempt)

    while len(progress.attempts) < len(found):
        worker = started(_WORKER, {**asdict(request), "known": list(progress.attempts)})
        try:
            reason = _attended(worker, request, progress, keep)
        finally:
            worker.end()
        if not reason:
            break
        if not progress.begun:
            raise UsageError(f"{request.test} was not audited: before its first run, {reason}")
        keep(Attempt(progress.begun, Ending.DIED, reason))
        if progress.begun == FIRST:
            break
    for entrant in found:
        if entrant.id not in progress.attempts:
            keep(Attempt(entrant.id, Ending.LEFT_OUT, "the test does not come to its end on the reference"))
    seconds = time.perf_counter() - start
    return report_of(
        request.test,
        request.operation,
        found,
        progress.attempts.values(),
        progress.facts,
        seconds,
        progress.remarks,
    )


def _attended(worker: Worker, request: Request, progress: _Progress, keep: Callable[[Attempt], None]) -> str:
    """How a worker went wrong; empty if it came to its end."""
    limit = request.seconds + GRACE
    progress.begun = ""
    while True:
        try:
            told = worker.next(limit if progress.begun else START)
        except queue.Empty:
            return f"it did not return within {limit if progress.begun else START:g} s"
        if "failed" in told:
            raise UsageError(told["failed"])
        if "facts" in told:
            progress.facts = Facts(**{**told["facts"], **_tuples(told["facts"])})
            progress.remarks = tuple(told["remarks"])
        if "attempt" in told:
            attempt = attempt_of(told["attempt"])
            if attempt.id not in progress.attempts:
                keep(attempt)
        elif not told:
            return how_it_ended(worker.process.wait())
        if told.get("done"):
            return ""
        progress.begun = told.get("begun", progress.begun)


def _tuples(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}


def serve() -> None:
    """Try what standard input asks for, telling of it on standard output, which is no one else's."""
    told, tell = asked()
    known = set(told.pop("known"))
    request = Request(**told)
    try:
        if request.replace:
            suite = suite_of(request.test, request.replace)
            suite.run(lambda: _tell_all(request, known, tell, suite.tried, suite.original, suite.remarks))
        else:
            test = function_at(request.test)
            _tell_all(request, known, tell, lambda one, limit: tried(test, one, limit), None, list)
        tell(done=True)
    except VerifyError as error:
        tell(failed=str(error))


def _tell_all(
    request: Request,
    known: set[str],
    tell: Callable[..., None],
    run: Callable[[Any, float], Any],
    original: Any,
    remarks: Callable[[], list[str]],
) -> None:
    """Try each entrant that is not known, the reference first in any case."""
    runner = Runner(request.operation, run, request.seconds, original)
    for entrant in request.entrants:
        if entrant.id in known and entrant.id != FIRST:
            continue
        tell(begun=entrant.id)
        attempt = runner.attempt(entrant)
        if entrant.id == FIRST and runner.trace is not None:
            tell(facts=asdict(facts_of(runner.trace)), remarks=remarks())
        tell(attempt=plain(attempt))
