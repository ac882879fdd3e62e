"""Reduction: a wide call that refutes, made narrower and plainer for as long as it still does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from verify.backends import load_torch
from verify.calls import Call
from verify.contract import mapped
from verify.domain import Declaration
from verify.points import length_of
from verify.wide import Wide

TRIES = 60
"""Calls that each kind of step tries at most."""

SOON = 2
"""Calls with zeros that are tried before all else: exact values of what is alike are computed once."""

MANY, IN_A_ROW = 10_000, 12
"""An axis longer than this is left as it is after so many pieces in a row that had to stay.

Its length is then the fault, and to find where that begins would take seconds.
"""

FIRST = (1, 2, 8, 64, 512)
"""Lengths of the beginning of a long axis that are tried before all else, as they cost next to nothing.

Labels of classes that are cut become others here; one class has no loss.
"""

RELABELLED = 1_024
"""Classes up to which labels become others where pieces are dropped, too."""


def reduced(call: Call, refutes: Callable[[Call], bool]) -> Call:
    """The simplest call that was found to refute still, starting from one that does.

    First zeros wherever that is seen at once, then fewer rows, then fewer columns, then less of further axes,
    then plain options, layout and upstream gradient, then as many zeros as can be.
    """
    call = _more_zeros(call, _Limited(refutes, SOON))
    for axis in ("N", "C", *(name for name in call.lengths if name not in ("N", "C"))):
        call = _shorter(call, axis, _Limited(refutes))
    for step in (_plainer, _more_zeros):
        call = step(call, _Limited(refutes))
    return call


@dataclass(slots=True)
class _Limited:
    """Whether a call refutes still, for as long as there are tries left."""

    refutes: Callable[[Call], bool]
    left: int = TRIES

    def __call__(self, candidate: Call | None) -> bool:
        """False without a call, and once no try is left."""
        if candidate is None or self.left <= 0:
            return False
        self.left -= 1
        return self.refutes(candidate)


def _shorter(call: Call, axis: str, keeps: _Limited) -> Call:
    """Keep the beginning of an axis, or drop pieces, from halves to single positions, while it refutes.

    An axis along which a variable sums to 1 is left as it is.
    """
    if not _as_declared(call) or _sums_along(call, axis):
        return call
    for few in FIRST:
        fewer = few < call.lengths.get(axis, 1)
        begun = selected(call, axis, list(range(few)), relabel=True) if fewer else None
        if begun is not None and keeps(begun):
            call = begun
            break
    piece, stayed = call.lengths.get(axis, 1) // 2, 0
    while piece and keeps.left:
        at = 0
        while keeps.left and at < call.lengths[axis] and call.lengths[axis] > 1:
            length = call.lengths[axis]
            kept = [*range(at), *range(min(at + piece, length), length)]
            shorter = selected(call, axis, kept, relabel=length <= RELABELLED) if kept else None
            if shorter is not None and keeps(shorter):
                call, stayed = shorter, 0
            else:
                at, stayed = at + piece, stayed + 1
            if stayed == IN_A_ROW and call.lengths[axis] > MANY:
                return call
        piece = piece // 4 if piece > 64 else piece // 2
    return call


def rows_of(call: Call, start: int, stop: int) -> Call:
    """The call with the rows from ``start`` to before ``stop`` alone."""

    def sliced(value: Any, shape: tuple[Any, ...]) -> Any:
        if shape[:1] != ("N",):
            return value
        return Wide(value.tensor[start:stop]) if isinstance(value, Wide) else value[start:stop]

    variables = call.contract.variables(call.options)
    values = tuple(sliced(value, v.shape) for value, v in zip(call.values, variables, strict=True))
    upstream = sliced(call.upstream, tuple(call.contract.shape(call.options)))
    return replace(call, lengths={**call.lengths, "N": stop - start}, values=values, upstream=upstream)


def without_rows(call: Call) -> Call | None:
    """The call with an empty batch; None where it has no batch, or its axes do not lie as declared.

    A function along the axis of the batch would be one of no entries, which is another matter.
    """
    variables = call.contract.variables(call.options)
    along = "dim" in call.options and call.options["dim"] % call.options["axes"] == 0
    if along or not any(variable.shape[:1] == ("N",) for variable in variables) or not _as_declared(call):
        return None
    empty, torch = rows_of(call, 0, 0), load_torch()
    values = tuple(
        Wide(torch.empty([length_of(size, empty.lengths) for size in variable.shape], dtype=torch.int64))
        if variable.domain.kind == "index" and variable.shape[:1] == ("N",)
        else value
        for variable, value in zip(variables, empty.values, strict=True)
    )
    return replace(empty, values=values, expanded=False, layout="contiguous")


def _as_declared(call: Call) -> bool:
    """Whether the axes of all values lie as they are declared: distributions may have been turned."""
    if not any(variable.domain.sums_to_one for variable in call.contract.variables(call.options)):
        return True
    axes = call.options.get("axes", 2)
    return bool(axes < 3 and call.options.get("dim", axes - 1) % axes == axes - 1)


def _sums_along(call: Call, axis: str) -> bool:
    """Whether numbers that have to sum to 1 lie along an axis."""
    declared = call.contract.variables(call.options)
    return any(v.domain.sums_to_one and v.shape[-1:] == (axis,) for v in declared)


def selected(call: Call, axis: str, kept: list[int], *, relabel: bool = False) -> Call | None:
    """The call with these positions of an axis, in this order.

    None where a label is not among them, where the ignored label would be another class, or where the axes
    of a value do not lie as they are declared. With ``relabel`` such a label becomes one that is among them,
    unless a class is ignored.
    """
    ignored = call.options.get("ignore_index")
    relabel = relabel and not (ignored is not None and 0 <= ignored < call.lengths.get(axis, 1))
    moved = axis == "C" and ignored is not None and 0 <= ignored < len(kept) and kept[ignored] != ignored
    if moved or not _as_declared(call):
        return None
    declared = call.contract.variables(call.options)
    if len(declared) != len(call.values):
        return None
    values = []
    for variable, value in zip(declared, call.values, strict=True):
        cut = _selected(variable, value, axis, kept, relabel)
        if cut is None:
            return None
        values.append(cut)
    upstream: Any = call.upstream
    for place, name in enumerate(call.contract.shape(call.options)):
        if name == axis:
            upstream = _taken(upstream, place, kept)
    return replace(call, lengths={**call.lengths, axis: len(kept)}, values=tuple(values), upstream=upstream)


def _selected(variable: Declaration, value: Any, axis: str, kept: list[int], relabel: bool) -> Any:
    if variable.domain.kind == "index" and variable.domain.bound == axis:
        place = {position + 1: number + 1 for number, position in enumerate(kept)}
        value = _relabelled(value, place, relabel)
        if value is None:
            return None
    for dimension, name in enumerate(variable.shape):
        if name == axis:
            value = _taken(value, dimension, kept)
    return value


def _relabelled(value: Any, place: dict[int, int], relabel: bool) -> Any:
    """Labels as they are among the positions kept; None, or another one, where one of them is gone."""
    if not isinstance(value, tuple):
        if relabel and isinstance(value, int) and value not in place:
            return (value - 1) % len(place) + 1
        return place.get(value)
    found = tuple(_relabelled(item, place, relabel) for item in value)
    return None if any(item is None for item in found) else found


def _taken(value: Any, dimension: int, kept: list[int]) -> Any:
    if isinstance(value, Wide):
        return Wide(value.tensor[(slice(None),) * dimension + (kept,)])
    if dimension:
        return tuple(_taken(item, dimension - 1, kept) for item in value)
    return tuple(value[position] for position in kept)


def _plainer(call: Call, keeps: _Limited) -> Call:
    for simpler in _plain_forms(call):
        changed = simpler(call)
        if keeps(changed):
            call = changed
    return call


def _plain_forms(call: Call) -> Iterator[Callable[[Call], Call]]:
    yield lambda c: replace(c, layout="contiguous")
    yield lambda c: replace(c, tracked=False)
    yield lambda c: replace(c, upstream=_ones(c.upstream), expanded=False)


def _ones(upstream: Any) -> Any:
    return mapped(lambda number: 0 * number + 1, upstream)


def _more_zeros(call: Call, keeps: _Limited) -> Call:
    """Zeros for pieces of each wide variable that may be 0, from all of it to 64th parts."""
    given = {name for part in call.arguments for name, _ in part}
    for number, variable in enumerate(call.contract.variables(call.options)[: len(call.values)]):
        value = call.values[number]
        domain = variable.domain
        if variable.name not in given or not isinstance(value, Wide) or domain.kind != "real":
            continue
        if domain.sums_to_one or domain.sign == "positive" or _derived_from(call, given, variable):
            continue
        for parts in (1, 2, 8, 32):
            call = _zeroed(call, number, parts, keeps)
    return call


def _derived_from(call: Call, given: set[str], variable: Declaration) -> bool:
    """Whether entries of one that is not passed were derived from those of a variable."""
    declared = call.contract.variables(call.options)
    return any(v.name not in given and v.shape == variable.shape for v in declared)


def _zeroed(call: Call, number: int, parts: int, keeps: _Limited) -> Call:
    for part in range(parts):
        tensor = call.values[number].tensor
        plain = tensor.flatten().clone()
        start, stop = part * plain.numel() // parts, (part + 1) * plain.numel() // parts
        if not plain[start:stop].count_nonzero():
            continue
        plain[start:stop] = 0
        values = (*call.values[:number], Wide(plain.reshape(tensor.shape)), *call.values[number + 1 :])
        if keeps(replace(call, values=values)):
            call = replace(call, values=values)
    return call
