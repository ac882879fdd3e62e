"""Namesakes: the function of torch for which a contract is named."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from verify.backends import load_torch
from verify.contract import Contract


def namesake_of(contract: Contract) -> Callable[..., Any] | None:
    """The function of this torch that has the full name that the contract gives; None where there is none."""
    root, *path = contract.namesake.split(".")
    if root != "torch" or not all(part.isidentifier() for part in path):
        return None
    try:
        found: Callable[..., Any] = functools.reduce(getattr, path, load_torch())
    except AttributeError:
        return None
    return found
