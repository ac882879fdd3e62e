"""Reduction: wide findings are made narrow within a bounded number of tries."""

from __future__ import annotations

from typing import Any

import pytest

from verify import reduction
from verify.calls import Call
from verify.checking import contract_of
from verify.spread import wide_calls

pytestmark = pytest.mark.torch


def _widest() -> Call:
    contract = contract_of("log_softmax")
    choices: dict[str, tuple[Any, ...]] = {option.name: option.values[:1] for option in contract.options}
    return max(wide_calls(contract, "float32", choices, seed=0, count=6), key=lambda c: c.lengths["C"])


def test_nothing_is_cut_once_the_tries_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of 50,257 columns that cannot be made narrower costs no more cuts than tries."""
    cuts: list[int] = []
    cut = reduction._cut

    def counted(call: Call, axis: str, kept: list[int]) -> Call | None:
        cuts.append(len(kept))
        assert len(cuts) <= 3 * reduction.TRIES
        return cut(call, axis, kept)

    monkeypatch.setattr(reduction, "_cut", counted)
    assert reduction.reduced(_widest(), lambda call: False).lengths["C"] == 50257
