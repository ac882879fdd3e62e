"""State: the settings of torch that all code shares, read, compared and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from verify.backends import load_torch

_SUBNORMAL = 5e-324


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting of torch: its name, how it is read and how it is set."""

    name: str
    read: Callable[[], Any]
    put: Callable[[Any], Any]


@contextmanager
def preserved(device: str) -> Iterator[list[str]]:
    """Put the shared settings of torch back at the end; the list then names those that were changed.

    These are the default dtype and device, the grad mode, deterministic algorithms, the number of
    threads, autocast, the flushing of subnormal numbers, the precision of matrix products in float32, the
    detection of anomalies, the benchmarks of cuDNN, and the state of the random generators of the CPU and of
    ``device``.
    """
    settings = _settings(device)
    before = [setting.read() for setting in settings]
    changed: list[str] = []
    try:
        yield changed
    finally:
        for setting, value in zip(settings, before, strict=True):
            if not _same(setting.read(), value):
                setting.put(value)
                changed.append(setting.name)


def _settings(device: str) -> list[_Setting]:
    torch = load_torch()
    settings = [
        _Setting("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
        _Setting("torch's default device", torch.get_default_device, _put_device),
        _Setting("torch's grad mode", torch.is_grad_enabled, torch.set_grad_enabled),
        _Setting(
            "torch's choice of deterministic algorithms",
            torch.get_deterministic_debug_mode,
            torch.set_deterministic_debug_mode,
        ),
        _Setting("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
        _Setting(
            "torch's autocast",
            lambda: torch.is_autocast_enabled(device),
            lambda value: torch.set_autocast_enabled(device, value),
        ),
        _Setting("torch's flushing of subnormal numbers", _flushes, torch.set_flush_denormal),
        _Setting(
            "torch's precision of matrix products",
            torch.get_float32_matmul_precision,
            torch.set_float32_matmul_precision,
        ),
        _Setting(
            "torch's detection of anomalies",
            lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
            lambda value: torch.set_anomaly_enabled(*value),
        ),
        _Setting(
            "torch's benchmarks of cuDNN",
            lambda: torch.backends.cudnn.benchmark,
            lambda value: setattr(torch.backends.cudnn, "benchmark", value),
        ),
        _Setting("torch's random generator", torch.get_rng_state, torch.set_rng_state),
    ]
    if device == "cuda":
        own = torch.cuda.get_rng_state, torch.cuda.set_rng_state
        settings.append(_Setting("the random generator of the device", *own))
    return settings


def _put_device(device: Any) -> None:
    """Set the default device; without an index, since torch tells the plain CPU and no default alike."""
    load_torch().set_default_device(None if device.type == "cpu" else device)


def _flushes() -> bool:
    """Whether the processor takes subnormal numbers for 0."""
    return _SUBNORMAL * float("1") == 0


def _same(a: Any, b: Any) -> bool:
    torch = load_torch()
    return bool(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b)
