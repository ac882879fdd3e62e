"""Values of the wrong kind, given to the functions of the package, get one line that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.errors import UsageError

pytestmark = pytest.mark.torch

WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a dtype of torch for the name of one": (
        lambda: verify.sweep(functional.softplus, "softplus", torch.bfloat16),  # type: ignore[arg-type]
        "torch.bfloat16",
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
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        call()
