"""Results, assertions and errors: what a user of the verifier sees."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.assertions import finding
from verify.errors import UsageError
from verify.operations.softmax import softmax
from verify.results import Results
from verify.verdict import Status, Verdict

pytestmark = pytest.mark.torch


def _value(candidate: Any, operation: Any = "softmax", **how: Any) -> Verdict:
    return verify.check(candidate, operation, grad=False, examples=10, **how)[0]


def test_results_are_printed_as_a_line_for_each_verdict() -> None:
    """One of a gradient that a function does not offer says so, and not that it is unknown."""
    verdicts = (
        Verdict("f as g: value", Status.PASSED, "why", inputs=3, worst_ratio=0.25),
        Verdict("f as g: gradient of y", Status.UNKNOWN, "why", applicable=False),
        Verdict("f as g: gradient", Status.REFUTED, "why"),
    )
    assert str(Results(verdicts)).splitlines() == [
        "f as g: value          passed, 3 calls, worst error 0.25 times what is allowed: why",
        "f as g: gradient of y  not applicable",
        "f as g: gradient       refuted",
    ]


def test_a_table_says_once_what_is_common() -> None:
    """The function above, and below, by number, what has to be known of several verdicts."""
    verdicts = (
        Verdict("f as g: value", Status.PASSED, "why", inputs=1, worst_ratio=0.25),
        Verdict("f as g: gradient", Status.REFUTED, inputs=2000, worst_ratio=math.inf, counts={}),
        Verdict("f as g: side effects", Status.PASSED, "why", inputs=3),
    )
    assert [line for line, _ in Results(verdicts).table()] == [
        "f as g",
        "  value         passed, 1 call, worst error 0.25 times what is allowed [1]",
        "  gradient      refuted, 2,000 inputs, worst error beyond what is allowed",
        "  side effects  passed, 3 calls [1]",
        "  [1] why",
    ]


def test_there_is_a_verdict_for_each_dtype_and_property() -> None:
    """In the order of devices, dtypes and properties."""
    results = verify.check(torch.sigmoid, "sigmoid", dtypes=("float32", "float16"), examples=2)
    told = [verdict.subject.partition(": ")[2] for verdict in results]
    everywhere = [f"{aspect} of every input of sigmoid(x)" for aspect in ("value", "gradient")]
    assert told == [
        f"{aspect} in {dtype} on cpu"
        for dtype, further in (("float32", []), ("float16", everywhere))
        for aspect in ("value", "gradient", "side effects", *further)
    ]


def test_the_same_seed_gives_the_same_verdicts() -> None:
    """A run can be repeated."""
    first, second = (verify.check(torch.sigmoid, "sigmoid", examples=20, seed=5) for _ in range(2))
    assert first == second


def test_nothing_checked_is_unknown() -> None:
    """No verdict is not a pass."""
    assert Results().status is Status.UNKNOWN


def test_an_absent_device_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not run is never counted as passed."""
    monkeypatch.setattr("verify.backends.devices_present", lambda: ("cpu",))
    assert _value(functional.softmax, devices=("cuda",)).status is Status.UNKNOWN


def test_the_worst_is_the_refuted_one() -> None:
    """Status comes first, then the ratio."""
    passed = Verdict("a", Status.PASSED, worst_ratio=0.9)
    refuted = Verdict("b", Status.REFUTED, worst_ratio=3.0)
    assert Results((passed, refuted, replace(refuted, subject="c", worst_ratio=2.0))).worst is refuted


def test_json_keeps_infinite_numbers() -> None:
    """In the way of the reports."""
    told = json.loads(Results((Verdict("a", Status.REFUTED, worst_ratio=math.inf),)).to_json())
    assert told["verdicts"][0]["worst_ratio"] == {"$number": "inf"}


def softmax_without_shift(x: Any, dim: int) -> Any:
    """Overflows."""
    return torch.exp(x) / torch.exp(x).sum(dim, keepdim=True)


def test_the_message_says_it_all_in_seven_lines() -> None:
    """Result, exact value, error, allowed, input, options, reason."""
    with pytest.raises(AssertionError) as caught:
        verify.assert_holds(verify.check(softmax_without_shift, "softmax", grad=False))
    heads = [line.partition(":")[0] for line in str(caught.value).splitlines()[:7]]
    assert heads == ["refuted", "got", "exact", "error", "input", "options", "reason"]


def test_results_that_hold_raise_nothing() -> None:
    """The one line of a test that passes."""
    verify.assert_holds(verify.check(functional.softmax, "softmax", examples=5))


def test_unknown_results_do_not_hold() -> None:
    """A test that checked nothing must not pass."""
    with pytest.raises(AssertionError, match="unknown: nothing was checked"):
        verify.assert_holds(Results())


def _raises(x: Any, dim: int) -> Any:
    raise ValueError("three rows at least")


BAD = {
    "raises": (_raises, "it raised ValueError: three rows at least"),
    "float": (lambda x, dim: 1.0, "the result is a float, not a tensor"),
    "shape": (lambda x, dim: x.sum() * 1, "the result has shape"),
    "dtype": (lambda x, dim: torch.softmax(x, dim).double(), "the result is torch.float64"),
    "nan": (lambda x, dim: x * math.nan, "element 0 of the result is nan, where the exact value is a number"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_candidate_is_refuted_with_its_reason(kind: str) -> None:
    """What it did is a sentence, and there is an input."""
    candidate, reason = BAD[kind]
    verdict = _value(candidate)
    assert (verdict.status, verdict.reason.startswith(reason)) == (Status.REFUTED, True)


def test_a_result_cut_off_from_its_input_is_refuted() -> None:
    """A gradient that autograd does not know is wrong, not absent."""
    results = verify.check(lambda x, dim: torch.softmax(x.detach(), dim), "softmax", examples=5)
    assert results[1].reason == "the result is cut off from input: autograd knows no gradient"


def test_a_result_that_is_the_input_is_refuted() -> None:
    """The caller would change one by changing the other."""
    results = verify.check(lambda x, dim: x.exp_(), "softmax", grad=False, examples=5)
    assert results[1].status is Status.REFUTED


def test_a_result_in_the_memory_of_the_input_is_refuted() -> None:
    """A view of the input is no result."""
    results = verify.check(lambda x, dim: x[:], "softmax", grad=False, examples=5)
    assert results[1].reason == "the result lies in the memory of input"


def test_a_result_that_differs_from_call_to_call_is_refuted() -> None:
    """The same arguments give the same bits."""
    results = verify.check(lambda x, dim: torch.softmax(x, dim) + torch.rand(1), "softmax", grad=False)
    assert results[1].reason == "a second call with the same arguments gives another result"


def test_options_that_a_candidate_lacks_are_not_applicable() -> None:
    """They are left out and named."""
    verdict = _value(lambda x, target: functional.cross_entropy(x, target), "cross_entropy")
    lacking = "reduction, weight, ignore_index, label_smoothing"
    assert verdict.reason == f"not applicable: 4 options that it does not take: {lacking}"


def test_an_option_that_is_built_in_is_taken_around_the_function() -> None:
    """What is asked for and not taken is unknown, and the reason says how to have it checked."""
    loss, asked = torch.nn.CrossEntropyLoss(reduction="sum"), {"reduction": "sum"}
    bare, *_ = verify.check(loss, "cross_entropy", options=asked, examples=5, grad=False)
    assert bare.status is Status.UNKNOWN
    assert bare.reason.endswith("give lambda *tensors, reduction: f(*tensors) in the place of f")
    around = lambda *tensors, reduction: loss(*tensors)  # noqa: E731
    assert verify.check(around, "cross_entropy", options=asked, examples=5, grad=False).holds


def test_a_candidate_that_takes_no_call_is_unknown() -> None:
    """Nothing was checked, and the reason says why."""
    assert _value(lambda: 0).status is Status.UNKNOWN


def test_the_time_limit_ends_the_search() -> None:
    """A slow candidate is checked on fewer inputs, and the verdict says so."""
    verdict = _value(lambda x, dim: (time.sleep(0.05), torch.softmax(x, dim))[1], time_limit=0.1)
    assert "stopped by the time limit" in verdict.reason


def test_a_fixed_option_is_the_only_one_drawn() -> None:
    """A fault of another reduction is not looked for."""
    results = verify.check(
        lambda x, target, reduction: functional.cross_entropy(x, target, reduction="sum"),
        "cross_entropy",
        options={"reduction": "sum"},
        examples=20,
    )
    assert results.holds


def test_an_operation_of_ones_own_can_be_checked() -> None:
    """An Operation is data: a contract of another name does as well."""
    assert softmax.contract is not None
    mine = replace(softmax, id="mine", contract=replace(softmax.contract, name="mine"))
    assert "as mine: value" in _value(functional.softmax, mine).subject


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "operation": ({"operation": "sofmax"}, "unknown operation 'sofmax'; did you mean softmax"),
    "no contract": (
        {"operation": replace(softmax, id="bare", contract=None)},
        "the operation 'bare' has no contract",
    ),
    "dtype": ({"dtypes": ("float8",)}, "unknown dtype 'float8'"),
    "dtypes": ({"dtypes": "float32"}, "dtypes is 'float32'; give a tuple"),
    "device": ({"devices": ("tpu",)}, "unknown device 'tpu'"),
    "option": ({"options": {"axis": 1}}, "unknown option of softmax 'axis'"),
    "value": ({"options": {"dim": 7}}, "option dim of softmax is 7; give a whole number from -3 to 2"),
    "level": ({"level": "exact"}, "unknown level 'exact'"),
    "examples": ({"examples": 0}, "examples is 0; give a whole number from 1"),
    "dtype of torch": ({"dtypes": ("float8_e4m3fn",)}, "dtype 'float8_e4m3fn' of torch cannot be checked"),
    "dtype by another name": ({"dtypes": ("half",)}, "unknown dtype 'half'; did you mean float16?"),
    "no dtypes": ({"dtypes": None}, "dtypes is None; leave it out for float32, or give a tuple"),
    "no devices": ({"devices": None}, "devices is None; leave it out for cpu, or give a tuple"),
    "candidate": ({"candidate": 3}, "the candidate is an int; give a function that can be called"),
    "class of modules": (
        {"candidate": torch.nn.Softmax},
        "the candidate is Softmax, a class of modules; give an instance, such as Softmax()",
    ),
    "class of autograd": (
        {"candidate": torch.autograd.Function},
        "the candidate is Function, a class of autograd; give its function, Function.apply",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_of_the_caller_is_one_line(kind: str) -> None:
    """The value, the rule that it broke, a way out."""
    changes, message = MISTAKES[kind]
    arguments = {"candidate": functional.softmax, "operation": "softmax", **changes}
    with pytest.raises(UsageError) as caught:
        verify.check(**arguments)
    assert str(caught.value).startswith(message)


def lifted(x: Any, dim: int) -> Any:
    """A softmax that makes 1 of what is tiny."""
    shares = torch.softmax(x, dim)
    return torch.where(shares < 2.0**-140, torch.ones_like(shares), shares)


def test_an_error_far_beyond_its_exact_value_is_told_without_ulps_first() -> None:
    """1e44 ulp of a number near 0 are an error of 1."""
    results = verify.check(lifted, "softmax", grad=False, examples=60)
    with pytest.raises(AssertionError) as caught:
        verify.assert_holds(results)
    error, reason = (str(caught.value).splitlines()[line] for line in (3, 6))
    assert re.match(
        r"error:   1 absolute, allowed \S+e-3\d, as the exact value is \S+ \(\S+e\+\d\d ulp", error
    )
    assert re.search(r"is off by 1, where the standard algorithm may be off by \S+e-3\d", reason)


def off_where_many_differ(x: Any, dim: int) -> Any:
    """A softmax that is off for tables of many different numbers, which cannot be made plain."""
    shares = torch.softmax(x, dim)
    return 2 * shares if x.unique().numel() > 2000 else shares


def test_a_finding_about_thousands_of_numbers_is_short() -> None:
    """The script and the witness hold all of them, and are printed as their lengths."""
    results = verify.check(off_where_many_differ, "softmax", grad=False)
    assert "b64decode" in (results[0].reproducer or "")
    told = finding(results)
    assert re.search(r"\nscript:  \d+,\d{3} characters long; .*\n\nwitness: \d+,\d{3} characters", told)
    assert max(map(len, told.splitlines())) < 600


def test_assert_ulp_compares_with_the_unrounded_value() -> None:
    """The float32 next to 1/3 is within half an ulp of it."""
    verify.assert_ulp(torch.tensor([1 / 3]), [Fraction(1, 3)], max_ulp=0.5)


def test_assert_ulp_names_the_worst_element() -> None:
    """Three ulps are more than one."""
    with pytest.raises(AssertionError, match=r"the worst is 1\n.*\n.*\nerror:   3 ulp"):
        verify.assert_ulp(torch.tensor([1.0, 1 + 3 * 2**-23]), [1, 1], max_ulp=1)


def test_assert_ulp_rejects_nan() -> None:
    """A nan is not close to anything."""
    with pytest.raises(AssertionError):
        verify.assert_ulp(torch.tensor(math.nan), 1, bound=1e9)


def test_assert_ulp_says_that_nan_is_no_exact_value() -> None:
    """Also where nan was returned, as it is compared with nothing."""
    with pytest.raises(UsageError, match=r"exact is nan at element 1, .* torch\.isnan"):
        verify.assert_ulp(torch.tensor([1.0, math.nan]), [1, math.nan], max_ulp=1)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float8_e4m3fn], ids=str)
def test_assert_ulp_names_a_dtype_that_it_does_not_take(dtype: torch.dtype) -> None:
    """And those that it does."""
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(UsageError, match=f"actual is a tensor of {name}; give one of float16, bfloat16"):
        verify.assert_ulp(torch.ones(1, dtype=dtype), 1, max_ulp=1)


def test_assert_ulp_needs_a_limit() -> None:
    """Without one nothing would be asserted."""
    with pytest.raises(UsageError, match="say how much error is allowed"):
        verify.assert_ulp(torch.tensor(1.0), 1)


def test_tensors_of_stride_0_can_be_compared() -> None:
    """The gradient of a sum over one row is one number, expanded."""
    results = verify.check(lambda x, dim: x.sum(dim), "logsumexp", dtypes=("bfloat16",), examples=30)
    assert results[2].status is Status.PASSED
