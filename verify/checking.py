"""Checking: a candidate against the contract of an operation, on drawn calls, element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from verify.backends import torch_dtype
from verify.candidate import fitted, takes
from verify.cases import read_witness
from verify.consistency import look_first
from verify.contexts.heights import Height, declared
from verify.contract import Contract
from verify.elements import choices_for, properties
from verify.errors import UsageError, unknown
from verify.floats import Device, Dtype, name_of_torch
from verify.operation import Operation
from verify.operations import is_known, operations_with_contract
from verify.own import careful
from verify.results import Results
from verify.search import Search
from verify.signatures import attribute, require_function
from verify.sweeps.everywhere import Everywhere, everywhere
from verify.verdict import Verdict
from verify.words import kind_of

EXAMPLES = 100
"""Calls that are drawn for each property in each dtype on each device, unless told otherwise."""

LEVELS = ("stable", "upcast", "accurate")


def check(
    candidate: Callable[..., Any],
    operation: str | Operation,
    *,
    dtypes: Sequence[Dtype] = ("float32",),
    devices: Sequence[Device] = ("cpu",),
    grad: bool = True,
    level: str = "stable",
    height: Height = None,
    options: Mapping[str, Any] | None = None,
    examples: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
) -> Results:
    """Check a function that computes an operation: its values, its gradient and its side effects.

    ``candidate`` has the signature of its torch namesake: torch tensors in and out, options as
    keywords. ``operation``: a name such as "cross_entropy", or an `Operation` with a contract.
    ``dtypes`` and ``devices``: names, or objects of torch such as torch.float32 and torch.device("cpu").
    ``options`` fixes options, each to a value or to a list of values to draw from; the others are
    drawn. ``examples``: calls per property, dtype and device, 100 if None. ``time_limit``: seconds for
    each verdict, looked at between calls; one call is interrupted after as many, at most 60. The same
    ``seed`` gives the same calls.

    Every element is compared with an enclosure of its exact value, in ulp of the dtype, within the
    bound of the standard stable algorithm (level "stable", docs/bounds.md), in a 16-bit dtype within that of
    the algorithm in float32, its result rounded once (level "upcast"), or values within what their
    conditioning allows (level "accurate", verify/accuracy.py). ``height`` declares how the function adds, to
    hold it to a tighter bound: additions in a row as a whole number, "pairwise", or "lanes:K"
    (verify/contexts/heights.py); None allows every order. Returns one verdict for
    each device, dtype and property ("value", "gradient", "gradient of" a further tensor, "side
    effects"). A device that is absent gives verdicts that are unknown. Raises ``UsageError`` for a
    name or number that makes no sense.
    """
    searches = plan(
        candidate,
        operation,
        dtypes=dtypes,
        devices=devices,
        grad=grad,
        level=level,
        height=height,
        options=options,
        examples=examples,
        seed=seed,
        time_limit=time_limit,
    )
    return Results(tuple(search.verdict() for search in searches))


def plan(
    candidate: Callable[..., Any],
    operation: str | Operation,
    *,
    dtypes: Sequence[Dtype] = ("float32",),
    devices: Sequence[Device] = ("cpu",),
    grad: bool = True,
    level: str = "stable",
    height: Height = None,
    options: Mapping[str, Any] | None = None,
    examples: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
) -> tuple[Search | Everywhere, ...]:
    """The searches of a `check` with these arguments, none of them begun, each good for one verdict."""
    stated = contract_of(operation)
    if isinstance(operation, Operation) and not is_known(operation):
        look_first(operation)
    require_function(candidate)
    contract = fitted(stated, candidate)
    if not isinstance(grad, bool):
        raise UsageError(f"grad is {grad!r}; give True or False")
    if level not in LEVELS:
        raise unknown("level", str(level), LEVELS)
    count = _whole("examples", EXAMPLES if examples is None else examples, least=1)
    if time_limit is not None and not (_is_number(time_limit) and time_limit > 0):
        raise UsageError(f"time_limit is {time_limit!r}; give a number of seconds above 0, or None")
    order = declared(height)
    effort = count, _whole("seed", seed, least=0), time_limit
    choices, declined = _choices(contract, options or {}, candidate)
    formats = names_given("dtypes", dtypes, "float32", "bfloat16")
    for dtype in formats:
        torch_dtype(dtype)
    planned: list[Search | Everywhere] = []
    for device in names_given("devices", devices, "cpu", "cuda"):
        for dtype in formats:
            planned += (
                Search(
                    candidate, contract, drawn, declined, aspect, dtype, device, grad, *effort, level, order
                )
                for aspect in properties(contract, grad=grad)
                if all((drawn := choices_for(aspect, contract, choices)).values())
            )
            if level == "stable":
                planned += everywhere(
                    candidate,
                    operation,
                    options or {},
                    dtype=dtype,
                    device=device,
                    grad=grad,
                    time_limit=time_limit,
                )
    return tuple(planned)


def replay(
    candidate: Callable[..., Any], witness: str, *, operation: str | Operation | None = None
) -> Verdict:
    """Judge a candidate on the one call that a witness holds, bit by bit.

    ``witness``: the line that a failure prints and a refuted `Verdict` carries. ``operation``: the
    one that the witness is about; only an operation of one's own has to be given. Raises
    ``UsageError`` for a text that is not a whole witness of that operation.
    """
    require_function(candidate)
    known = None if operation is None else contract_of(operation)

    def named(name: str) -> Contract:
        if known is not None and known.name != name:
            raise UsageError(f"the witness is about {name}, not about {known.name}")
        return fitted(known or contract_of(name), candidate)

    case = read_witness(witness, named)
    search = Search(
        candidate,
        case.call.contract,
        {},
        "",
        case.aspect,
        case.dtype,
        case.device,
        case.grad,
        1,
        0,
        None,
        case.level,
        case.height,
    )
    return search.replayed(case.call)


def contract_of(operation: str | Operation) -> Contract:
    """The contract of an operation, or of the operation whose contract has that name."""
    if isinstance(operation, Operation):
        if operation.contract is not None and is_known(operation):
            return operation.contract
        return careful(operation)
    if not isinstance(operation, str):
        raise UsageError(f"the operation is {kind_of(operation)}; give its name or an Operation")
    known = operations_with_contract()
    if operation not in known:
        raise unknown("operation", operation, known)
    contract = known[operation].contract
    if contract is None:
        raise UsageError(f"the operation {operation!r} has no contract")
    return contract


def _choices(
    contract: Contract, asked: Mapping[str, Any], candidate: Callable[..., Any]
) -> tuple[dict[str, tuple[Any, ...]], str]:
    """The values to draw for each option, and a word on the options that the candidate does not take.

    Those asked for are drawn as asked; one that the candidate does not take stays at its default.
    """
    if not isinstance(asked, Mapping):
        raise UsageError(f"options is {kind_of(asked)}; give a mapping from name to value")
    known = {option.name: option for option in contract.options}
    picked = {name: option.values for name, option in known.items()}
    for name, value in asked.items():
        if name not in known:
            raise unknown(f"option of {contract.name}", name, known)
        picked[name] = tuple(value) if isinstance(value, list | tuple) else (value,)
        if not picked[name]:
            raise UsageError(f"option {name} of {contract.name} has no values; give at least one")
        for one in picked[name]:
            if not known[name].accepts(one):
                fitting = known[name].rule or "one of " + ", ".join(map(repr, known[name].values))
                raise UsageError(f"option {name} of {contract.name} is {one!r}; give {fitting}")
    lacking = [
        name
        for name, option in known.items()
        if name not in asked
        and option.keyword
        and option.default in option.values
        and not takes(candidate, contract.tensors, name)
    ]
    picked.update((name, (known[name].default,)) for name in lacking)
    options = "1 option" if len(lacking) == 1 else f"{len(lacking)} options"
    names = (
        name if known[name].absent is None else f"{name}, taken to be {known[name].absent}"
        for name in lacking
    )
    told = [f"not applicable: {options} that it does not take: {', '.join(names)}"] if lacking else []
    built_in = {name: attribute(candidate, name) for name in lacking}
    told += _untried({name: held for name, held in built_in.items() if isinstance(held, int | float | str)})
    asking = [
        name
        for name in asked
        if known[name].keyword
        and set(picked[name]) != {known[name].default}
        and not takes(candidate, contract.tensors, name)
    ]
    return picked, "; ".join([*told, *map(_around, asking)])


def _untried(built_in: dict[str, Any]) -> list[str]:
    """That options which a module has built in are not tried, and how they can be."""
    if not built_in:
        return []
    held = ", ".join(f"{name} = {value!r}" for name, value in built_in.items())
    name, value = next(iter(built_in.items()))
    how = f"lambda *tensors, {name}: f(*tensors) in the place of f, with options={{{name!r}: {value!r}}}"
    return [f"not tried: {held}, which it has built in; to have one tried, give {how}"]


def _around(name: str) -> str:
    """How to check a function in which an option that is asked for is built in."""
    return f"where {name} is built in, give lambda *tensors, {name}: f(*tensors) in the place of f"


def names_given(what: str, names: Any, *usual: str) -> tuple[str, ...]:
    """The names of dtypes or devices that were given as such or as objects of torch; ``usual`` are some.

    Raises ``UsageError`` for what is no tuple or list of such.
    """
    if names is None:
        raise UsageError(f"{what} is None; leave it out for {usual[0]}, or give a tuple such as {usual!r}")
    found = tuple(map(name_of_torch, names)) if isinstance(names, list | tuple) else None
    if found is None or not all(isinstance(name, str) for name in found):
        one = name_of_torch(names)
        fitting = found or (one if isinstance(one, str) else usual[0],)
        raise UsageError(f"{what} is {names!r}; give a tuple of names, such as {tuple(map(str, fitting))!r}")
    if not found:
        raise UsageError(f"{what} is {names!r}; name at least one")
    return found


def _whole(what: str, value: Any, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{what} is {value!r}; give a whole number from {least}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
