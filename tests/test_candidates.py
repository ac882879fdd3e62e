"""Bad candidates: whatever a function does, its verdict says it, and the other verdicts are there."""

from __future__ import annotations

import functools
import io
import json
import os
import random
import sys
import time
import unittest
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
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


class _Backward(torch.autograd.Function):
    """Softmax of rows with a backward pass of one's own."""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int, action: Any) -> Any:
        """Softmax."""
        ctx.action = action
        ctx.dim = dim
        s = torch.softmax(x, dim)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """What the action makes of the right gradient."""
        (s,) = ctx.saved_tensors
        g = upstream[0] * s
        return ctx.action(g - s * g.sum(ctx.dim, keepdim=True)), None, None


def _back(action: Callable[[Any], Any]) -> Candidate:
    def softmax(x: Any, dim: int) -> Any:
        return _Backward.apply(x, dim, action)

    return softmax


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


SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "default dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "default device": (lambda: torch.set_default_device("meta"), torch.get_default_device),
    "grad mode": (lambda: torch.set_grad_enabled(True), torch.is_grad_enabled),
    "choice of deterministic algorithms": (
        lambda: torch.use_deterministic_algorithms(True),
        torch.are_deterministic_algorithms_enabled,
    ),
    "number of threads": (lambda: torch.set_num_threads(7), torch.get_num_threads),
    "autocast": (
        lambda: torch.set_autocast_enabled("cpu", True),
        lambda: torch.is_autocast_enabled("cpu"),
    ),
    "flushing of subnormal numbers": (
        lambda: torch.set_flush_denormal(True),
        lambda: sys.float_info.min * float("0.5"),
    ),
    "precision of matrix products": (
        lambda: torch.set_float32_matmul_precision("medium"),
        torch.get_float32_matmul_precision,
    ),
    "detection of anomalies": (
        lambda: torch.set_anomaly_enabled(True, False),
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
    ),
    "benchmarks of cuDNN": (
        lambda: setattr(torch.backends.cudnn, "benchmark", True),
        lambda: torch.backends.cudnn.benchmark,
    ),
    "random generator": (lambda: torch.manual_seed(1), lambda: torch.get_rng_state().tolist()),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_changed_setting_of_torch_is_a_side_effect_and_put_back(setting: str) -> None:
    """The result is right, and what comes after is not touched."""
    change, read = SETTINGS[setting]

    def careless(x: Any, dim: int) -> Any:
        result = torch.softmax(x, dim)
        change()
        return result

    before = read()
    value, side_effects = _check(careless, grad=False)
    assert (value.status, read()) == (Status.PASSED, before)
    assert side_effects.status is Status.REFUTED
    assert f"changes torch's {setting}" in side_effects.reason


def test_a_setting_changed_by_a_backward_pass_is_a_side_effect() -> None:
    """It is told where it happens."""
    results = _check(_back(lambda g: (torch.set_default_dtype(torch.float64), g)[1]))
    assert results[2].reason == "the call changes torch's default dtype in the backward pass"


def test_settings_of_the_caller_do_not_refute() -> None:
    """A gradient is computed with autograd, also where the caller has turned it off."""
    with torch.no_grad():
        assert _check(torch.softmax).holds
    with torch.inference_mode():
        assert _check(torch.softmax).holds


def test_a_check_leaves_the_random_numbers_of_the_caller() -> None:
    """Of torch and of Python."""
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(1).item(), random.random()
    torch.manual_seed(3)
    random.seed(3)
    _check(lambda x, dim: torch.softmax(x, dim) + 0 * torch.rand(1))
    assert (torch.rand(1).item(), random.random()) == expected


def dropped_out(x: Any, dim: int) -> Any:
    """Drops entries at random."""
    return functional.dropout(torch.softmax(x, dim), 0.5)


def test_a_result_that_is_drawn_at_random_is_a_side_effect() -> None:
    """Two calls draw differently, though one seed gives the same verdicts."""
    told = _check(dropped_out, grad=False)[1].reason
    assert told == "a second call with the same arguments gives another result"


def _into_one_buffer(right: Candidate) -> Candidate:
    known: dict[Any, Any] = {}

    def softmax(x: Any, dim: int) -> Any:
        buffer = known.setdefault(x.shape, torch.empty(x.shape, dtype=x.dtype))
        return buffer.copy_(right(x.detach(), dim))

    return softmax


def test_a_result_buffer_that_is_used_again_is_a_side_effect() -> None:
    """The second call would overwrite what the first returned."""
    side_effects = _check(_into_one_buffer(torch.softmax), grad=False)[1]
    assert side_effects.reason == "the results of two calls lie in the same memory"


def test_a_gradient_buffer_that_is_used_again_is_a_side_effect() -> None:
    """As for results."""
    known: dict[Any, Any] = {}
    into = _back(lambda g: known.setdefault(g.shape, torch.empty_like(g)).copy_(g))
    assert _check(into)[2].reason == "the gradients of two calls lie in the same memory in the backward pass"


def test_a_turned_input_is_a_side_effect() -> None:
    """Its memory is as it was, its shape is not."""

    def turns(x: Any, dim: int) -> Any:
        result = torch.softmax(x, dim)
        x.t_()
        return result

    assert _check(turns, grad=False)[1].reason == "the call changes input"


class Counting(torch.nn.Module):
    """Softmax that counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Any, dim: int) -> Any:
        """Softmax."""
        self.calls += 1
        return torch.softmax(x, dim)


def test_a_module_that_changes_its_buffers_is_told_so() -> None:
    """It is right otherwise."""
    results = _check(Counting())
    assert [v.reason for v in results] == ["", "", "the call changes the buffer calls"]


def test_the_messages_are_plain_data() -> None:
    """Verdicts about bad candidates can be written as JSON."""
    assert json.loads(_check(_raising(ValueError("\ud800 no"))).to_json())["status"] == "refuted"


class Smoothed(torch.nn.Module):
    """Cross-entropy as a module, without class weights."""

    def forward(self, x: Any, target: Any, reduction: str = "mean") -> Any:
        """Cross-entropy."""
        return functional.cross_entropy(x, target, reduction=reduction)


class Softmax(torch.autograd.Function):
    """Softmax by hand; autograd's old style."""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int = -1) -> Any:
        """Softmax."""
        ctx.dim = dim
        s = torch.softmax(x, dim)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The vector-Jacobian product."""
        (s,) = ctx.saved_tensors
        return s * (upstream[0] - (upstream[0] * s).sum(ctx.dim, keepdim=True)), None


class NewSoftmax(Softmax):
    """Softmax by hand; the style in which setup_context keeps what the backward pass needs."""

    @staticmethod
    def forward(x: Any, dim: int = -1) -> Any:  # type: ignore[override]
        """Softmax."""
        return torch.softmax(x, dim)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the result."""
        ctx.dim = inputs[1]
        ctx.save_for_backward(output)


@pytest.mark.parametrize("style", [Softmax, NewSoftmax])
def test_an_autograd_function_is_checked_by_its_apply(style: Any) -> None:
    """Its options are passed by position, as `apply` wants them."""
    results = _check(style.apply)
    assert [(v.status, v.reason) for v in results] == [(Status.PASSED, "")] * 3
    assert f"{style.__name__}.apply" in results[0].subject


class Halved(Softmax):
    """Half the gradient."""

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Half of it."""
        return Softmax.backward(ctx, upstream[0] / 2)


def test_a_wrong_autograd_function_is_refuted() -> None:
    """By its gradient alone."""
    results = verify.check(Halved.apply, "softmax", examples=20)
    assert [v.status for v in results] == [Status.PASSED, Status.REFUTED, Status.PASSED]


def test_a_module_is_asked_for_the_options_of_its_forward() -> None:
    """What it does not take is not applicable, by name."""
    results = verify.check(Smoothed(), "cross_entropy", examples=4)
    assert results.holds
    assert "label_smoothing" in results[0].reason


def test_a_partial_function_is_named_by_what_it_calls() -> None:
    """In the subject of its verdicts."""
    results = _check(functools.partial(torch.nn.functional.softmax, dtype=torch.float64), grad=False)
    assert "softmax with options as softmax: value" in results[0].subject


@pytest.fixture
def compiling() -> Iterator[None]:
    """What is compiled stays compiled, however many kinds of input it gets."""
    import torch._dynamo

    torch._dynamo.reset()
    with torch._dynamo.config.patch(recompile_limit=1000, fail_on_recompile_limit_hit=True):
        yield


def _compiled(function: Candidate) -> Candidate:
    compiled: Candidate = torch.compile(function, backend="eager", dynamic=True)
    return compiled


def by_hand(x: Any, dim: int) -> Any:
    """Softmax by its textbook algorithm."""
    e = torch.exp(x - x.amax(dim, keepdim=True).detach())
    return e / e.sum(dim, keepdim=True)


def unshifted(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    e = torch.exp(x)
    return e / e.sum(dim, keepdim=True)


@pytest.mark.usefixtures("compiling")
def test_a_compiled_function_is_checked() -> None:
    """Under its own name, with its own signature, and its compiler has no side effects."""
    results = _check(_compiled(by_hand))
    assert [(v.status, v.reason) for v in results] == [(Status.PASSED, "")] * 3
    assert "by_hand as softmax" in results[0].subject


@pytest.mark.usefixtures("compiling")
def test_a_wrong_compiled_function_is_refuted() -> None:
    """With a number and a script, as the function itself."""
    value = verify.check(_compiled(unshifted), "softmax", grad=False, examples=40, options={"dim": 1})[0]
    assert value.status is Status.REFUTED
    assert value.reproducer is not None
