"""The pytest plugin: options, a fixture and a summary; it loads nothing until a check is run."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

_SESSIONS: list[Session] = []

_OPTIONS = (
    ("examples", "N", int, "calls drawn for each check, in place of those that the tests ask for"),
    ("seed", "N", int, "seed of the calls, in place of that which the tests give"),
    ("json", "FILE", str, "write what every check came to as JSON"),
    ("write_tests", "FILE", str, "write findings as a test file that needs torch and pytest alone"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("lossproof", "checks of numeric functions (lossproof)")
    for name, metavar, kind, told in _OPTIONS:
        flag = f"--verify-{name.replace('_', '-')}"
        group.addoption(flag, dest=f"verify_{name}", metavar=metavar, type=kind, default=None, help=told)
    group.addoption(
        "--verify-require-device",
        dest="verify_require_device",
        metavar="DEVICE",
        action="append",
        default=None,
        help="fail where a check asks for this device and it is absent, or where no check ran on it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin a session; what the options say is looked at only if there are some."""
    session = Session(config)
    if any(session.option(name) is not None for name in (*(o[0] for o in _OPTIONS), "require_device")):
        from verify.ledger import refuse_options

        told = refuse_options(session.option)
        if told:
            raise pytest.UsageError(told)
    _SESSIONS.append(session)
    config.pluginmanager.register(session, "lossproof-session")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the session."""
    _SESSIONS[:] = [session for session in _SESSIONS if session.config is not config]


def running() -> Session | None:
    """The innermost session that is running; None where pytest runs without this plugin."""
    return _SESSIONS[-1] if _SESSIONS else None


@pytest.fixture
def verify_check() -> Any:
    """`verify.check`, whose findings fail the test: ``verify_check(my_loss, "cross_entropy")``."""
    from verify.testing import Checker

    return Checker()


class Session:
    """What the checks of one session came to; with xdist, each worker tells its controller."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.pending: list[str] = []
        """Entries of the item that is running, as text."""
        self.told: list[tuple[str, str]] = []
        """The id of an item with an entry of it."""

    def option(self, name: str) -> Any:
        """The value of an option of the plugin; None where it was not given."""
        return self.config.getoption(f"verify_{name}", None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send entries along with the report of the item; a test that does not make its check fails."""
        report = yield
        if report.when == "call" and report.passed and self._unmade(item):
            report.outcome = "failed"
            report.longrepr = "the test passes without making its check; call it, as in check()"
        if self.pending:
            report.verify_entries = self.pending  # type: ignore[attr-defined]
            self.pending = []
        return report

    def _unmade(self, item: pytest.Item) -> bool:
        """Whether an item has a check and nothing has been told of it."""
        check = getattr(item, "funcargs", {}).get("check")
        if type(check).__module__ != "verify.testing":
            return False
        return not self.pending and all(name != item.nodeid for name, _ in self.told)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the entries of an item."""
        self.told += [(report.nodeid, text) for text in getattr(report, "verify_entries", ())]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session in which nothing ran on a required device."""
        if self._ends() and self.option("require_device") and session.exitstatus == pytest.ExitCode.OK:
            from verify.ledger import entries_of, idle_devices

            if idle_devices(entries_of(self.told), self.option("require_device")):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what the checks came to, and write the files that were asked for."""
        if self._ends():
            import shlex

            from verify.ledger import close

            terminalreporter.section("lossproof")
            command = shlex.join(["pytest", *map(str, self.config.invocation_params.args)])
            for line in close(self.told, self.option, command):
                terminalreporter.write_line(line)

    def _ends(self) -> bool:
        """Whether there is something to say, and this is the process that says it."""
        asked = any(self.option(name) for name in ("json", "write_tests", "require_device"))
        collecting = self.config.option.collectonly
        return not hasattr(self.config, "workerinput") and not collecting and bool(self.told or asked)
