"""Isolation: checks in a process of their own, so that one that ends or hangs is a finding."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from verify.calls import Call
from verify.checking import plan
from verify.display import shown_call
from verify.errors import UnavailableError, UsageError, VerifyError
from verify.places import function_at, operation_at
from verify.results import Results, plain, verdict_of
from verify.search import Search
from verify.verdict import Counterexample, Status, Verdict
from verify.worker import Worker, asked, how_it_ended, started

GRACE = 30.0
"""Seconds beyond twice its time limit that a property has, for its last call and its script."""

START = 120.0
"""Seconds in which a process must have begun, where there is a time limit."""

_WORKER = "from verify.isolation import serve; serve()"


def check_isolated(
    place: str, operation: str, how: Mapping[str, Any], finished: Callable[[Verdict], None]
) -> Results:
    """As `verify.check`, of the function at a place, in another process; each verdict as it comes.

    A property during which that process ends, or does not end in time (twice the time limit and
    ``GRACE`` seconds), is refuted by the call that was then made, and a new process judges the others.
    Raises ``UsageError`` as `verify.check` does, and ``UnavailableError`` where the process ends before the
    first check.
    """
    verdicts: list[Verdict] = []

    def keep(verdict: Verdict) -> None:
        verdicts.append(verdict)
        finished(verdict)

    while True:
        request = {"place": place, "operation": operation, "how": dict(how), "first": len(verdicts)}
        worker = started(_WORKER, request)
        try:
            subject, call, reason = _attended(worker, how.get("time_limit"), keep)
        finally:
            worker.end()
        if not reason:
            return Results(tuple(verdicts))
        if not subject:
            raise UnavailableError(f"{place} was not checked: before the next check began, {reason}")
        keep(_died(subject, call, reason))
        if len(verdicts) == worker.count:
            return Results(tuple(verdicts))


def _attended(
    worker: Worker, limit: float | None, keep: Callable[[Verdict], None]
) -> tuple[str, Sequence[Sequence[str]], str]:
    """The property during which a worker went wrong, its call, and how; all empty if it came to its end."""
    subject, call, patience = "", (), None if limit is None else 2 * limit + GRACE
    end = None if patience is None else time.monotonic() + max(patience, START)
    while True:
        try:
            told = worker.next(None if end is None else max(0.0, end - time.monotonic()))
        except queue.Empty:
            return subject, call, f"it did not return within {patience:g} s"
        if "failed" in told:
            raise UsageError(told["failed"])
        if "verdict" in told:
            keep(verdict_of(told["verdict"]))
        elif not told:
            return subject, call, how_it_ended(worker.process.wait())
        if told.get("done"):
            return "", (), ""
        if "call" in told:
            call = told["call"]
            continue
        subject, call, worker.count = told.get("begun", ""), (), told.get("count", worker.count)
        end = None if patience is None else time.monotonic() + (patience if subject else max(patience, START))


def _died(subject: str, call: Sequence[Sequence[str]], reason: str) -> Verdict:
    """The verdict on a property, with the call that ended the process or did not end."""
    verdict = Verdict(subject, Status.REFUTED, reason, "searched", level="stable")
    if not call:
        return verdict
    inputs = tuple((name, text) for name, text in call)
    return replace(verdict, counterexample=Counterexample(inputs, "", reason, math.inf, 0.0))


def serve() -> None:
    """Judge what standard input asks for, telling of it on standard output, which is no one else's."""
    request, tell = asked()
    try:
        searches = plan(function_at(request["place"]), operation_at(request["operation"]), **request["how"])
        for search in searches[request["first"] :]:
            tell(begun=search.subject, count=len(searches))
            if isinstance(search, Search):
                search.calling = partial(_tell_call, tell, search.dtype)
            tell(verdict=plain(search.verdict()))
        tell(done=True)
    except VerifyError as error:
        tell(failed=str(error))


def _tell_call(tell: Callable[..., Any], dtype: str, call: Call) -> None:
    tell(call=shown_call(call, dtype, outlined=True))
