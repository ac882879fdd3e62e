"""Adapters: what is no plain function of torch, made into a candidate, or marked as what it is."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from verify.backends import load_torch
from verify.errors import UnavailableError, UsageError
from verify.signatures import Function, attribute, call_with, signature_of
from verify.words import kind_of


def in_place(function: Function) -> Function:
    """A function that may overwrite its first argument, and return it; it may change nothing else.

    For a gradient it gets a copy that autograd follows. Usable as a decorator. Raises ``UsageError``
    for what cannot be called.
    """
    _require_callable(function, "in_place")

    @functools.wraps(function)
    def overwriting(*tensors: Any, **options: Any) -> Any:
        return call_with(function, tensors, options)

    overwriting.changes_input = True  # type: ignore[attr-defined]
    return overwriting


def changes_input(function: Function) -> bool:
    """Whether a function was marked by `in_place`."""
    return attribute(function, "changes_input") is True


def from_numpy(value: Function, gradient: Function | None = None) -> Function:
    """A function of NumPy arrays, such as those of SciPy, as a candidate.

    ``value(*arrays, **options)`` gets arrays that lie in the memory of the tensors, strides included,
    labels as int64 from 0, and returns an array or a NumPy number. ``gradient(upstream, *arrays,
    **options)`` is the vector-Jacobian product: the array for the first argument, or a tuple with an
    array, or None, for each; without it the candidate declines to be differentiated. There is no
    bfloat16 in NumPy: the candidate declines it. Usable as a decorator. Tensors of other devices are
    copied. Raises ``UsageError`` for what cannot be called, ``UnavailableError`` without NumPy.
    """
    _require_callable(value, "from_numpy")
    if gradient is not None:
        _require_callable(gradient, "the gradient of from_numpy")
    return _Adapted(value, _NumPy(value, gradient))


def from_jax(function: Function) -> Function:
    """A function of JAX arrays as a candidate, differentiated by ``jax.vjp``.

    It gets copies of the tensors in their dtype, on the same kind of device; labels are int32, and int64
    beside float64, for which 64-bit numbers are enabled during the call. It returns one array. Options
    are passed by keyword: a jitted function names them static. Usable as a decorator. Raises
    ``UsageError`` for what cannot be called, ``UnavailableError`` without JAX.
    """
    _require_callable(function, "from_jax")
    return _Adapted(function, _Jax(function))


def _require_callable(function: Any, taker: str) -> None:
    if not callable(function):
        kind = type(function).__name__
        raise UsageError(f"{taker} is given {function!r}, a {kind}; give a function that can be called")


class _Adapted:
    """A function of another library, called with tensors, under the name and signature of its own."""

    def __init__(self, function: Function, library: _NumPy | _Jax) -> None:
        for name in ("__name__", "__qualname__", "__doc__"):
            if hasattr(function, name):
                setattr(self, name, getattr(function, name))
        self.__module__ = getattr(function, "__module__", None) or ""
        self.__signature__ = signature_of(function)
        self._library = library

    def __call__(self, *tensors: Any, **options: Any) -> Any:
        torch = load_torch()
        if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
            return self._library.value(tensors, options)
        if not self._library.differentiable:
            raise NotImplementedError("it has no gradient; give from_numpy one, or check without gradients")
        return _bridge().apply(self._library, options, *tensors)


@functools.cache
def _bridge() -> Any:
    """An autograd.Function from the value and the gradient of a library."""
    torch = load_torch()

    class Bridge(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, library: Any, options: Any, *tensors: Any) -> Any:
            ctx.library, ctx.options = library, options
            ctx.save_for_backward(*tensors)
            return library.value(tensors, options)

        @staticmethod
        def backward(ctx: Any, *upstream: Any) -> Any:
            needed = ctx.needs_input_grad[2:]
            return None, None, *ctx.library.pull(upstream[0], ctx.saved_tensors, ctx.options, needed)

    return Bridge


class _NumPy:
    """How tensors become NumPy arrays and back, without a copy where there is none to make."""

    def __init__(self, function: Function, gradient: Function | None) -> None:
        self._numpy = _load_numpy()
        self._function, self._gradient = function, gradient
        self.differentiable = gradient is not None

    def value(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """The result for tensors, as a tensor; what is no array stays what it is."""
        arrays, named = _arrays(self._array, tensors, options)
        return self._tensor(self._function(*arrays, **named), tensors[0].device)

    def pull(
        self, upstream: Any, tensors: Sequence[Any], options: Mapping[str, Any], needed: Sequence[bool]
    ) -> list[Any]:
        """A gradient for each tensor for which one is needed, else None."""
        if self._gradient is None:
            raise NotImplementedError("it has no gradient")
        arrays, named = _arrays(self._array, tensors, options)
        given = self._gradient(self._array(upstream), *arrays, **named)
        each = list(given) if isinstance(given, tuple) else [given]
        each += [None] * (len(tensors) - len(each))
        found = [
            self._tensor(one, upstream.device) if need else None
            for one, need in zip(each, needed, strict=True)
        ]
        for one in found:
            if one is not None and not isinstance(one, load_torch().Tensor):
                raise TypeError(f"the gradient is {kind_of(one)}, not an array")
        return found

    def _array(self, given: Any) -> Any:
        torch = load_torch()
        if not isinstance(given, torch.Tensor):
            return given
        if given.dtype is torch.bfloat16:
            raise NotImplementedError("NumPy has no bfloat16")
        return given.detach().cpu().numpy()

    def _tensor(self, result: Any, device: Any) -> Any:
        if not isinstance(result, self._numpy.ndarray | self._numpy.generic):
            return result
        array = self._numpy.asarray(result)
        if any(stride < 0 for stride in array.strides):
            array = array.copy()
        return load_torch().from_numpy(array).to(device)


class _Jax:
    """How tensors become JAX arrays and back, by copies in main memory."""

    differentiable = True

    def __init__(self, function: Function) -> None:
        self._numpy, self._jax = _load_numpy(), _load_jax()
        self._function = function

    def value(self, tensors: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """The result for tensors, as a tensor; what is no array stays what it is."""
        with self._beside(tensors):
            arrays, named = _arrays(self._array, tensors, options)
            return self._tensor(self._function(*arrays, **named), tensors[0].device)

    def pull(
        self, upstream: Any, tensors: Sequence[Any], options: Mapping[str, Any], needed: Sequence[bool]
    ) -> list[Any]:
        """A gradient for each tensor for which one is needed, else None."""
        with self._beside(tensors):
            arrays, named = _arrays(self._array, tensors, options)
            places = [place for place, need in enumerate(needed) if need]

            def of_needed(*values: Any) -> Any:
                known = dict(zip(places, values, strict=True))
                return self._function(*(known.get(i, array) for i, array in enumerate(arrays)), **named)

            _, back = self._jax.vjp(of_needed, *(arrays[place] for place in places))
            found = dict(zip(places, back(self._array(upstream)), strict=True))
            return [self._tensor(found.get(i), upstream.device) for i in range(len(arrays))]

    @contextlib.contextmanager
    def _beside(self, tensors: Sequence[Any]) -> Any:
        """On the kind of device of the tensors, with 64-bit numbers where one of them has such."""
        kind = {"cuda": "gpu"}.get(tensors[0].device.type, tensors[0].device.type)
        try:
            device = self._jax.devices(kind)[0]
        except RuntimeError as error:
            raise NotImplementedError(f"JAX has no {kind}") from error
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._jax.default_device(device))
            if any(tensor.dtype is load_torch().float64 for tensor in tensors):
                stack.enter_context(self._jax.enable_x64(True))
            yield

    def _array(self, given: Any) -> Any:
        torch = load_torch()
        if not isinstance(given, torch.Tensor):
            return given
        host = given.detach().cpu()
        if host.dtype is not torch.bfloat16:
            return self._jax.numpy.array(host.numpy())
        return self._jax.numpy.array(host.view(torch.int16).numpy().view(self._jax.numpy.bfloat16))

    def _tensor(self, result: Any, device: Any) -> Any:
        torch = load_torch()
        if not isinstance(result, self._jax.Array):
            return result
        array = self._numpy.array(result)
        if result.dtype == self._jax.numpy.bfloat16:
            return torch.from_numpy(array.view(self._numpy.int16)).view(torch.bfloat16).to(device)
        return torch.from_numpy(array).to(device)


def _arrays(
    array: Callable[[Any], Any], tensors: Sequence[Any], options: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Positional arrays and options, tensors among these made arrays too."""
    return [array(tensor) for tensor in tensors], {name: array(given) for name, given in options.items()}


def _load_numpy() -> Any:
    try:
        return importlib.import_module("numpy")
    except ImportError as error:
        raise UnavailableError("NumPy is not installed; pip install numpy") from error


def _load_jax() -> Any:
    try:
        jax = importlib.import_module("jax")
    except ImportError as error:
        raise UnavailableError("JAX is not installed; pip install jax") from error
    if not hasattr(jax, "enable_x64"):
        raise UnavailableError(f"JAX {jax.__version__} has no jax.enable_x64; install a newer one")
    return jax
