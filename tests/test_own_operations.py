"""Operations of one's own: what contradicts itself, or is declared wrongly, is told in one sentence."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import verify
from verify import Contract, Curve, Filled, Form, Operation, Option, X
from verify.cli import main
from verify.contract import Gradient, mapped
from verify.domain import real
from verify.entries import by_entry, called_with, given_entries
from verify.errors import UsageError
from verify.tables import AXES, input_shape

pytestmark = pytest.mark.torch


def _definition(c: Any, options: Any, x: Any) -> Any:
    return c.log((c.exp(x) + c.exp(-x)) / 2)


def _algorithm(c: Any, options: Any, x: Any) -> Any:
    size = c.abs(x)
    return size + c.log1p(c.expm1(-2 * size) / 2)


def _gradient(c: Any, options: Any, g: Any, x: Any) -> Any:
    return g * ((c.exp(x) - c.exp(-x)) / (c.exp(x) + c.exp(-x)))


def _gradient_algorithm(c: Any, options: Any, g: Any, x: Any) -> Any:
    rising, falling = (c.expm1(-2 * c.maximum(side, 0)) for side in (x, -x))
    return g * (falling / (falling + 2) - rising / (rising + 2))


def _twice(formula: Callable[..., Any]) -> Callable[..., Any]:
    return by_entry(lambda *given: 2 * formula(*given))


GRADIENT = Gradient("input", by_entry(_gradient), by_entry(_gradient_algorithm))
LOG_COSH = Operation(
    id="log_cosh",
    summary="logarithm of the hyperbolic cosine",
    definition=lambda c, x: _definition(c, {}, x),
    notation=lambda x: rf"\log\cosh {x}",
    source="definition",
    contract=Contract(
        name="log_cosh",
        namesake="torch.log(torch.cosh(input))",
        given=given_entries({"input": real}),
        shape=input_shape,
        definition=by_entry(_definition),
        algorithm=by_entry(_algorithm),
        gradients=(GRADIENT,),
        arguments=called_with("input"),
        options=(AXES,),
    ),
)
CONTRACT = LOG_COSH.contract
_TURNS_AT_0 = Curve(rational=(0.0,), turns=((0.0, 0.0),))
FORM = Form(
    "x",
    "log_cosh",
    "log cosh x",
    (Filled("entries", (X,)),),
    _TURNS_AT_0,
    Curve(rational=(0.0,), limits=(-1.0, 1.0)),
    {"axes": 1},
)
SWEPT = replace(LOG_COSH, forms=(FORM,))


def _with(**changes: Any) -> Operation:
    assert CONTRACT is not None
    return replace(LOG_COSH, contract=replace(CONTRACT, **changes))


def _with_gradient(**changes: Any) -> Operation:
    return _with(gradients=(replace(GRADIENT, **changes),))


@pytest.mark.parametrize(
    "operation", [one for one in verify.operations() if one.contract is not None], ids=lambda one: one.id
)
def test_the_operations_of_the_package_are_consistent(operation: Operation) -> None:
    """Every algorithm is its definition, every gradient the derivative, every row said to be apart is.

    What contradicts itself raises; the tests below show that it does.
    """
    verify.check_operation(operation, examples=3)


def test_an_operation_of_ones_own_that_is_right_is_checked() -> None:
    """Nothing is told, and a function is checked against it."""
    verify.check_operation(LOG_COSH, examples=10)
    assert verify.check(lambda x: torch.log(torch.cosh(x)), LOG_COSH, grad=False, examples=5)[0].inputs


CONTRADICTIONS = {
    "a wrong algorithm": (
        _with(algorithm=_twice(_algorithm)),
        r"the value of log_cosh: its algorithm is not its definition: element 0 is 0\.0618\d* by the "
        r"algorithm and 0\.0309\d* by the definition; at input = \(\(1/4\)\), a plain call",
    ),
    "an algorithm that is wrong where another operand is drawn": (
        _with(algorithm=by_entry(lambda c, o, x: c.minimum(_algorithm(c, o, x), 1))),
        "its algorithm is not its definition",
    ),
    "a wrong alternative": (_with(alternatives=(_twice(_algorithm),)), "its number 1 of alternatives is not"),
    "a wrong reference": (_with(reference=_twice(_algorithm)), "its reference on whole tables is not"),
    "a wrong gradient": (
        _with_gradient(definition=_twice(_gradient), algorithm=_twice(_gradient_algorithm)),
        r"the gradient in input of log_cosh is not the derivative of its definition: element 0 is 0\.48\d* "
        r"by the gradient and 0\.24\d* by the derivative of the definition; at input = .*, upstream = ",
    ),
    "a gradient whose algorithm has the other sign": (
        _with_gradient(algorithm=by_entry(lambda *given: -_gradient_algorithm(*given))),
        r"the gradient in input of log_cosh: its algorithm is not its definition: element 0 is -0\.24",
    ),
    "a wrong shape": (
        _with(shape=lambda options: ("C",)),
        r"its definition has the shape \(1, 1\), and shape\(options\) of the contract \(1,\)",
    ),
    "a value that is no number of the format": (
        _with(prepare=lambda options, values: (mapped(lambda x: x / 3, values[0]),)),
        "prepare of log_cosh gives .* no number of float32",
    ),
    "rows that are not apart": (_with(rowwise=lambda options: True), "rowwise of log_cosh says that rows"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_itself_is_told(name: str) -> None:
    """With the operation, the input and the two numbers."""
    operation, told = CONTRADICTIONS[name]
    with pytest.raises(UsageError, match=told):
        verify.check_operation(operation)


def test_a_check_looks_at_the_operation_first() -> None:
    """A wrong algorithm is no finding about the function."""
    with pytest.raises(UsageError, match="its algorithm is not its definition"):
        verify.check(torch.abs, _with(algorithm=_twice(_algorithm)))


MISTAKES = {
    "an algorithm without return": (
        _with(algorithm=by_entry(lambda c, options, x: None)),
        "None is no number; give an int, Fraction or float",
    ),
    "an option that is not declared": (
        _with(options=()),
        "KeyError: 'axes'; if that is an option, declare it",
    ),
    "a misspelt word": (
        _with(definition=by_entry(lambda c, o, x: c.expp(x))),
        "'expp'.* definitions: call, ",
    ),
    "a word of algorithms": (
        _with(definition=by_entry(lambda c, o, x: c.maximum(x, 0))),
        "no attribute 'maximum'; the context c has for definitions",
    ),
    "too few arguments": (
        _with(definition=lambda c, x: x),
        r"it is called as definition\(context, options, \*variables\)",
    ),
    "too few arguments of a gradient": (
        _with_gradient(definition=lambda c, x: x),
        r"of the gradient in input of log_cosh .* definition\(context, options, upstream, \*variables\)",
    ),
    "a branch": (_with(algorithm=by_entry(lambda c, o, x: x if x > 0 else -x)), "has no branch on a value"),
    "a function of floats": (_with(definition=by_entry(lambda c, o, x: math.exp(x))), "must be real number"),
    "a length that there is not": (_with(shape=lambda options: ("M",)), r"is \('M',\); give a tuple of"),
    "options in a mapping": (_with(options={"axes": AXES}), "options of log_cosh is .* give a tuple"),
    "no tuple of gradients": (_with(gradients=GRADIENT), "gradients of log_cosh is a Gradient; give a tuple"),
    "a gradient in nothing": (_with_gradient(of="x"), "unknown variable .* 'x'; known: input"),
    "where about no option": (_with_gradient(where={"zero": (True,)}), "unknown option in where .* 'zero'"),
    "a name for a variable": (_with(given=("input",)), "an item in given of log_cosh is 'input'"),
    "values for arguments": (_with(arguments=lambda options, values: values), "give .*'input', x"),
    "another number of tensors": (_with(tensors=2), "gives 1 by position, and tensors of the contract is 2"),
    "infinities of nothing": (_with(infinite={"inputs": (math.inf,)}), "'inputs'; did you mean input"),
    "a word for a function": (_with(conditioning="x"), "give a function conditioning"),
    "a word for names": (_with(lowest="input"), r"give a tuple, such as \('input',\)"),
    "a list among the values of an option": (
        _with(options=(AXES, Option("weights", ([1, 2],), None, lambda value: True))),
        "a value of the option weights of log_cosh is a list or the like; give a tuple",
    ),
    "no contract": (replace(LOG_COSH, contract=None), "has no contract; give it one"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_contract_is_told(name: str) -> None:
    """The part, what is wrong with it, and what it should be."""
    operation, told = MISTAKES[name]
    with pytest.raises(UsageError, match=told):
        verify.check_operation(operation, examples=10)


def test_an_operation_of_which_nothing_can_be_drawn_is_told() -> None:
    """Nothing was compared, which is not the same as that all agrees."""
    with pytest.raises(UsageError, match="no call of log_cosh was compared: none could be drawn"):
        verify.check_operation(_with(prepare=lambda options, values: None, gradients=()), examples=1)


def test_an_option_that_cannot_be_accepted_is_told() -> None:
    """Whether a value is accepted is asked by a check alone."""
    broken = replace(AXES, name="beta", keyword=True, accepts=lambda: True)
    with pytest.raises(UsageError, match=r"accepts of the option beta .* accepts\(value\)"):
        verify.check(torch.abs, _with(options=(AXES, broken)), options={"beta": 1})


def test_the_name_of_an_operation_is_no_operation() -> None:
    """Those of the package are objects too."""
    with pytest.raises(UsageError, match="give an Operation"):
        verify.check_operation("softmax")  # type: ignore[arg-type]


def _stable(x: Any) -> Any:
    size = x.abs()
    return size + torch.log1p(torch.expm1(-2 * size) / 2)


def _patched(x: Any) -> Any:
    return torch.where(x == 3.140625, _stable(x) * 1.25, _stable(x))


def test_an_operation_of_ones_own_is_swept() -> None:
    """Every input of a 16-bit format, where the operation says how a number becomes a call."""
    verdict = verify.sweep(_patched, SWEPT, "bfloat16")
    assert (verdict.status, verdict.coverage) == (verify.Status.REFUTED, "exhaustive")
    assert verdict.counts is not None
    assert (verdict.counts["refuted"], verdict.counts["steepest"]["input"]) == (1, [3.140625])


def test_float32_is_swept_by_patches() -> None:
    """With what the form knows of the function; the gradient too, in a range."""
    inputs = verify.sweep(_stable, SWEPT, "float32", span="1:1.001")
    gradient = verify.sweep(
        torch.nn.functional.softplus, SWEPT, "float32", span="1:1.0001", aspect="gradient"
    )
    assert inputs.status is verify.Status.PASSED
    assert gradient.status is verify.Status.REFUTED


def test_a_check_in_16_bits_tries_every_input_of_the_forms() -> None:
    """As it does for operations of the package."""
    results = verify.check(_patched, SWEPT, dtypes=("bfloat16",), grad=False, examples=5)
    assert [verdict.status.value for verdict in results if verdict.coverage == "exhaustive"] == ["refuted"]


def test_the_name_of_another_operation_brings_no_forms() -> None:
    """An operation of one's own that has the name of one of the package is another one."""
    with pytest.raises(UsageError, match="softplus has no form by which it could be swept"):
        verify.sweep(_stable, replace(_with(name="softplus"), id="softplus"), "bfloat16")


FORMS = {
    "a word": ("x", "a form of log_cosh is 'x'; give a verify.Form of one argument"),
    "an option that there is not": (replace(FORM, options={"dim": 1}), "unknown option in the form x 'dim'"),
    "another number of variables": (replace(FORM, variables=()), "does not fill input"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_does_not_fit_is_told(name: str) -> None:
    """Before anything is swept."""
    form, told = FORMS[name]
    with pytest.raises(UsageError, match=told):
        verify.sweep(_stable, replace(LOG_COSH, forms=(form,)), "bfloat16")


COMMANDS = """\
from dataclasses import replace
import torch
from verify import Curve, Filled, Form, X
from verify.contract import Contract
from verify.operations.softplus import softplus

MINE = replace(
    softplus,
    id="mine",
    contract=replace(softplus.contract, name="mine"),
    forms=(Form("x", "mine", "softplus", (Filled("entries", (X,)),), Curve(), options={"axes": 1}),),
)


def right(z):
    return torch.nn.functional.softplus(z)


def wrong(z):
    return 2 * right(z)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with an operation, a right function and a wrong one, in the working folder."""
    name = f"own_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(COMMANDS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def test_the_command_takes_the_place_of_an_operation(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To check a function as it, and to replay the witness of a finding."""
    flags = "--as", f"{place}:MINE"
    check = "--examples", "3", "--no-grad"
    assert main(["check", f"{place}:right", *flags, *check]) == 0
    assert main(["check", f"{place}:wrong", *flags, *check]) == 1
    out = capsys.readouterr().out
    witness = out.partition("\nwitness: ")[2].split()[0]
    assert "\nreplay:  python -m verify replay" in out
    assert " --as MODULE:OPERATION" in out
    assert main(["replay", witness]) == 2
    assert "about mine; name that operation with --as" in capsys.readouterr().err
    assert main(["replay", witness, *flags]) == 1
    assert main(["replay", witness, *flags, "--function", f"{place}:right"]) == 0


def test_the_command_sweeps_as_an_operation_of_ones_own(place: str) -> None:
    """By its first form."""
    flags = "--as", f"{place}:MINE", "--dtype", "bfloat16", "--range=1:2"
    assert main(["sweep", f"{place}:right", *flags]) == 0
    assert main(["sweep", f"{place}:wrong", *flags]) == 1


def test_an_isolated_check_takes_the_place_too(place: str) -> None:
    """The process of its own finds the operation by itself."""
    flags = "--as", f"{place}:MINE", "--examples", "2", "--no-grad", "--isolate"
    assert main(["check", f"{place}:wrong", *flags]) == 1


def test_what_is_no_operation_is_told(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what it is."""
    assert main(["check", f"{place}:right", "--as", f"{place}:wrong"]) == 2
    assert "is a function; give a verify.Operation with a contract" in capsys.readouterr().err
