"""Operations of one's own: their declaration looked at, and what its functions raise told in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from verify.contract import Contract, Gradient, Option
from verify.domain import Declaration
from verify.errors import UsageError, VerifyError, unknown
from verify.operation import Operation
from verify.words import kind_of

LONGEST = 200
"""How much of a foreign message is shown, in characters."""

CALLED = {
    "given": "given(options)",
    "shape": "shape(options)",
    "definition": "definition(context, options, *variables)",
    "algorithm": "algorithm(context, options, *variables)",
    "alternatives": "alternative(context, options, *variables)",
    "conditioning": "conditioning(context, options, *variables)",
    "reference": "reference(context, options, *variables)",
    "arguments": "arguments(options, values)",
    "prepare": "prepare(options, values)",
    "moderate": "moderate(format, options, values)",
    "rowwise": "rowwise(options)",
}
"""How the functions of a contract are called."""

OF_GRADIENTS = {
    "definition": "definition(context, options, upstream, *variables)",
    "algorithm": "algorithm(context, options, upstream, *variables)",
    "alternatives": "alternative(context, options, upstream, *variables)",
}
"""How those of a gradient are."""

DEFINITIONS = "call count equal exp family log number pi prod sum xlogy".split()
"""The vocabulary of definitions."""

ALGORITHMS = sorted(
    [*DEFINITIONS, *"abs ceil clamp expm1 log1p log2 max maximum minimum same sqrt standard total".split()]
)
"""That of algorithms."""

_OPTIONAL = ("conditioning", "reference")
_MANY = ("alternatives",)
Function = Callable[..., Any]


def careful(operation: Operation) -> Contract:
    """The contract of an operation; its functions raise ``UsageError`` for what they get wrong.

    So does this for an operation without a contract, and for parts of a wrong kind.
    """
    contract = operation.contract
    if contract is None:
        raise UsageError(f"the operation {operation.id!r} has no contract; give it one to have it checked")
    if not isinstance(contract, Contract):
        raise _kind(f"the contract of {operation.id}", contract, "a Contract")
    _require(contract)
    name = contract.name
    stated = replace(contract, **_functions(contract, CALLED, f"of {name}", contract))
    gradients = tuple(
        replace(g, **_functions(g, OF_GRADIENTS, f"of the gradient in {g.of} of {name}", contract))
        for g in contract.gradients
    )
    options = tuple(
        replace(
            o, accepts=_told(o.accepts, f"accepts of the option {o.name} of {name}", "accepts(value)", ())
        )
        for o in contract.options
    )
    return _shaped(replace(stated, gradients=gradients, options=options))


def _require(contract: Any) -> None:
    """Raise ``UsageError`` for a part of a contract that is of the wrong kind."""
    if not (isinstance(contract.name, str) and contract.name):
        raise _kind("the name of the contract", contract.name, "a text, such as 'log_cosh'")
    if not isinstance(contract.namesake, str):
        raise _kind(f"namesake of {contract.name}", contract.namesake, "a text, such as 'torch.sigmoid'")
    if isinstance(contract.tensors, bool) or not isinstance(contract.tensors, int) or contract.tensors < 1:
        raise _kind(f"tensors of {contract.name}", contract.tensors, "a whole number from 1")
    of = f"of {contract.name}"
    if not callable(contract.given):
        _each(f"given {of}", contract.given, Declaration, "verify.domain.real('input', 'N', 'C')")
    _each(f"gradients {of}", contract.gradients, Gradient, "Gradient('input', definition, algorithm)")
    _each(f"options {of}", contract.options, Option, "verify.tables.AXES")
    _callables(contract, CALLED, of)
    _tuples(f"infinite {of}", contract.infinite, "{'input': (-math.inf,)}")
    _each(f"lowest {of}", contract.lowest, str, "'input'")
    for gradient in contract.gradients:
        _tuples(f"where of the gradient in {gradient.of} {of}", gradient.where, "{'zeros': (False,)}")
        _callables(gradient, OF_GRADIENTS, f"of the gradient in {gradient.of} {of}")
        for name in gradient.where:
            if name not in {option.name for option in contract.options}:
                raise unknown(
                    f"option in where of the gradient in {gradient.of} {of}", name, _names(contract)
                )
    for option in contract.options:
        if not (isinstance(option.values, tuple) and option.values):
            raise _kind(f"values of the option {option.name} {of}", option.values, "a tuple of at least one")
        if not callable(option.accepts):
            raise _kind(f"accepts of the option {option.name} {of}", option.accepts, "a function")
        if not all(isinstance(value, Hashable) for value in option.values):
            raise UsageError(f"a value of the option {option.name} {of} is a list or the like; give a tuple")
    for what, names in (("options", _names(contract)), ("gradients", [g.of for g in contract.gradients])):
        if twice := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"{what} {of} have {twice[0]} twice; name each once")


def _callables(part: Contract | Gradient, roles: Mapping[str, str], of: str) -> None:
    for name, called in roles.items():
        value = getattr(part, name)
        if name in _MANY:
            if not (isinstance(value, tuple) and all(map(callable, value))):
                raise _kind(f"{name} {of}", value, f"a tuple of functions {called}")
        elif name != "given" and not (callable(value) or (value is None and name in _OPTIONAL)):
            raise _kind(f"{name} {of}", value, f"a function {called}")


def _each(what: str, value: Any, kind: type, such: str) -> None:
    if not isinstance(value, tuple):
        raise _kind(what, value, f"a tuple, such as ({such},)")
    for item in value:
        if not isinstance(item, kind):
            raise _kind(f"an item in {what}", item, f"{_articled(kind)}, such as {such}")


def _tuples(what: str, value: Any, such: str) -> None:
    if not (isinstance(value, Mapping) and all(isinstance(item, tuple) for item in value.values())):
        raise _kind(what, value, f"a mapping from name to a tuple, such as {such}")


def _kind(what: str, value: Any, fitting: str) -> UsageError:
    plain = isinstance(value, str | int | float | Mapping | None)
    shown = repr(value)[:LONGEST] if plain else _articled(type(value))
    return UsageError(f"{what} is {shown}; give {fitting}")


def _articled(kind: type) -> str:
    return f"an {kind.__name__}" if kind.__name__[0] in "AEIOU" else f"a {kind.__name__}"


def _names(contract: Contract) -> list[str]:
    return [option.name for option in contract.options]


def _functions(
    part: Contract | Gradient, roles: Mapping[str, str], of: str, contract: Contract
) -> dict[str, Any]:
    """The functions of a contract or a gradient, each as `_told`."""
    assert is_dataclass(part)
    found: dict[str, Any] = {}
    for name in {field.name for field in fields(part)} & roles.keys():
        value, what = getattr(part, name), f"{name} {of}"
        if name in _MANY:
            found[name] = tuple(
                _told(one, f"number {k} of {what}", roles[name], _names(contract))
                for k, one in enumerate(value, start=1)
            )
        elif callable(value):
            found[name] = _told(value, what, roles[name], _names(contract))
    return found


def _told(function: Function, what: str, called: str, options: Iterable[str]) -> Function:
    """A function that raises ``UsageError`` where it raised anything that is not told on purpose."""

    def run(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except VerifyError:
            raise
        except Exception as error:
            raised = error
        told = (str(raised).strip().splitlines() or ["no message"])[0][:LONGEST]
        raise UsageError(
            f"{what} raised {type(raised).__name__}: {told}; {_help(raised, what, called, tuple(options))}"
        ) from raised

    return run


def _help(error: Exception, what: str, called: str, options: tuple[str, ...]) -> str:
    """What to do about an error in a function of a contract."""
    if isinstance(error, KeyError) and error.args and error.args[0] not in options:
        have = f"has {', '.join(options)}" if options else "has none"
        return f"if that is an option, declare it in options of the contract, which {have}"
    if isinstance(error, TypeError) and "positional argument" in str(error):
        return f"it is called as {called}"
    if "'float'" in str(error):
        return "write a constant as a whole number or as c.number(Fraction(1, 10))"
    if "not supported between" in str(error):
        return "a formula has no branch on a value; an algorithm has maximum, minimum, clamp and abs"
    if "context" in called:
        exact = what.startswith("definition")
        kind, known = ("definitions", DEFINITIONS) if exact else ("algorithms", ALGORITHMS)
        return f"the context c has for {kind}: {', '.join(known)}"
    return f"it is called as {called}"


def _shaped(contract: Contract) -> Contract:
    """The contract, its variables, shape, values and arguments looked at each time they are asked for."""
    name = contract.name

    def given(options: Any) -> Any:
        found = contract.variables(options)
        _each(f"given(options) of {name}", found, Declaration, "verify.domain.real('input', 'N', 'C')")
        return found

    def shape(options: Any) -> Any:
        found: Any = contract.shape(options)
        lengths = {"N", "C"} | {s for v in given(options) for s in v.shape if isinstance(s, str)}
        if not isinstance(found, tuple) or not all(isinstance(s, int) or s in lengths for s in found):
            among = ", ".join(sorted(lengths))
            raise UsageError(
                f"shape(options) of {name} is {found!r}; give a tuple of whole numbers and {among}"
            )
        return found

    def arguments(options: Any, values: Any) -> Any:
        found: Any = contract.arguments(options, values)
        if not (
            _is_pair(found) and all(isinstance(part, tuple) and all(map(_is_named, part)) for part in found)
        ):
            raise UsageError(
                f"arguments(options, values) of {name} gives {_count(found)} of another form; give "
                "(('input', x),), (): the pairs of name and value by position, then those by keyword"
            )
        if len(found[0]) != contract.tensors:
            raise UsageError(
                f"arguments(options, values) of {name} gives {len(found[0])} by position, and tensors of the "
                f"contract is {contract.tensors}; make the two agree"
            )
        return found

    def values_of(role: str, *parts: Any) -> Any:
        found, values = getattr(contract, role)(*parts), parts[-1]
        if found is not None and not (isinstance(found, tuple) and len(found) >= len(given(parts[-2]))):
            raise UsageError(
                f"{CALLED[role]} of {name} gives {_count(found)}; give a tuple with a value for each of its "
                f"{len(values)} variables, or None where there are none"
            )
        return found

    return replace(
        contract,
        given=given,
        shape=shape,
        arguments=arguments,
        prepare=lambda *parts: values_of("prepare", *parts),
        moderate=lambda *parts: values_of("moderate", *parts),
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _is_named(value: Any) -> bool:
    return _is_pair(value) and isinstance(value[0], str)


def _count(found: Any) -> str:
    return f"a tuple of {len(found)}" if isinstance(found, tuple) else kind_of(found)
