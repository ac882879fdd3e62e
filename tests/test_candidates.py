"""Bad candidates: whatever a function does, its verdict says it, and the other verdicts are there."""

from __future__ import annotations

import io
import json
import os
import time
import unittest
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
import torch

import verify
from verify.corpus.hand import changed_backward
from verify.results import Results
from verify.verdict import Status

pytestmark = pytest.mark.torch

Candidate = Callable[..., Any]


def _check(candidate: Candidate, name: str = "softmax", **how: Any) -> Results:
    return verify.check(candidate, name, examples=4, **how)


def _raising(error: BaseException) -> Candidate:
    def raises(x: Any, dim: int) -> Any:
        raise error

    return raises


def _returning(result: Callable[[Any], Any]) -> Candidate:
    def returns(x: Any, dim: int) -> Any:
        return result(torch.softmax(x, dim))

    return returns


class _Unreadable(Exception):
    """An exception that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError


class _Ended(KeyboardInterrupt):
    """Looks like Ctrl-C to `except KeyboardInterrupt`; it is the candidate's own."""


def endless(x: Any, dim: int) -> Any:
    """Never comes to an end by itself."""
    return endless(x, dim)


async def later(x: Any, dim: int) -> Any:
    """A result some other time."""
    return torch.softmax(x, dim)


def exits(x: Any, dim: int) -> Any:
    """Ends the process without a word."""
    os._exit(0)


def in_pieces(x: Any, dim: int) -> Iterator[Any]:
    """Row by row."""
    yield from torch.softmax(x, dim)


BAD_VALUES: dict[str, tuple[Candidate, str]] = {
    "raises": (_raising(ValueError("no")), "it raised ValueError: no"),
    "raises without a message": (_raising(AssertionError()), "it raised AssertionError: no message"),
    "raises what cannot be shown": (_raising(_Unreadable()), "its message cannot be read"),
    "raises an escape sequence": (_raising(ValueError("a\x1b[2Jb\nc")), "ValueError: a[2Jb"),
    "ends the program": (_raising(SystemExit(3)), "it ends the program: SystemExit: 3"),
    "ends the process": (exits, "it ends the program: SystemExit: 0"),
    "ends its generator": (_raising(GeneratorExit()), "it raised GeneratorExit"),
    "stops an iteration": (_raising(StopIteration()), "it raised StopIteration"),
    "raises a kind of Ctrl-C": (_raising(_Ended()), "it raised _Ended"),
    "skips the test": (_raising(unittest.SkipTest("not today")), "it raised SkipTest: not today"),
    "skips the pytest": (_raising(pytest.skip.Exception("not today")), "it raised Skipped: not today"),
    "recurses": (endless, "it raised RecursionError"),
    "memory": (_raising(MemoryError()), "it needs more memory than there is: MemoryError"),
    "torch memory": (lambda x, dim: torch.empty(2**55) + x, "it needs more memory than there is"),
    "shape": (_returning(lambda s: s.sum(1)), "the result has shape"),
    "dtype": (_returning(lambda s: s.double()), "the result is torch.float64; it should be torch.float32"),
    "whole": (_returning(lambda s: s.long()), "the result is torch.int64"),
    "complex": (_returning(lambda s: s + 0j), "the result is torch.complex64"),
    "device": (_returning(lambda s: s.to("meta")), "the result is on meta; it should be on cpu"),
    "sparse": (_returning(lambda s: s.to_sparse()), "the result is no dense tensor"),
    "nested": (_returning(lambda s: torch.nested.nested_tensor(list(s))), "the result is no dense tensor"),
    "float": (_returning(lambda s: s.sum().item()), "the result is a float, not a tensor"),
    "None": (_returning(lambda s: None), "the result is a NoneType, not a tensor"),
    "tuple": (_returning(lambda s: (s, s)), "the result is a tuple, not a tensor"),
    "list": (_returning(lambda s: s.tolist()), "the result is a list, not a tensor"),
    "array": (_returning(lambda s: s.numpy()), "the result is a ndarray, not a tensor"),
    "coroutine": (later, "the result is a coroutine, not a tensor"),
    "generator": (in_pieces, "the result is a generator, not a tensor"),
}


@pytest.mark.parametrize("kind", BAD_VALUES)
def test_what_is_no_result_is_refuted_in_words(kind: str) -> None:
    """Each verdict is there; that of the value says what came back, and the subject names the function."""
    candidate, told = BAD_VALUES[kind]
    value, side_effects = _check(candidate, grad=False)
    assert value.status is Status.REFUTED
    assert told in value.reason
    assert getattr(candidate, "__name__", "") in value.subject
    assert side_effects.status is Status.UNKNOWN


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_is_no_number_is_refuted(number: str) -> None:
    """With the input, as any wrong number."""
    value = _check(_returning(lambda s: s * float(number)), grad=False)[0]
    assert value.status is Status.REFUTED
    assert value.counterexample is not None


class _Awkward(torch.Tensor):
    """A tensor that does not tell its shape."""

    @property
    def shape(self) -> Any:  # type: ignore[override]
        """Not told."""
        raise RuntimeError


class _Secretive:
    """Softmax, an object none of whose attributes can be asked for."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __call__(self, x: Any, dim: int) -> Any:
        return torch.softmax(x, dim)


def freed(x: Any, dim: int) -> Any:
    """A result that is gone."""
    result = torch.softmax(x, dim)
    result.untyped_storage().resize_(0)
    return result


def faked(x: Any, dim: int) -> Any:
    """A tensor that only looks like one."""
    with torch._subclasses.fake_tensor.FakeTensorMode():
        return torch.empty(x.shape)


@pytest.mark.parametrize("candidate", [freed, faked], ids=lambda f: f.__name__)
def test_a_result_without_memory_is_refuted_in_words(candidate: Candidate) -> None:
    """It is not read."""
    reason = _check(candidate, grad=False)[0].reason
    assert reason == "the result has no memory in which its entries lie"


UNUSUAL: dict[str, Candidate] = {
    "subclass": _returning(lambda s: s.as_subclass(_Awkward)),
    "negative view": _returning(lambda s: torch._neg_view(-s)),
    "secretive": _Secretive(),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_an_unusual_function_or_result_is_checked_as_any(kind: str) -> None:
    """Only its numbers count."""
    assert [v.reason for v in _check(UNUSUAL[kind]) if not v] == []


def test_ctrl_c_interrupts() -> None:
    """What the user does is not the candidate's."""
    with pytest.raises(KeyboardInterrupt):
        _check(_raising(KeyboardInterrupt()))


def _back(action: Callable[[Any], Any]) -> Candidate:
    """Softmax with an action on its gradient."""
    return lambda x, dim: torch.softmax(changed_backward(x, action), dim)


def _back_raising(error: BaseException) -> Candidate:
    def action(g: Any) -> Any:
        raise error

    return _back(action)


def changed_before_its_backward_pass(x: Any, dim: int) -> Any:
    """Overwrites what the gradient is computed from."""
    e = torch.exp(x - x.amax(dim, keepdim=True).detach())
    s = e / e.sum(dim, keepdim=True)
    e.zero_()
    return s


def in_its_own_way(x: Any, dim: int) -> Any:
    """Subtracts the maximum in place from what autograd follows."""
    x -= x.amax(dim, keepdim=True)
    return torch.softmax(x, dim)


BAD_GRADIENTS: dict[str, tuple[Candidate, str]] = {
    "raises": (_back_raising(ValueError("no")), "its backward pass raised ValueError: no"),
    "ends the program": (_back_raising(SystemExit(3)), "its backward pass ends the program: SystemExit: 3"),
    "memory": (_back_raising(MemoryError()), "its backward pass needs more memory than there is"),
    "None": (_back(lambda g: None), "autograd knows no gradient"),
    "detached": (lambda x, dim: torch.softmax(x, dim).detach(), "the result is cut off from input"),
    "inference": (torch.inference_mode()(lambda x, dim: torch.softmax(x, dim)), "the result is cut off"),
    "constant": (lambda x, dim: torch.softmax(x.detach().requires_grad_(), dim), "cut off from input"),
    "overwritten": (changed_before_its_backward_pass, "modified by an inplace operation"),
}


@pytest.mark.parametrize("kind", BAD_GRADIENTS)
def test_what_is_no_gradient_is_refuted_in_words(kind: str) -> None:
    """The verdict of the gradient says why there is none, while that of the value stands."""
    candidate, told = BAD_GRADIENTS[kind]
    value, gradient, _ = _check(candidate)
    assert value.status is Status.PASSED
    assert gradient.status is Status.REFUTED
    assert told in gradient.reason


def test_a_function_that_computes_in_place_is_told_how_to_say_so() -> None:
    """Autograd does not let it, and neither do entries that share their memory."""
    told = [verdict.reason for verdict in verify.check(in_its_own_way, "softmax", examples=40)]
    assert "a function that computes in place says so by verify.adapters.in_place" in told[0]
    assert "a function that computes in place says so by verify.adapters.in_place" in told[1]
    assert told[2] == "the call changes input"


def asleep(x: Any, dim: int) -> Any:
    """Sleeps for longer than anybody waits."""
    time.sleep(30)
    return torch.softmax(x, dim)


def test_a_candidate_that_hangs_is_refuted() -> None:
    """It is called once for each verdict, interrupted, and not called again to make the input smaller."""
    start = time.monotonic()
    value, side_effects = _check(asleep, grad=False, time_limit=0.5)
    assert (value.status, value.reason) == (Status.REFUTED, "it did not return within 0.5 s")
    assert side_effects.status is Status.UNKNOWN
    assert "it did not return within 0.5 s" in side_effects.reason
    assert time.monotonic() - start < 10


def test_a_backward_pass_that_hangs_is_refuted() -> None:
    """Also inside autograd."""
    value, gradient, _ = _check(_back(lambda g: time.sleep(30)), time_limit=0.5)
    assert value.status is Status.PASSED
    assert gradient.reason == "its backward pass did not return within 0.5 s"


def test_what_a_candidate_prints_goes_to_standard_error() -> None:
    """Standard output is for results."""

    def chatty(x: Any, dim: int) -> Any:
        print("here")
        return torch.softmax(x, dim)

    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        results = _check(chatty)
    assert (results.holds, out.getvalue()) == (True, "")
    assert "here" in errors.getvalue()


def test_a_candidate_may_warn() -> None:
    """In both passes; a warning is no finding, and filters that it sets do not stay."""

    def worried(x: Any, dim: int) -> Any:
        warnings.warn("deprecated", stacklevel=1)
        warnings.simplefilter("error")
        return _back(lambda g: warnings.warn("deprecated", stacklevel=1) or g)(x, dim)

    before = list(warnings.filters)
    assert _check(worried).holds
    assert list(warnings.filters) == before


def test_the_messages_are_plain_data() -> None:
    """Verdicts about bad candidates can be written as JSON."""
    assert json.loads(_check(_raising(ValueError("\ud800 no"))).to_json())["status"] == "refuted"
