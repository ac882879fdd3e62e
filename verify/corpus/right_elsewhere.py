"""Right implementations of NumPy, SciPy, JAX and optax, each loaded when it is called."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from verify.adapters import from_jax, from_numpy
from verify.corpus.planting import Candidate, Right

RIGHTS: list[Right] = []

SINGLE = ("float32", "float64")
WIDE = ("float32", "float64", "bfloat16")


def _enter(
    operation: str, candidate: Candidate, needs: str, dtypes: tuple[str, ...] = SINGLE, *, grad: bool = False
) -> None:
    name = f"{operation}-{candidate.__name__}"
    summary = (candidate.__doc__ or "").partition("\n")[0]
    RIGHTS.append(Right(name, operation, candidate, dtypes, summary, grad, needs))


def _adapted(adapter: Any, function: Candidate, *gradient: Candidate) -> Candidate:
    """The function as a candidate; as it is where the library is missing, and the entry not called."""
    library = "jax" if adapter is from_jax else "numpy"
    return adapter(function, *gradient) if find_spec(library) else function


def _np() -> Any:
    return import_module("numpy")


def _special() -> Any:
    return import_module("scipy.special")


def _nn() -> Any:
    return import_module("jax.nn")


def _optax() -> Any:
    return import_module("optax")


def numpy_softmax(x: Any, dim: int) -> Any:
    """Maximum, sum and quotient in NumPy."""
    e = _np().exp(x - x.max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)


def _softmax_vjp(g: Any, x: Any, dim: int) -> Any:
    s = numpy_softmax(x, dim)
    return s * (g - (g * s).sum(dim, keepdims=True))


def numpy_log_softmax(x: Any, dim: int) -> Any:
    """Maximum, sum and logarithm in NumPy."""
    d = x - x.max(dim, keepdims=True)
    return d - _np().log(_np().exp(d).sum(dim, keepdims=True))


def _log_softmax_vjp(g: Any, x: Any, dim: int) -> Any:
    return g - _np().exp(numpy_log_softmax(x, dim)) * g.sum(dim, keepdims=True)


def numpy_cross_entropy(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Scores in NumPy and the label of each row by an index."""
    if x.ndim != 2 or target.dtype.kind != "i":
        raise NotImplementedError("anything but labels of rows")
    losses = -numpy_log_softmax(x, 1)[_np().arange(len(target)), target]
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def scipy_softmax(x: Any, dim: int) -> Any:
    """scipy.special.softmax."""
    return _special().softmax(x, axis=dim)


def scipy_log_softmax(x: Any, dim: int) -> Any:
    """scipy.special.log_softmax."""
    return _special().log_softmax(x, axis=dim)


def scipy_logsumexp(x: Any, dim: int, keepdim: bool = False) -> Any:
    """scipy.special.logsumexp."""
    return _special().logsumexp(x, axis=dim, keepdims=keepdim)


def scipy_expit(z: Any) -> Any:
    """scipy.special.expit."""
    return _special().expit(z)


def scipy_rel_entr(p: Any, q: Any) -> Any:
    """scipy.special.rel_entr."""
    return _special().rel_entr(p, q)


def scipy_entropy(p: Any, dim: int) -> Any:
    """The sum of scipy.special.entr."""
    return _special().entr(p).sum(dim)


def jax_softmax(x: Any, dim: int) -> Any:
    """jax.nn.softmax."""
    return _nn().softmax(x, axis=dim)


def jax_log_softmax(x: Any, dim: int) -> Any:
    """jax.nn.log_softmax."""
    return _nn().log_softmax(x, axis=dim)


def jax_logsumexp(x: Any, dim: int, keepdim: bool = False) -> Any:
    """jax.nn.logsumexp."""
    return _nn().logsumexp(x, axis=dim, keepdims=keepdim)


def jax_sigmoid(z: Any) -> Any:
    """jax.nn.sigmoid."""
    return _nn().sigmoid(z)


def jax_log_sigmoid(z: Any) -> Any:
    """The values of jax.nn.log_sigmoid; its derivative is exp(x - y) with the rounded result y."""
    return _nn().log_sigmoid(z)


def jax_cross_entropy(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The log_softmax of jax.nn at the label; that of optax subtracts a logsumexp, which is a finding."""
    if x.ndim != 2 or target.dtype.kind != "i":
        raise NotImplementedError("anything but labels of rows")
    scores = _nn().log_softmax(x, axis=1)
    losses = -import_module("jax.numpy").take_along_axis(scores, target[:, None], axis=1)[:, 0]
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def optax_binary(z: Any, target: Any, reduction: str = "mean") -> Any:
    """The values of sigmoid_binary_cross_entropy of optax; the derivative is that of jax.nn.log_sigmoid."""
    losses = _optax().sigmoid_binary_cross_entropy(z, target)
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


_enter("softmax", _adapted(from_numpy, numpy_softmax, _softmax_vjp), "numpy", grad=True)
_enter("log_softmax", _adapted(from_numpy, numpy_log_softmax, _log_softmax_vjp), "numpy", grad=True)
_enter("cross_entropy", _adapted(from_numpy, numpy_cross_entropy), "numpy")
_enter("softmax", _adapted(from_numpy, scipy_softmax), "scipy")
_enter("log_softmax", _adapted(from_numpy, scipy_log_softmax), "scipy")
_enter("logsumexp", _adapted(from_numpy, scipy_logsumexp), "scipy")
_enter("sigmoid", _adapted(from_numpy, scipy_expit), "scipy")
_enter("rel_entr", _adapted(from_numpy, scipy_rel_entr), "scipy")
_enter("entropy", _adapted(from_numpy, scipy_entropy), "scipy")
_enter("softmax", _adapted(from_jax, jax_softmax), "jax", WIDE, grad=True)
_enter("log_softmax", _adapted(from_jax, jax_log_softmax), "jax", WIDE, grad=True)
_enter("logsumexp", _adapted(from_jax, jax_logsumexp), "jax", SINGLE, grad=True)
_enter("sigmoid", _adapted(from_jax, jax_sigmoid), "jax", SINGLE, grad=True)
_enter("logsigmoid", _adapted(from_jax, jax_log_sigmoid), "jax")
_enter("cross_entropy", _adapted(from_jax, jax_cross_entropy), "jax", SINGLE, grad=True)
_enter("binary_cross_entropy_with_logits", _adapted(from_jax, optax_binary), "optax")
