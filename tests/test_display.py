"""Display: tensors in hex floats, wide ones by what is not alike."""

from __future__ import annotations

import pytest
import torch

from verify.display import hex_text, shown_tensor

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("number", [0.0, 12.0, -0.1, 5e-324, 1.7976931348623157e308, 1e-40])
def test_hex_is_exact(number: float) -> None:
    """The text is the number, to the bit."""
    assert float.fromhex(hex_text(number)) == number


def test_hex_has_no_needless_digits() -> None:
    """As people write it."""
    assert [hex_text(12.0), hex_text(1.0), hex_text(float("-inf"))] == ["0x1.8p+3", "0x1p+0", "-inf"]


def test_a_short_tensor_is_shown_whole() -> None:
    """As nested lists; labels are whole numbers."""
    assert shown_tensor(torch.tensor([[1.5, 0.0]])) == "[[0x1.8p+0, 0x0p+0]]"
    assert shown_tensor(torch.tensor([3, 0])) == "[3, 0]"
    assert shown_tensor(torch.tensor(-2.0)) == "-0x1p+1"


def test_a_wide_tensor_is_shown_by_what_is_not_alike() -> None:
    """The place of the one entry that matters is seen at once."""
    table = torch.zeros(2, 50257)
    table[0, 50256] = 12
    assert shown_tensor(table) == "(2, 50257) tensor, 0x0p+0 but [0, 50256] = 0x1.8p+3"


def test_a_wide_tensor_of_many_numbers_says_how_many_are_left_out() -> None:
    """Six are shown."""
    assert shown_tensor(torch.arange(100.0)).endswith("[5] = 0x1.4p+2, [6] = 0x1.8p+2, and 93 more")


def test_a_wide_tensor_of_one_number_is_that_number() -> None:
    """Nothing differs."""
    assert shown_tensor(torch.ones(40)) == "(40,) tensor, all 0x1p+0"
