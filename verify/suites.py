"""Suites: the tests of a pytest suite, run again and again with one attribute replaced."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from verify.errors import UsageError
from verify.guard import HungError, guarded, limited
from verify.places import function_at
from verify.trial import Ending, Trial, ending_of, seeded

SHOWN = 3
"""Ids of tests that are named where several are meant."""


class _Switch:
    """A function in the place of another, which computes what is set at the time of the call."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self.current = original
        self.calls = 0

        @functools.wraps(original)
        def function(*given: Any, **named: Any) -> Any:
            self.calls += 1
            return self.current(*given, **named)

        self.function = function


@dataclass(slots=True)
class Suite:
    """The tests of a suite that pass on the implementation itself and call it.

    The attribute is replaced before anything is collected, so that ``from module import name`` in a test
    binds what can be switched.
    """

    arguments: list[str]
    switch: _Switch
    original: Callable[..., Any]
    items: list[pytest.Item] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    chosen: bool = False

    def run(self, action: Callable[[], None]) -> None:
        """Collect the suite, then do something; ``UsageError`` where it cannot be collected."""
        plugin = _Plugin(self, action)
        with _silent() as log:
            code = pytest.main(self.arguments, plugins=[plugin])
            reason = self._reason(int(code), log)
        if plugin.error is not None:
            raise plugin.error
        if not plugin.begun:
            raise UsageError(f"the suite cannot be run (pytest ends with {int(code)}): {reason}")

    def _reason(self, code: int, log: Path) -> str:
        if code == pytest.ExitCode.NO_TESTS_COLLECTED and not self.errors:
            return "no test was collected; pytest takes functions named test_* in files named test_*.py"
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("ERROR")] or lines[-SHOWN:]
        return "; ".join((self.errors or told)[:SHOWN])

    def remarks(self) -> list[str]:
        """What was noticed about the tests of the suite."""
        return self.noted

    def tried(self, implementation: Any, seconds: float) -> Trial:
        """Run the tests with an implementation until one fails, for at most so many seconds.

        The first time all tests are run, and those kept that pass and call the implementation.
        """
        self.switch.current = implementation
        start = time.perf_counter()
        try:
            with seeded(), limited(seconds, most=seconds), guarded():
                ending, told = self._all() if self.chosen else self._choose()
        except HungError as error:
            ending, told = Ending.HUNG, f"the suite did not end within {error.seconds:g} s"
        finally:
            self.switch.current = self.original
        return Trial(ending, told, time.perf_counter() - start)

    def _choose(self) -> tuple[Ending, str]:
        kept, failing, skipped = [], [], []
        for item in self.items:
            before = self.switch.calls
            outcome = self._one(item)
            called = self.switch.calls > before
            if outcome == "failed":
                failing.append(item.nodeid)
            elif outcome == "skipped":
                skipped.append(item.nodeid)
            elif called:
                kept.append(item)
        self.items, self.chosen = kept, True
        self.noted.append(f"tests of the suite that pass and call the implementation: {len(kept)}")
        for word, ids in (("fail", failing), ("are skipped", skipped)):
            if ids:
                more = ", ..." if len(ids) > SHOWN else ""
                told = f"tests that {word} as they are, and are left out: {len(ids)}, "
                self.noted.append(told + ", ".join(ids[:SHOWN]) + more)
        if not kept and failing:
            return Ending.FAILED, f"{failing[0]}: {self._said()}"
        return Ending.PASSED, ""

    def _all(self) -> tuple[Ending, str]:
        for item in self.items:
            if self._one(item) == "failed":
                ending, told = ending_of(self.raised[-1]) if self.raised else (Ending.FAILED, "")
                return ending, f"{item.nodeid}: {told}"
        return Ending.PASSED, ""

    def _one(self, item: pytest.Item) -> str:
        """How one test ends: passed, failed or skipped."""
        self.raised.clear()
        reports = runtestprotocol(item, log=False, nextitem=None)
        outcomes = {report.outcome for report in reports}
        return next((word for word in ("failed", "skipped") if word in outcomes), "passed")

    def _said(self) -> str:
        return ending_of(self.raised[-1])[1] if self.raised else "no message"


class _Plugin:
    """What hooks into pytest: it keeps what was collected, and runs the action in place of the tests."""

    def __init__(self, suite: Suite, action: Callable[[], None]) -> None:
        self._suite, self._action = suite, action
        self.begun = False
        self.error: Exception | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Write none of the reports that the configuration of the suite asks for; they are of other runs."""
        for name in ("verify_json", "verify_write_tests", "xmlpath"):
            if hasattr(config.option, name):
                setattr(config.option, name, None)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why something cannot be collected."""
        if report.failed:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            self._suite.errors.append(f"{report.nodeid}: {lines[-1].strip() if lines else 'no message'}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the action, where all was collected."""
        if session.testsfailed or not session.items:
            return None
        self.begun = True
        self._suite.items = list(session.items)
        try:
            self._action()
        except Exception as error:
            self.error = error
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep what a failing test raised."""
        report = yield
        if report.failed and call.excinfo is not None:
            self._suite.raised.append(call.excinfo.value)
        return report


def suite_of(target: str, attribute: str) -> Suite:
    """The suite at a path or in a module, with an attribute of the form package.module:name replaced.

    Raises ``UsageError`` for an attribute that cannot be replaced: a class, or one of torch itself.
    """
    original: Any = function_at(attribute)
    if isinstance(original, type):
        raise UsageError(f"{attribute} is a class; replace the function that computes, which it calls")
    if attribute.partition(":")[0].split(".")[0] == "torch":
        raise UsageError(f"{attribute} is what tests compare with; replace the function of your own package")
    switch = _Switch(original)
    module, _, path = attribute.partition(":")
    *owners, name = path.split(".")
    owner: Any = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, name, staticmethod(switch.function) if isinstance(owner, type) else switch.function)
    _replace_in_package(module.partition(".")[0], original, switch.function)
    where = [target] if os.path.exists(target.partition("::")[0]) else ["--pyargs", target]
    alone = ["-n", "0"] if find_spec("xdist") else []
    # With warnings as errors, that this package is imported already would end pytest before it begins.
    begun = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return Suite([*where, "-q", "-p", "no:cacheprovider", *begun, *alone], switch, original)


def _replace_in_package(package: str, original: Any, function: Callable[..., Any]) -> None:
    """Replace a function wherever a module of its package holds it by name, as one that exports it does."""
    for place, module in list(sys.modules.items()):
        if place.partition(".")[0] == package:
            for name, value in list(vars(module).items()):
                if value is original:
                    setattr(module, name, function)


@contextlib.contextmanager
def _silent() -> Iterator[Path]:
    """What is printed goes to a file, also what is printed by compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as file:
            kept = os.dup(1), os.dup(2)
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            try:
                yield log
            finally:
                os.dup2(kept[0], 1)
                os.dup2(kept[1], 2)
                os.close(kept[0])
                os.close(kept[1])
