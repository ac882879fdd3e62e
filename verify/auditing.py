"""Auditing: a test run on right implementations and on wrong ones, to see which wrong ones it lets pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from verify.attempts import Attempt, Entrant, Runner, entrants
from verify.audit_findings import report_of
from verify.audit_report import AuditReport
from verify.checking import contract_of
from verify.errors import UsageError
from verify.facts import NO_FACTS, facts_of
from verify.operation import Operation
from verify.signatures import name_of
from verify.trial import tried
from verify.words import kind_of

SECONDS = 60.0
"""How long one run of a test may take, unless told otherwise."""


def audit(
    test: Callable[[Callable[..., Any]], Any],
    operation: str | Operation,
    *,
    grad: bool = True,
    only: Iterable[str] | None = None,
    time_limit: float | None = None,
    progress: Callable[[Entrant, Attempt], None] | None = None,
) -> AuditReport:
    """Find out which wrong implementations of an operation a test lets pass.

    ``test(implementation)`` raises, as a rule AssertionError, if it dislikes the implementation, which has
    the signature of its torch namesake (docs/operations.md). ``operation``: a name such as "cross_entropy".
    It is run once on each of some correct implementations and of all wrong ones that are certified
    (docs/audit.md), with all random generators at one seed. ``grad``: try wrong gradients too. ``only``:
    ids of wrong implementations, such as the survivors of an earlier audit, to try no others.
    ``time_limit``: seconds for one run, 60 if None; a run that takes longer is interrupted between two steps
    of Python code. ``progress`` is told of each run.

    Raises ``UsageError`` for a test that cannot be called, or an operation that is not known.
    """
    if not callable(test):
        raise UsageError(f"the test is {kind_of(test)}; give a function of one implementation")
    seconds = SECONDS if time_limit is None else time_limit
    if isinstance(seconds, bool) or not 0 < seconds < float("inf"):
        raise UsageError(f"time_limit is {time_limit!r}; give a number of seconds above 0, or None")
    name = contract_of(operation).name
    found = entrants(name, grad=grad, only=only)
    start = time.perf_counter()
    runner = Runner(name, lambda substitute, limit: tried(test, substitute, limit), seconds)
    attempts = []
    for entrant in found:
        attempts.append(runner.attempt(entrant))
        if progress is not None:
            progress(entrant, attempts[-1])
    facts = NO_FACTS if runner.trace is None else facts_of(runner.trace)
    return report_of(name_of(test), name, found, attempts, facts, time.perf_counter() - start)
