"""Forms: those of every operation that can be tried on every input, and how they are found."""

from __future__ import annotations

import functools
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

from verify.contract import Contract
from verify.errors import UsageError, unknown
from verify.form import Curve, Entry, Filled, Form, X, Y
from verify.operation import Operation
from verify.operations import is_known, operations_with_contract
from verify.own import careful

ENTRIES: Literal["entries"] = "entries"
ROWS: Literal["rows"] = "rows"
ONE, ZERO = Fraction(1), Fraction(0)
_RISING = Curve(limits=(0.0, None))
"""Softplus, as a function of x."""
_FALLING = Curve(limits=(None, 0.0))
"""Softplus of -x, or with another sign."""
_ANY = Curve()
_BELL = Curve(rational=(0.0,), turns=((0.0, 0.0),), limits=(0.0, 0.0))
"""sigmoid(x) sigmoid(-x), or with another sign."""


def _step(low: float, high: float) -> Curve:
    """A sigmoid that goes from one limit to the other."""
    return Curve(rational=(0.0,), limits=(low, high))


_AT_1_OF_E = ((0.3671875, 0.3681640625),)
"""Where p log p turns: around 1 / e = 0.36787944..."""
_LEAST = 2.0**-144
"""Below exp(-100) torch, as documented, clamps the logarithm of a probability."""


def _entrywise(*entries: Entry) -> tuple[Filled, ...]:
    return tuple(Filled(ENTRIES, (entry,)) for entry in entries)


def _rows(*entries: Entry, label: int | None = None) -> tuple[Filled, ...]:
    """Rows of logits; with a label also that, class weights of 1, and 1 for each row that is kept."""
    logits = Filled(ROWS, entries)
    if label is None:
        return (logits,)
    return (
        logits,
        Filled(ENTRIES, (label,)),
        Filled("classes", (ONE,) * len(entries)),
        Filled(ENTRIES, (ONE,)),
    )


_FLAT = {"axes": 1}
_LOSS = {"axes": 1, "reduction": "none"}
_TABLE = {"dim": -1}
_NONE = {"reduction": "none"}

_LOGISTIC = (
    Form("x", "sigmoid", "sigmoid(x)", _entrywise(X), _step(0, 1), _BELL, _FLAT),
    Form("x", "logsigmoid", "logsigmoid(x)", _entrywise(X), _FALLING, _step(1, 0), _FLAT),
    Form("x", "softplus", "softplus(x)", _entrywise(X), _RISING, _step(0, 1), _FLAT),
    *(
        Form(
            f"target-{t}",
            "binary_cross_entropy_with_logits",
            f"the loss of the logit x at target {t}",
            _entrywise(X, Fraction(t), ONE, ONE),
            (_RISING, _FALLING)[t],
            _step(-t, 1 - t),
            _LOSS,
        )
        for t in (0, 1)
    ),
)

_TWO_CLASSES = (
    *(
        Form(
            name,
            "softmax",
            f"{name} entry of softmax of (x, 0)",
            _rows(X, ZERO),
            _step(column, 1 - column),
            _BELL,
            _TABLE,
            column,
        )
        for column, name in enumerate(("first", "second"))
    ),
    *(
        Form(
            name,
            "log_softmax",
            f"{name} entry of log_softmax of (x, 0)",
            _rows(X, ZERO),
            (_FALLING, _RISING)[column],
            _step(1 - column, -column),
            _TABLE,
            column,
        )
        for column, name in enumerate(("first", "second"))
    ),
    *(
        Form(
            f"label-{y}",
            "cross_entropy",
            f"the loss of the logits (x, 0) with label {y}",
            _rows(X, ZERO, label=y + 1),
            (_FALLING, _RISING)[y],
            _step(y - 1, y),
            _NONE,
        )
        for y in (0, 1)
    ),
    Form("first", "logsumexp", "logsumexp of (x, 0)", _rows(X, ZERO), _RISING, _step(0, 1), _TABLE),
)

_PROBABILITIES = (
    Form(
        "p",
        "entropy",
        "-p log p, the entropy of a row with one entry p",
        _rows(X),
        Curve(0.0, 1.0, rational=(0.0, 1.0), turns=_AT_1_OF_E),
        Curve(0.0, 1.0, (0.0,), rational=(1.0,)),
        _TABLE,
    ),
    Form(
        "p",
        "kl_div",
        "p log p, the term of a target p at log q = 0",
        _entrywise(ZERO, X),
        Curve(0.0, 1.0, rational=(0.0, 1.0), turns=_AT_1_OF_E),
        Curve(0.0, 1.0, (0.0,), rational=(1.0,)),
        _LOSS,
        of=1,
    ),
    Form(
        "log-p",
        "kl_div",
        "exp(t) t, the term of a target t = log p at log q = 0",
        _entrywise(ZERO, X),
        Curve(high=0.0, rational=(0.0,), turns=((-1.0, -1.0),), limits=(0.0, None)),
        Curve(high=0.0, rational=(0.0, -1.0), turns=((-2.0, -2.0),), limits=(0.0, None)),
        _LOSS | {"log_target": True},
        of=1,
    ),
    Form(
        "p",
        "rel_entr",
        "p log p, the term of p at q = 1",
        _entrywise(X, ONE),
        Curve(0.0, 1.0, rational=(0.0, 1.0), turns=_AT_1_OF_E),
        Curve(0.0, 1.0, (0.0,), rational=(1.0,)),
        _FLAT,
    ),
    Form(
        "q",
        "rel_entr",
        "-log q, the term of q at p = 1",
        _entrywise(ONE, X),
        Curve(0.0, 1.0, (0.0,), rational=(1.0,)),
        Curve(0.0, 1.0, (0.0,), rational=None),
        _FLAT,
        of=1,
    ),
    Form(
        "target-0",
        "binary_cross_entropy",
        "-log(1 - p), the loss of p at target 0",
        _entrywise(X, ZERO, ONE),
        Curve(_LEAST, 1.0, (1.0,)),
        Curve(_LEAST, 1.0, (1.0,), rational=None),
        _LOSS,
    ),
    Form(
        "target-1",
        "binary_cross_entropy",
        "-log p, the loss of p at target 1",
        _entrywise(X, ONE, ONE),
        Curve(_LEAST, 1.0, rational=(1.0,)),
        Curve(_LEAST, 1.0, (1.0,), rational=None),
        _LOSS,
    ),
    Form(
        "log-p",
        "nll_loss",
        "-x, the loss of a log-probability x",
        _rows(X, label=1),
        Curve(high=0.0, rational=None),
        Curve(high=0.0, rational=None),
        _NONE,
    ),
)

_PAIRS = (
    Form(
        "pair",
        "softmax",
        "first entry of softmax of (x, y)",
        _rows(X, Y),
        _ANY,
        options=_TABLE,
        column=0,
        arity=2,
        core="sigmoid",
        sign=-1,
    ),
    Form(
        "pair",
        "log_softmax",
        "first entry of log_softmax of (x, y)",
        _rows(X, Y),
        _ANY,
        options=_TABLE,
        column=0,
        arity=2,
        core="softplus",
        scale=-1,
    ),
    Form(
        "pair",
        "cross_entropy",
        "the loss of the logits (x, y) with label 0",
        _rows(X, Y, label=1),
        _ANY,
        options=_NONE,
        arity=2,
        core="softplus",
    ),
    Form(
        "pair",
        "logsumexp",
        "logsumexp of (x, y)",
        _rows(X, Y),
        _ANY,
        options=_TABLE,
        arity=2,
        core="softplus",
        sign=-1,
        shift=True,
    ),
)

FORMS = (*_LOGISTIC, *_TWO_CLASSES, *_PROBABILITIES, *_PAIRS)


@functools.cache
def forms_of(operation: str, arity: int | None = None) -> tuple[Form, ...]:
    """The forms of an operation, by the name of its contract; of one or of two arguments, or all."""
    return tuple(f for f in FORMS if f.operation == operation and arity in (None, f.arity))


def forms_for(operation: str | Operation) -> tuple[Form, ...]:
    """The forms of an operation of this package, or of a user's own.

    ``UsageError`` for forms of one's own that are none, of two arguments, or about other variables.
    """
    if isinstance(operation, str):
        return forms_of(operation)
    if operation.contract is None:
        raise UsageError(f"the operation {operation.id!r} has no contract; give it one to have it swept")
    if is_known(operation):
        return forms_of(operation.contract.name)
    return tuple(_owned(form, operation, careful(operation)) for form in operation.forms)


def _owned(form: Any, operation: Operation, contract: Contract) -> Form:
    """A form of an operation of one's own, with that operation."""
    if not (isinstance(form, Form) and form.arity == 1):
        raise UsageError(f"a form of {operation.id} is {form!r}; give a verify.Form of one argument")
    if other := [name for name in form.options if name not in {o.name for o in contract.options}]:
        raise unknown(f"option in the form {form.name}", other[0], [o.name for o in contract.options])
    names = [variable.name for variable in contract.variables(form.settings(contract))]
    if len(form.variables) != len(names) or X not in [
        e for v in form.variables[form.of :][:1] for e in v.entries
    ]:
        raise UsageError(
            f"the form {form.name} of {operation.id} does not fill {', '.join(names)}; give an entry in "
            f"variables for each, with the argument X in that of number {form.of}"
        )
    return replace(form, operation=contract.name, owner=operation)


def form_named(operation: str | Operation, name: str | None) -> Form:
    """The form of that name; the first where no name is given. ``UsageError`` where there is none."""
    known = {form.name: form for form in forms_for(operation)}
    told = operation if isinstance(operation, str) else operation.id
    if not known:
        if isinstance(operation, Operation):
            raise UsageError(f"{told} has no form by which it could be swept; give it forms=(Form(...),)")
        with_forms = ", ".join(sorted({form.operation for form in FORMS}))
        raise UsageError(
            f"{told} is no function of one or two numbers; operations that can be swept: {with_forms}; "
            "one of your own with forms"
        )
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise unknown(f"form of {told}", name, known, {form.name: form.words for form in known.values()})
    return known[name]


def contract_of_form(form: Form) -> Contract:
    """The contract of the operation of a form."""
    if form.owner is not None:
        return careful(form.owner)
    contract = operations_with_contract()[form.operation].contract
    if contract is None:
        raise UsageError(f"the operation {form.operation!r} has no contract")
    return contract
