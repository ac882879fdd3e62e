"""Values of the wrong kind, given to the functions of the package, get one line that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.errors import UsageError
from verify.floats import format_named
from verify.testing import parametrize_with_checks

pytestmark = pytest.mark.torch

WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a dtype of torch that cannot be checked": (
        lambda: verify.sweep(functional.softplus, "softplus", torch.int8),
        "dtype 'int8' of torch cannot be checked",
    ),
    "one dtype of torch for a tuple": (
        lambda: verify.check(torch.sigmoid, "sigmoid", dtypes=torch.bfloat16),  # type: ignore[arg-type]
        r"dtypes is torch.bfloat16; give a tuple of names, such as \('bfloat16',\)",
    ),
    "a number among dtypes": (
        lambda: verify.check(torch.sigmoid, "sigmoid", dtypes=(32,)),
        r"dtypes is \(32,\); give a tuple of names",
    ),
    "a device by its number": (
        lambda: verify.check(torch.sigmoid, "sigmoid", devices=(torch.device("cuda", 1),)),
        "unknown device 'cuda:1'; known: cpu, cuda",
    ),
    "an option of the command for an argument": (
        lambda: verify.sweep(functional.softplus, "softplus", "bfloat16", property="gradient"),
        "sweep has no argument 'property'; did you mean aspect?",
    ),
    "a misspelt argument": (
        lambda: verify.sweep(functional.softplus, "softplus", "bfloat16", jurnal="x"),
        "unknown argument of sweep 'jurnal'; did you mean journal?",
    ),
    "a number for the name of a claim": (lambda: verify.find(3), "unknown claim '3'"),  # type: ignore[arg-type]
    "nothing for a witness": (
        lambda: verify.replay(torch.sigmoid, None),  # type: ignore[arg-type]
        "the witness is a NoneType",
    ),
    "an id for a claim": (lambda: verify.prove("kl-one-hot"), "verify.find"),  # type: ignore[arg-type]
    "a word for a yes or no": (
        lambda: verify.check(torch.sigmoid, "sigmoid", grad="no"),  # type: ignore[arg-type]
        "grad is 'no'",
    ),
    "a number for the name of an option": (
        lambda: verify.check(torch.sigmoid, "sigmoid", options={1: 2}),  # type: ignore[dict-item]
        "unknown option of sigmoid '1'",
    ),
    "a word for a limit": (
        lambda: verify.assert_ulp(torch.ones(1), 1.0, max_ulp="a"),  # type: ignore[arg-type]
        "max_ulp = a",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_told_what_is_wrong(name: str) -> None:
    """With the value, and no traceback of what it broke inside."""
    call, told = WRONG[name]
    with pytest.raises(UsageError, match=told):
        call()


def test_dtypes_and_devices_of_torch_are_taken_for_their_names() -> None:
    """Wherever a dtype or a device is given; the verdicts name them as ever."""
    where = {"dtypes": [torch.float64], "devices": (torch.device("cpu"),)}
    results = verify.check(torch.sigmoid, "sigmoid", grad=False, examples=2, **where)  # type: ignore[arg-type]
    swept = verify.sweep(torch.sigmoid, "sigmoid", torch.bfloat16, device=torch.device("cpu"), span="1:2")
    assert results[0].subject.endswith("value in float64 on cpu")
    assert swept.subject.partition(" on cpu")[0].endswith("in bfloat16")
    assert format_named(torch.float16).name == "float16"


def test_the_decorator_takes_them_too() -> None:
    """The ids have the names."""
    mark = parametrize_with_checks([(torch.sigmoid, "sigmoid")], dtypes=(torch.float16,), grad=False).mark
    ids = [str(parameter.id) for parameter in mark.args[1]]
    assert ids[0] == "sigmoid-sigmoid-value-float16-cpu"
