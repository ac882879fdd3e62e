"""Claims: statements of the catalogue with their derivations, as plain data.

Every formula is a function over a context: ``lambda c, q, y: -c.log(q[y])``. The arguments after
the context are the declared variables of the statement, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from verify.contract import Options
from verify.domain import Declaration
from verify.operation import Operation

Formula = Callable[..., Any]
Relation = Literal["=", "<=", "<"]
Kind = Literal["mathematical", "opinion"]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A named assumption ``left relation right`` beyond what the declarations say.

    With ``over`` given, the two formulas take one more argument, an index that runs over that size,
    and the assumption holds for every value of it. With ``when`` given, it holds where that
    expression (over the same arguments) is > 0.
    """

    name: str
    left: Formula
    relation: Relation
    right: Formula
    over: str | int | None = None
    when: Formula | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation: the previous line stands in ``relation`` to ``to``.

    ``rules`` names what was used beyond ring arithmetic and renaming of bound indices; each must be
    needed. For an inequality, ``gap`` is an expression equal to right minus left whose sign the
    kernel establishes from its form. ``why`` explains the step to a reader.
    """

    to: Formula
    rules: tuple[str, ...] = ()
    why: str = ""
    relation: Relation = "="
    gap: Formula | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A theorem taken from the literature: exact name, library and file or book and number."""

    theorem: str
    source: str


@dataclass(frozen=True, slots=True)
class GradientOf:
    """The gradient that a statement is about: of an operation with a contract, in the variable ``tensor``.

    ``options`` fixes options of the contract, each to a value; the others may have any. ``peer`` is the
    function whose gradient by autograd is measured, called like the torch namesake of the operation
    (`verify.check`); torch's own where it is left out.
    """

    operation: Operation
    tensor: str
    options: Options = field(default_factory=dict, hash=False)
    peer: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One statement: for all ``given`` variables with the ``hypotheses``, left relation right.

    Without ``steps`` and ``citation`` it is a statement to be refuted or, if that fails, for which a
    derivation is looked for. ``numeric`` says whether the
    two sides are also computed by every torch function named for their operations, ``gradient_of`` which
    gradient of a torch function is also measured, and ``unmeasured`` why neither makes sense.
    """

    id: str
    words: str
    given: tuple[Declaration, ...]
    left: Formula
    relation: Relation
    right: Formula
    hypotheses: tuple[Hypothesis, ...] = ()
    steps: tuple[Step, ...] = ()
    lemmas: tuple[Part, ...] = ()
    citation: Citation | None = None
    numeric: bool = False
    gradient_of: GradientOf | None = None
    unmeasured: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """A point of the domain, in exact rationals, at which a statement as worded is false."""

    sizes: tuple[tuple[str, int], ...]
    values: tuple[tuple[str, Any], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry of the catalogue.

    ``section`` is the heading of the source under which the statement stands. ``parts`` are what is
    proved; ``literal``, if given, is the statement as the source words it, which is false: then
    ``witness`` is the point to try first, ``parts`` is empty, ``corrected`` is the claim that does
    hold and ``holds_when`` says under which condition the wording is right.
    """

    id: str
    section: str
    words: str
    assumptions: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    kind: Kind = "mathematical"
    literal: Part | None = None
    witness: Witness | None = None
    corrected: Claim | None = None
    holds_when: tuple[Part, ...] = ()
    remarks: tuple[str, ...] = ()


Number = int | Fraction
