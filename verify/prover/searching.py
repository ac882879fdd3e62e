"""Searching: the steps of a statement that has none, checked by the kernel and written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from verify.claim import Part, Step
from verify.contexts.code import axes, code
from verify.domain import Declaration
from verify.errors import UsageError
from verify.kernel.build import build
from verify.kernel.defined import require_defined
from verify.kernel.derivation import Derivation, assumptions, derive
from verify.kernel.interpret import Interpreter
from verify.kernel.terms import Term
from verify.prover.clock import Clock
from verify.prover.identities import Move, identity
from verify.prover.inequalities import inequality

SECONDS = 10.0
"""How long a statement is searched for, unless told otherwise."""

WHY = "Found by the prover."


@dataclass(frozen=True, slots=True)
class Search:
    """What a search came to: the derivation that the kernel checked and its text, or what was tried."""

    derivation: Derivation | None = None
    text: str = ""
    tried: str = ""


def require_time(seconds: object) -> None:
    """Raise UsageError for what is not a number of seconds from 0."""
    if not (isinstance(seconds, int | float) and 0 <= seconds < float("inf")):
        raise UsageError(f"time_limit={seconds!r} is no time; give a number of seconds, 0 for no search")


def search(part: Part, seconds: float = SECONDS) -> Search:
    """Look for a derivation of a statement for so many seconds.

    The sides of an equation are brought together by a set of rules, in one step or two; for an inequality
    a sum of known inequalities is looked for that lies between the sides. Whatever is found counts only if
    the kernel derives it. Raises ``KernelError`` for a statement that has no value somewhere, and
    ``UsageError`` for a time that is none.
    """
    require_time(seconds)
    given = assumptions(part)
    left, right = build(part.left, part.given), build(part.right, part.given)
    for side in (left, right):
        require_defined(given, side)
    clock = Clock(seconds)
    if part.relation == "=":
        moves = identity(clock, given, left, right)
    else:
        moves = inequality(clock, given, left, part.relation, right)
    if moves is not None:
        steps = tuple(_step(move, part, last=move is moves[-1]) for move in moves)
        derivation = clock.attempt(partial(derive, replace(part, steps=steps)), share=1)
        if derivation is not None:
            return Search(derivation, _written(moves, part))
    return Search(tried=_told(clock))


def _step(move: Move, part: Part, *, last: bool) -> Step:
    to = part.right if last else _formula(move.to, part.given)
    gap = _formula(move.gap, part.given) if move.gap is not None else None
    return Step(to, move.rules, WHY, move.relation, gap)  # type: ignore[arg-type]


def _formula(t: Term, given: tuple[Declaration, ...]) -> Callable[..., Any]:
    """A term as the formula that builds it in any context."""

    def formula(c: Any, *arguments: Any) -> Any:
        values = dict(zip((d.name for d in given), arguments, strict=True))
        return Interpreter(c, values, axes(given, values))(t)

    return formula


def _written(moves: tuple[Move, ...], part: Part) -> str:
    """The steps as Python text, one a line, to be pasted into the part."""
    lines = []
    for move in moves:
        fields = [code(move.to, part.given), _tuple(move.rules), f'"{WHY}"']
        if move.gap is not None:
            fields += [f'"{move.relation}"', code(move.gap, part.given)]
        lines.append(f"Step({', '.join(fields)}),")
    return "\n".join(lines)


def _tuple(names: tuple[str, ...]) -> str:
    inner = ", ".join(f'"{name}"' for name in names)
    return f"({inner},)" if len(names) == 1 else f"({inner})"


def _told(clock: Clock) -> str:
    if not clock.seconds:
        return "none was looked for"
    counts = ", ".join(f"{count} {kind}" for kind, count in clock.attempts.items())
    end = f"the {clock.seconds:g} s were over" if clock.over else "all were tried"
    return f"none was found: {counts}; {end}"
