"""Literals: the source of a tensor makes the same tensor, and is short."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import pytest
import torch

from verify.literals import PACKED, literal
from verify.tensors import same_bits

pytestmark = pytest.mark.torch


def _spread(dtype: Any) -> Any:
    """A table of many different numbers."""
    return torch.randn(3, 500, generator=torch.Generator().manual_seed(1)).to(dtype)


def _dominant() -> Any:
    table = torch.full((2, 50257), -0.0)
    table[1, 50256], table[0, 3] = 12.0, math.inf
    return table


TENSORS = {
    "number": torch.tensor(-1.5),
    "specials": torch.tensor([[0.0, -0.0, math.inf], [-math.inf, 5e-324, 1e300]], dtype=torch.float64),
    "nan": torch.tensor([math.nan, 1.0]),
    "labels": torch.tensor([3, 0, -100]),
    "wide": _dominant(),
    "constant": torch.ones(40, 40, dtype=torch.bfloat16),
    "wide labels": torch.arange(300) % 7,
    **{str(dtype): _spread(dtype) for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)},
}


@pytest.mark.parametrize("kind", TENSORS)
def test_a_literal_makes_the_tensor(kind: str) -> None:
    """Bit by bit, in shape and dtype."""
    tensor = TENSORS[kind]
    made = eval(literal(tensor), {"torch": torch, "zlib": zlib, "base64": base64})
    assert (made.shape, made.dtype, same_bits(made, tensor)) == (tensor.shape, tensor.dtype, True)


def test_a_wide_table_of_few_numbers_is_short() -> None:
    """One line of an editor."""
    assert len(literal(_dominant())) < 200


def test_a_wide_table_of_many_numbers_is_packed() -> None:
    """The bytes take less room than the digits."""
    text = literal(_spread(torch.float32))
    assert text.startswith(PACKED)
    assert len(text) < 9000
