"""Adapters: functions of NumPy, SciPy and JAX, and such that compute in place, are checked as they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

import verify
from verify.adapters import from_jax, from_numpy, in_place
from verify.checking import contract_of
from verify.errors import UnavailableError, UsageError
from verify.results import Results
from verify.verdict import Status

pytestmark = pytest.mark.torch

DTYPES = ("float32", "float64", "bfloat16", "float16")
ALL_THREE = [(Status.PASSED, "")] * 3


def _told(results: Results) -> list[tuple[Status, str]]:
    return [(verdict.status, verdict.reason) for verdict in results]


def _numpy() -> Any:
    return pytest.importorskip("numpy", reason="not run: NumPy is not installed")


def _special() -> Any:
    return pytest.importorskip("scipy.special", reason="not run: SciPy is not installed; use tox -e adapters")


def _jax() -> Any:
    return pytest.importorskip("jax", reason="not run: JAX is not installed; use tox -e adapters")


def _plain(name: str) -> dict[str, Any]:
    """The plain form of each call of an operation, such as labels and not probabilities."""
    return {option.name: option.values[0] for option in contract_of(name).options if not option.keyword}


def softmax(x: Any, dim: int) -> Any:
    """Softmax in NumPy, in the dtype of its argument."""
    np = _numpy()
    e = np.exp(x - x.max(dim, keepdims=True))
    return e / e.sum(dim, keepdims=True)


def softmax_vjp(upstream: Any, x: Any, dim: int) -> Any:
    """Its vector-Jacobian product."""
    s = softmax(x, dim)
    return s * (upstream - (upstream * s).sum(dim, keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_numpy_function_passes(dtype: str) -> None:
    """Value, gradient and side effects, under the name of the function."""
    results = verify.check(from_numpy(softmax, softmax_vjp), "softmax", dtypes=(dtype,), examples=4)
    assert _told(results) == ALL_THREE
    assert results[0].subject.startswith(f"{softmax.__module__}.softmax as softmax: value")


def unshifted(x: Any, dim: int) -> Any:
    """Overflows."""
    e = _numpy().exp(x)
    return e / e.sum(dim, keepdims=True)


def test_a_wrong_numpy_function_is_refuted() -> None:
    """By its number; there is no script, because it is not torch's."""
    value = verify.check(from_numpy(unshifted), "softmax", grad=False, examples=40)[0]
    assert value.status is Status.REFUTED
    assert value.counterexample is not None
    assert "no script: " in value.reason


def test_a_wrong_numpy_gradient_is_refuted() -> None:
    """The value stands."""
    wrong = from_numpy(softmax, lambda g, x, dim: 2 * softmax_vjp(g, x, dim))
    results = verify.check(wrong, "softmax", examples=4)
    assert [verdict.status for verdict in results] == [Status.PASSED, Status.REFUTED, Status.PASSED]


def test_a_numpy_function_without_a_gradient_declines_it() -> None:
    """It is unknown, and the reason says what to do; nothing is refuted."""
    value, gradient, side_effects = verify.check(from_numpy(softmax), "softmax", examples=4)
    assert (value.status, side_effects.status) == (Status.PASSED, Status.PASSED)
    assert gradient.status is Status.UNKNOWN
    assert "give from_numpy one, or check without gradients" in gradient.reason


def test_numpy_declines_bfloat16() -> None:
    """It has no such numbers."""
    value = verify.check(from_numpy(softmax), "softmax", dtypes=("bfloat16",), grad=False, examples=4)[0]
    assert value.status is Status.UNKNOWN
    assert "NumPy has no bfloat16" in value.reason


def cross_entropy(x: Any, target: Any, weight: Any = None) -> Any:
    """The weighted mean of losses in NumPy, with class weights as an option."""
    np = _numpy()
    rows = np.arange(len(target))
    shifted = x - x.max(1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(1)) - shifted[rows, target]
    if weight is None:
        return losses.mean(dtype=x.dtype)
    return (losses * weight[target]).sum() / weight[target].sum()


def test_labels_and_tensors_among_the_options_become_arrays() -> None:
    """A NumPy number is a result."""
    options = {**_plain("cross_entropy"), "weight": [False, True]}
    candidate = from_numpy(cross_entropy)
    results = verify.check(candidate, "cross_entropy", grad=False, options=options, examples=4)
    assert [verdict.status for verdict in results] == [Status.PASSED] * 2


def _subtracting(x: Any, dim: int) -> Any:
    x -= x.max(dim, keepdims=True)
    return softmax(x, dim)


def _itself(x: Any, dim: int) -> Any:
    x[:] = softmax(x, dim)
    return x


@pytest.mark.parametrize("wrong", [_subtracting, _itself])
def test_a_numpy_function_that_overwrites_its_input_is_told_so(wrong: Callable[..., Any]) -> None:
    """Its arrays lie in the memory of the tensors."""
    side_effects = verify.check(from_numpy(wrong), "softmax", grad=False, examples=4)[1]
    assert side_effects.reason == "the call changes input"


BAD_ARRAYS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "dtype": (lambda s: s.astype("float64"), "the result is torch.float64"),
    "float": (lambda s: float(s.sum()), "the result is a float, not a tensor"),
    "list": (lambda s: s.tolist(), "the result is a list, not a tensor"),
    "object": (lambda s: s.astype(object), "it raised TypeError"),
    "shape": (lambda s: s.sum(), "the result has shape ()"),
}


@pytest.mark.parametrize("kind", BAD_ARRAYS)
def test_a_bad_array_is_refuted_in_words(kind: str) -> None:
    """As a bad tensor is."""
    change, told = BAD_ARRAYS[kind]
    wrong = from_numpy(lambda x, dim: change(softmax(x, dim)))
    assert told in verify.check(wrong, "softmax", grad=False, examples=4)[0].reason


def test_a_gradient_that_is_no_array_is_refuted_in_words() -> None:
    """Named by its type."""
    gradient = verify.check(from_numpy(softmax, lambda g, x, dim: 1.0), "softmax", examples=4)[1]
    assert gradient.reason == "its backward pass raised TypeError: the gradient is a float, not an array"


def test_a_reversed_array_is_a_result() -> None:
    """Tensors have no negative strides; arrays may."""
    flipped = from_numpy(lambda x, dim: softmax(x[::-1], dim)[::-1])
    assert verify.check(flipped, "softmax", grad=False, examples=4, options={"dim": 1}).holds


@from_numpy
def decorated(x: Any, dim: int) -> Any:
    """Softmax."""
    return softmax(x, dim)


def test_from_numpy_is_a_decorator() -> None:
    """It keeps name and docstring."""
    assert (decorated.__name__, decorated.__doc__) == ("decorated", "Softmax.")
    assert verify.check(decorated, "softmax", grad=False, examples=4).holds


@pytest.mark.parametrize("adapter", [from_numpy, from_jax, in_place], ids=lambda f: f.__name__)
def test_what_cannot_be_called_is_an_error(adapter: Callable[[Any], Any]) -> None:
    """With what was given and what to give."""
    with pytest.raises(UsageError, match=rf"{adapter.__name__} is given 3, a int; give a function"):
        adapter(3)


def test_a_library_that_is_absent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says how to get it."""
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(UnavailableError, match="JAX is not installed; pip install jax"):
        from_jax(softmax)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scipy_passes(dtype: str) -> None:
    """Its log_softmax and logsumexp; it calls the axis by another name."""
    special = _special()
    log_softmax = from_numpy(lambda x, dim: special.log_softmax(x, axis=dim))
    logsumexp = from_numpy(lambda x, dim: special.logsumexp(x, axis=dim))
    for candidate, name in ((log_softmax, "log_softmax"), (logsumexp, "logsumexp")):
        assert verify.check(candidate, name, dtypes=(dtype,), grad=False, examples=4).holds


def test_a_ufunc_of_scipy_is_checked_under_its_name() -> None:
    """It is right in float32 and float64."""
    results = verify.check(
        from_numpy(_special().expit), "sigmoid", dtypes=("float32", "float64"), grad=False, examples=4
    )
    assert results.holds
    assert results[0].subject.startswith("expit as sigmoid")


def test_importing_the_adapters_loads_no_library() -> None:
    """Each is loaded when its adapter is used."""
    import subprocess

    script = "import sys, verify.adapters; print({'numpy', 'jax', 'scipy', 'torch'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


@pytest.mark.parametrize("dtype", DTYPES)
def test_jax_passes_in_every_dtype(dtype: str) -> None:
    """Values, gradients by vjp, and side effects of its log_softmax; in 16 bits every pair of logits too."""
    jax = _jax()
    candidate = from_jax(lambda x, dim: jax.nn.log_softmax(x, axis=dim))
    results = verify.check(candidate, "log_softmax", dtypes=(dtype,), examples=4)
    assert len(results) >= len(ALL_THREE)
    assert [verdict.reason for verdict in results if verdict.status is not Status.PASSED] == []


def test_float64_in_jax_is_float64() -> None:
    """64-bit numbers are enabled for the call, and not beyond it."""
    jax = _jax()
    seen = []

    def kinds(x: Any, target: Any) -> Any:
        seen.append((str(x.dtype), str(target.dtype)))
        return x

    candidate = from_jax(kinds)
    for dtype in (torch.float64, torch.float32):
        assert candidate(torch.ones(2, dtype=dtype), torch.ones(2, dtype=torch.int64)).dtype is dtype
    assert seen == [("float64", "int64"), ("float32", "int32")]
    assert str(jax.numpy.ones(1).dtype) == "float32"


def test_a_jitted_function_of_jax_is_checked_under_its_name() -> None:
    """Wrong, by a gradient that jax.custom_vjp doubles."""
    jax = _jax()

    @jax.custom_vjp
    def sigmoid(x: Any) -> Any:
        return jax.nn.sigmoid(x)

    def forward(x: Any) -> Any:
        s = jax.nn.sigmoid(x)
        return s, s

    sigmoid.defvjp(forward, lambda s, g: (2 * g * s * (1 - s),))
    results = verify.check(from_jax(jax.jit(sigmoid)), "sigmoid", examples=4)
    assert [verdict.status for verdict in results] == [Status.PASSED, Status.REFUTED, Status.PASSED]
    assert "sigmoid as sigmoid: value" in results[0].subject


def _optax_loss() -> Callable[..., Any]:
    reason = "not run: optax is not installed; use tox -e adapters"
    loss = pytest.importorskip("optax", reason=reason).losses.softmax_cross_entropy_with_integer_labels

    def mean(x: Any, target: Any) -> Any:
        return loss(x, target).mean()

    return from_jax(mean)


def test_the_cross_entropy_of_optax_has_a_witness() -> None:
    """It subtracts the logit from the rounded logsumexp: 3/4 at logits of 2^20, where log 2 is exact."""
    loss = _optax_loss()(torch.full((1, 2), 2.0**20), torch.tensor([0]))
    assert loss.item() == 0.75


def overwriting(x: Any, dim: int) -> Any:
    """Softmax, computed in the memory of its argument."""
    x.sub_(x.amax(dim, keepdim=True).detach()).exp_()
    return x.div_(x.sum(dim, keepdim=True))


def test_a_function_that_says_so_may_compute_in_place() -> None:
    """It passes with its gradient; entries that share their memory are not applicable."""
    results = verify.check(in_place(torch.sigmoid_), "sigmoid", examples=60)
    assert [verdict.status for verdict in results] == [Status.PASSED] * 3
    assert "it computes in place, where entries share their memory" in results[0].reason


def test_a_function_that_does_not_say_so_is_told() -> None:
    """The same function, unmarked."""
    results = verify.check(torch.sigmoid_, "sigmoid", grad=False, examples=30)
    assert results[1].reason == "the call changes input"


def test_a_function_of_numpy_may_compute_in_place_too() -> None:
    """In padded memory as well, of which an array knows its own part alone."""

    def softmax(x: Any, dim: int) -> Any:
        x -= x.max(dim, keepdims=True)
        _numpy().exp(x, out=x)
        x /= x.sum(dim, keepdims=True)
        return x

    assert verify.check(in_place(from_numpy(softmax)), "softmax", examples=10, grad=False).holds


def test_a_function_marked_as_in_place_is_judged_by_its_numbers() -> None:
    """Overwriting what autograd needs is still an error, and its value is compared."""
    value, gradient, side_effects = verify.check(in_place(overwriting), "softmax", examples=20)
    assert (value.status, side_effects.status) == (Status.PASSED, Status.PASSED)
    assert "modified by an inplace operation" in gradient.reason


def _beyond(x: Any) -> Any:
    memory = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
    memory[-1] += 1 if len(memory) > x.numel() else 0
    memory[-1].nan_to_num_()
    return torch.sigmoid_(x)


def _also_another(x: Any, target: Any) -> Any:
    result = torch.nn.functional.binary_cross_entropy_with_logits(x, target)
    target.zero_()
    x.zero_()
    return result


@pytest.mark.parametrize(
    ("wrong", "name", "told"),
    [
        (_beyond, "sigmoid", "the call changes input"),
        (_also_another, "binary_cross_entropy_with_logits", "the call changes target"),
    ],
)
def test_nothing_else_may_be_overwritten(wrong: Callable[..., Any], name: str, told: str) -> None:
    """Neither what lies beside the first argument nor another one."""
    assert verify.check(in_place(wrong), name, grad=False, examples=30)[1].reason == told


def test_a_wrong_function_in_place_has_a_script() -> None:
    """Its source is that of the function that was marked."""

    @in_place
    def doubled(x: Any) -> Any:
        return torch.sigmoid_(x).mul_(2)

    value = verify.check(doubled, "sigmoid", grad=False, examples=4)[0]
    assert value.status is Status.REFUTED
    assert value.reproducer is not None
