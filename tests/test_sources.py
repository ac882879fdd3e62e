"""Sources: a function with what it uses, as text that runs by itself and does the same."""

from __future__ import annotations

import enum
import functools
import importlib
import math
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.nn import functional as F

import verify
from verify.reproducer import ReproducerError, run_script
from verify.sources import source_with_needs

pytestmark = pytest.mark.torch

SCALE = 2.0
NOWHERE = -math.inf
TABLE = torch.tensor([1.0, 3.0])
WIDE = torch.float64
_NAMED = "softmax_of_mine"
COUNTS = {"rows": 3, "columns": 5}


def _helper(x: Any, times: int = 2) -> Any:
    """Uses a constant."""
    return x * SCALE * times


def with_helper(x: Any) -> Any:
    """Uses a function that uses a constant."""
    return _helper(x) + 1


def with_modules(x: Any) -> Any:
    """Uses modules under three names."""
    return F.relu(x) + functional.relu(-x) + math.pi + torch.exp(x)


def with_data(x: Any) -> Any:
    """Uses a tensor, a dtype and an infinity."""
    return (x.to(WIDE) * TABLE).masked_fill(x < 0, NOWHERE)


def with_inner(x: Any) -> Any:
    """Uses a helper in a function of its own."""

    def inner(y: Any) -> Any:
        return _helper(y, 3)

    return inner(x) if len(x) else with_inner(x)


class _Double(torch.autograd.Function):
    """Twice, with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        """Twice."""
        return _helper(x, 1)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Twice what comes from above."""
        return upstream[0] * SCALE


def with_class(x: Any) -> Any:
    """Uses an autograd function."""
    return _Double.apply(x)


class Mode(enum.Enum):
    """Uses a constant in the body of a class."""

    ONCE = SCALE


@dataclass
class Sizes:
    """Its methods are made by a decorator."""

    block: float = SCALE


@functools.lru_cache
def _kept(times: int = len(COUNTS)) -> int:
    return times


def _noted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def around(x: Any) -> Any:
        return function(x) + 1

    return around


@_noted
def with_classes(x: Any) -> Any:
    """Is decorated; uses an enumeration and a data class."""
    return x * Mode.ONCE.value + Sizes().block


def with_default(x: Any, times: float = SCALE) -> Any:
    """Uses a constant as default, a cached function and a dictionary."""
    return x * times * _kept() + COUNTS["rows"]


def _closed(factor: float) -> Callable[..., Any]:
    def times(x: Any) -> Any:
        return x * factor

    return times


FUNCTIONS = {
    f.__name__: f
    for f in (
        with_helper,
        with_modules,
        with_data,
        with_inner,
        with_class,
        with_classes,
        with_default,
        _closed(3.0),
    )
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_text_computes_the_same(name: str) -> None:
    """In a namespace in which there is torch and nothing else."""
    x = torch.tensor([-0.5, 1.25])
    known: dict[str, Any] = {"torch": torch}
    exec(source_with_needs(FUNCTIONS[name]), known)
    assert torch.equal(known[name](x), FUNCTIONS[name](x))


def test_each_definition_stands_once() -> None:
    """And before what uses it."""
    text = source_with_needs(with_inner)
    assert [text.count("def _helper"), text.count("def with_inner")] == [1, 1]
    assert text.index("def _helper") < text.index("def with_inner")


def relu(x: Any) -> Any:
    """Has the name of an attribute that `with_modules` uses."""
    return x


def test_a_name_of_an_attribute_is_not_one_of_the_module() -> None:
    """A function of that name is not in the text."""
    assert "def relu" not in source_with_needs(with_modules)


def test_a_lambda_has_no_source() -> None:
    """Its line of code may hold more than it."""
    with pytest.raises(ReproducerError, match="is not a function made by def"):
        source_with_needs(lambda x: x)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package that is not installed, with modules that use each other, beside a module by itself."""
    folder = tmp_path / "kernels_of_mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "rows.py").write_text("from . import sizes\n\n\ndef wider(x):\n    return x * sizes.BLOCK\n")
    (folder / "sizes.py").write_text("from . import rows\n\nBLOCK = 4.0\nHELD = {}\n")
    (folder / "losses.py").write_text(
        "import shifts_of_mine as shifts\nfrom shifts_of_mine import up\n\nfrom . import rows\n\n\n"
        "def loss(x):\n    return rows.wider(up(x)) + shifts.down(x)\n"
    )
    (tmp_path / "shifts_of_mine.py").write_text(
        "def up(x):\n    return x + 1\n\n\ndef down(x):\n    return x - 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("kernels_of_mine.losses")
    for name in [name for name in sys.modules if "_of_mine" in name]:
        del sys.modules[name]


def test_what_is_used_of_modules_that_are_not_installed_is_in_the_text(package: ModuleType) -> None:
    """An interpreter that finds none of these modules computes the same."""
    script = f"import torch\n{source_with_needs(package.loss)}\nprint('got', loss(torch.tensor(2.0)).item())"
    assert run_script(script).split() == ["got", "13.0"]


def _held() -> Callable[..., Any]:
    """A softmax that is off, with a lock in its closure."""
    lock = threading.Lock()

    def locked(x: Any, dim: int) -> Any:
        with lock:
            return torch.softmax(2 * x, dim)

    return locked


def _held_and_failing() -> Callable[..., Any]:
    """A softmax of another shape, with a lock in its closure."""
    lock = threading.Lock()

    def locked(x: Any, dim: int) -> Any:
        with lock:
            return torch.softmax(x, dim)[None]

    return locked


@pytest.mark.parametrize("make", [_held, _held_and_failing])
def test_what_keeps_a_closure_from_becoming_a_script_is_named(make: Callable[[], Any]) -> None:
    """With what to do."""
    value, *_ = verify.check(make(), "softmax", grad=False, examples=10)
    assert value.reproducer is None
    assert "no script: lock (a lock), which the function uses, cannot be written" in value.reason
    assert "verify.replay(function, witness)" in value.reason


def by_name(x: Any, dim: int) -> Any:
    """Twice a softmax, by an attribute that torch has here alone."""
    return getattr(torch, _NAMED)(x, dim) * 2


def test_why_a_script_did_not_show_a_finding_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the error that it ended with."""
    monkeypatch.setattr(torch, _NAMED, torch.softmax, raising=False)
    found = verify.check(by_name, "softmax", examples=5, grad=False)[0]
    assert "no script: run by itself, it ends with AttributeError: module 'torch' has no" in found.reason
