"""Testing: checks as items of pytest, one for each candidate, operation, property, dtype and device."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

import _verify_pytest
from verify.adapters import from_jax, from_numpy, in_place
from verify.assertions import finding
from verify.backends import load_torch, require_device
from verify.cases import read_witness
from verify.checking import contract_of, names_given, plan, replay
from verify.contexts.heights import Height
from verify.errors import UnavailableError, UsageError, VerifyError, unknown
from verify.expected import Expected
from verify.floats import Device, Dtype
from verify.ledger import Entry
from verify.operation import Operation
from verify.record import check_id
from verify.results import Results
from verify.signatures import name_of
from verify.standalone import standalone_test
from verify.sweeps.everywhere import MARK
from verify.verdict import Status, Verdict
from verify.words import kind_of

__all__ = [
    "Check",
    "Checker",
    "Expected",
    "UnexpectedPassWarning",
    "from_jax",
    "from_numpy",
    "in_place",
    "parametrize_with_checks",
]


class UnexpectedPassWarning(UserWarning):
    """What was expected to fail, and need not, no longer fails."""


@dataclass(frozen=True, slots=True)
class Check:
    """One property of one candidate in one dtype on one device; calling it checks it.

    ``id`` names it: candidate, operation, property, dtype and device, joined by "-". ``how`` has the
    other arguments of `verify.check`. A finding fails the test, a device that is absent skips it, and
    of an ``expected`` failure the witness alone is judged. ``subject``: what its verdict is about, in words.
    """

    id: str
    candidate: Callable[..., Any] = field(repr=False)
    operation: str | Operation = field(repr=False)
    aspect: str
    dtype: str
    device: str
    how: Mapping[str, Any] = field(repr=False)
    subject: str = field(repr=False)
    expected: Expected | None = field(default=None, repr=False)

    def __call__(self) -> None:
        """Check it, within the test that is running."""
        __tracebackhide__ = True
        _settle_expiry(self)
        _settle_absence(self.device, self.subject, self.expected)
        if self.expected is not None:
            verdict = replay(self.candidate, self.expected.text(), operation=self.operation)
            _settle_expected(self.expected, verdict, self.device)
            return
        searches = plan(
            self.candidate,
            self.operation,
            dtypes=(self.dtype,),
            devices=(self.device,),
            **_asked(self.how),
        )
        search = next(search for search in searches if search.aspect == self.aspect)
        _settle(search.verdict(), self.dtype, self.device)


@dataclass(frozen=True, slots=True)
class Checker:
    """What the fixture ``verify_check`` gives: `verify.check`, and a finding fails the test."""

    def __call__(
        self,
        candidate: Callable[..., Any],
        operation: str | Operation,
        *,
        dtypes: Sequence[Dtype] = ("float32",),
        devices: Sequence[Device] = ("cpu",),
        **how: Any,
    ) -> Results:
        """Check all properties; skip the test where one of the devices is absent.

        The arguments are those of `verify.check`, and so are the results.
        """
        __tracebackhide__ = True
        dtypes = names_given("dtypes", dtypes, "float32", "bfloat16")
        devices = names_given("devices", devices, "cpu", "cuda")
        about = f"{name_of(candidate)} as {contract_of(operation).name}: all properties in {','.join(dtypes)}"
        for device in devices:
            _settle_absence(device, f"{about} on {device}")
        searches = plan(candidate, operation, dtypes=dtypes, devices=devices, **_asked(how))
        results = Results(tuple(search.verdict() for search in searches))
        for verdict, search in zip(results, searches, strict=True):
            _tell(Entry.of(verdict, search.device, standalone_test(verdict, search.dtype, search.device)))
        if not results.holds:
            pytest.fail(finding(results), pytrace=False)
        return results


def parametrize_with_checks(
    subjects: Iterable[Any],
    *,
    dtypes: Sequence[Dtype] = ("float32",),
    devices: Sequence[Device] = ("cpu",),
    grad: bool = True,
    level: str = "stable",
    height: Height = None,
    options: Mapping[str, Any] | None = None,
    examples: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    expected: Mapping[str, Expected] | None = None,
) -> pytest.MarkDecorator:
    """Decorate a test ``def test_losses(check): check()`` so that each check is an item of its own.

    ``subjects``: pairs of a candidate and an operation, or its name; a third entry names the candidate
    where its own name will not do. The ids of the items are made of candidate, operation, property,
    dtype and device, such as "my_loss-cross_entropy-gradient-bfloat16-cpu". ``expected`` says by id
    which checks are known to fail. The other arguments are those of `verify.check`; the options
    ``--verify-examples`` and ``--verify-seed`` of pytest replace theirs. Raises ``UsageError``, and so
    an error of the collection, where nothing is selected, where a name is not known, where two checks
    have one id, and for a key of ``expected`` that is no id or whose witness is for another check.
    """
    __tracebackhide__ = True
    how = {
        "grad": grad,
        "level": level,
        "height": height,
        "options": options,
        "examples": examples,
        "seed": seed,
        "time_limit": time_limit,
    }
    try:
        if not isinstance(subjects, Iterable):
            raise UsageError(f"subjects is {kind_of(subjects)}; give a list of pairs (candidate, operation)")
        if not isinstance(expected or {}, Mapping):
            raise UsageError(f"expected is {kind_of(expected)}; give a mapping from id to Expected")
        checks = _checks(subjects, dtypes, devices, how, dict(expected or {}))
    except VerifyError as error:
        raise UsageError(str(error)) from None
    return pytest.mark.parametrize("check", [pytest.param(check, id=check.id) for check in checks])


def _checks(
    subjects: Iterable[Any],
    dtypes: Sequence[Dtype],
    devices: Sequence[Device],
    how: Mapping[str, Any],
    expected: dict[str, Expected],
) -> list[Check]:
    checks: dict[str, Check] = {}
    for subject in subjects:
        if not (isinstance(subject, tuple) and len(subject) in (2, 3)):
            raise UsageError(
                f"{subject!r} is no pair; give (candidate, operation) or (candidate, operation, name)"
            )
        candidate, operation, *named = subject
        for search in plan(candidate, operation, dtypes=dtypes, devices=devices, **how):
            name = named[0] if named else getattr(candidate, "__name__", type(candidate).__name__)
            parts = (name, search.contract.name, search.aspect, search.dtype, search.device)
            key = check_id(*map(str, parts))
            if key in checks:
                raise UsageError(
                    f"two checks have the id {key}; give one of the candidates another name, as in "
                    f"(candidate, {search.contract.name!r}, 'name'), and list each dtype and device once"
                )
            _ = absence(search.device)
            known = expected.get(key)
            where = search.aspect, search.dtype, search.device
            check = Check(key, candidate, operation, *where, how, search.subject, known)
            checks[key] = check
            if known is not None:
                _require_witness_of(check, known)
    if not checks:
        raise UsageError("nothing is selected; give at least one candidate, one dtype and one device")
    for key in expected:
        if key not in checks:
            raise unknown("id in expected", key, checks)
    return list(checks.values())


def _require_witness_of(check: Check, expected: Any) -> None:
    """Raise ``UsageError`` unless an expectation has a witness of this very check."""
    if not isinstance(expected, Expected):
        raise UsageError(f"expected[{check.id!r}] is {expected!r}; give an Expected(reason, witness=...)")
    contract = contract_of(check.operation)
    case = read_witness(
        expected.text(), lambda name: contract if name == contract.name else contract_of(name)
    )
    found = (case.call.contract.name, case.aspect, case.dtype, case.device)
    aspect = check.aspect.partition(MARK)[0]
    if found != (contract.name, aspect, check.dtype, check.device):
        raise UsageError(f"the witness expected for {check.id} is one for {' '.join(found)}")


def _asked(how: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a check, with what the command line of pytest replaces."""
    session = _verify_pytest.running()
    given = {"examples": session.option("examples"), "seed": session.option("seed")} if session else {}
    return {**how, **{name: value for name, value in given.items() if value is not None}}


def _tell(entry: Entry) -> None:
    """Hand an entry to the session, if the plugin runs one."""
    session = _verify_pytest.running()
    if session is not None:
        session.pending.append(entry.to_json())


def absence(device: str) -> str:
    """Why nothing can be run on a device; empty where it is present. ``UsageError`` for an unknown one."""
    try:
        require_device(device)
    except UnavailableError as error:
        return f"{error}; run this on a machine that has it, or leave {device!r} out of devices"
    return ""


def _settle_absence(device: str, subject: str, expected: Expected | None = None) -> None:
    """Skip the test where a device is absent, or fail it where that device is required."""
    __tracebackhide__ = True
    reason = absence(device)
    if not reason:
        return
    session = _verify_pytest.running()
    required = session is not None and device in (session.option("require_device") or ())
    _tell(Entry("not run", device, reason, subject=subject, expected=expected.plain() if expected else None))
    if required:
        pytest.fail(f"not run, and --verify-require-device={device} asks for it: {reason}", pytrace=False)
    pytest.skip(f"not run: {reason}")


def _settle_expiry(check: Check) -> None:
    """Fail the test whose expectation is over."""
    __tracebackhide__ = True
    expected = check.expected
    version = str(load_torch().__version__)
    if expected is None or not expected.expired(datetime.date.today(), version):
        return
    told = f"the expectation {expected.reason!r} expired ({expected.expires}, torch is {version})"
    _tell(Entry("expired", check.device, told, subject=check.subject, expected=expected.plain()))
    pytest.fail(f"{told}; see whether it still fails, then renew or remove the Expected", pytrace=False)


def _settle_expected(expected: Expected, verdict: Verdict, device: str) -> None:
    """End the test as an expected failure, or say that it is none any more."""
    __tracebackhide__ = True
    known = expected.plain()
    if verdict.status is Status.REFUTED:
        _tell(Entry.of(verdict, device, outcome="expected", expected=known))
        pytest.xfail(expected.reason)
        _fail(verdict)  # with --runxfail an expected failure is a failure
    if verdict.status is Status.UNKNOWN:
        _tell(Entry.of(verdict, device, expected=known))
        pytest.fail(f"the witness of {expected.reason!r} was not judged: {verdict.reason}", pytrace=False)
    _tell(Entry.of(verdict, device, outcome="unexpected pass", expected=known))
    told = f"unexpected pass of {verdict.subject}: remove the Expected({expected.reason!r}, ...)"
    if expected.strict:
        pytest.fail(f"{told}, so that the property is searched again", pytrace=False)
    warnings.warn(told, UnexpectedPassWarning, stacklevel=3)


def _settle(verdict: Verdict, dtype: str, device: str) -> None:
    """Fail the test unless the verdict holds."""
    __tracebackhide__ = True
    _tell(Entry.of(verdict, device, standalone_test(verdict, dtype, device)))
    if not verdict.applicable:
        pytest.skip(verdict.reason)
    if not verdict:
        _fail(verdict)


def _fail(verdict: Verdict) -> NoReturn:
    __tracebackhide__ = True
    pytest.fail(finding(Results((verdict,))), pytrace=False)
