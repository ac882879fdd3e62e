"""A form: how one number, or two, become a call of an operation, and what is known of the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from verify.contract import Contract
from verify.errors import UsageError


@dataclass(frozen=True, slots=True)
class Argument:
    """The place of an argument of a form, counted from 0."""

    number: int


X, Y = Argument(0), Argument(1)

Entry = Argument | Fraction | int
"""What stands at a place of a tensor: an argument, a number, or a label (an int, from 1)."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A variable of a contract in n calls at once.

    ``along`` says its shape: "entries" (n,) with one entry, "rows" (n, entries), "classes" (entries,),
    the same for all calls.
    """

    along: Literal["entries", "rows", "classes"]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """What is known of the exact value, or gradient, of a form as a function of its argument.

    The arguments judged are the numbers of a format in ``low``..``high`` but for those in ``without``.
    ``rational``: the arguments at which the function is rational, None for all; elsewhere, by the
    theorem of Lindemann and Weierstrass, its value is transcendental, and so never a float. Between
    0, the intervals ``turns`` and the ends it is strictly monotone, or constant. ``limits``: its limits at
    -inf and inf, where these are ends and the limits are numbers.
    """

    low: float = -math.inf
    high: float = math.inf
    without: tuple[float, ...] = ()
    rational: tuple[float, ...] | None = ()
    turns: tuple[tuple[float, float], ...] = ()
    limits: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Form:
    """A call of an operation with all but one or two numbers fixed, and the number of the result looked at.

    ``variables`` has one entry for each variable of the contract. ``column`` is the place of the
    number in its row of the result, None where each call has one number. The gradient is that in
    the first argument, which stands in ``variables[of]``. ``shift``: for two arguments the value is
    ``scale`` times ``core`` (softplus or sigmoid) of ``sign`` (second - first), plus the second
    argument where ``shift``. ``owner``: the operation of a form of a user's own, an `Operation`; of the forms
    of this package the name says which.
    """

    name: str
    operation: str
    words: str
    variables: tuple[Filled, ...]
    value: Curve
    gradient: Curve | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    column: int | None = None
    of: int = 0
    arity: int = 1
    core: Literal["softplus", "sigmoid", ""] = ""
    sign: int = 1
    scale: int = 1
    shift: bool = False
    owner: Any = None

    @property
    def id(self) -> str:
        """The operation and the name, joined by a colon."""
        return f"{self.operation}:{self.name}"

    def settings(self, contract: Contract) -> dict[str, Any]:
        """The value of every option of the contract."""
        return {option.name: option.default for option in contract.options} | dict(self.options)

    @property
    def place(self) -> int:
        """The place of the first argument in its row, which is that of the gradient looked at."""
        return self.variables[self.of].entries.index(X)

    def curve(self, aspect: str) -> Curve:
        """What is known of the value, or of the gradient."""
        curve = self.value if aspect == "value" else self.gradient
        if curve is None:
            raise UsageError(f"the form {self.name} of {self.operation} has no {aspect}; give value")
        return curve
