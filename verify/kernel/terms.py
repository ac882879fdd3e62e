"""Terms: the kernel's own syntax tree, locally nameless, so that no substitution can capture.

A bound index is a number (how many binders out), a free index is a name; hence two terms that
differ only in the names of bound indices are the same object. Scalars and indices share one class.

Heads of scalars: ``num`` (data: Fraction), ``pi``, ``var`` (name), ``app`` (family name; args: indices),
``size`` (name of a length), ``add``, ``mul``, ``div``, ``pow`` (data: whole exponent), ``inv``,
``exp``, ``log``, ``xlogy``, ``ceil``, ``delta`` (args: two indices), ``sum`` and ``prod`` (data:
size; args: body), ``call`` (data: Operation; args: body, then what it was applied to, for display
only), ``diff`` (a partial derivative; args: body, and the variable or entry), ``gap`` (data: name
of an inequality; args: its terms).
``where`` is its first argument, provided that the others are defined; among these, ``in`` (args: an
index; data: size) is defined where the index is in 1..size.
Heads for display only: ``applied`` (data: Operation), ``family`` (name), ``entries`` (a binder).
Heads of indices: ``free`` (name), ``bound`` (number of binders between), ``position`` (whole
number), ``label`` (name of a family of labels; args: indices).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

BINDERS = frozenset({"sum", "prod", "entries"})
INDEX_HEADS = frozenset({"free", "bound", "position", "label"})


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A node. Equality and order are those of ``key``, a full rendering of the tree."""

    head: str
    args: tuple[Term, ...] = ()
    data: Any = None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        data = getattr(self.data, "id", self.data)
        inner = ",".join(a.key for a in self.args)
        object.__setattr__(self, "key", f"({self.head} {data!r}|{inner})")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: Term) -> bool:
        return self.key < other.key


def num(value: int | Fraction) -> Term:
    """A rational constant."""
    return Term("num", data=Fraction(value))


def free(name: str) -> Term:
    """A free index."""
    return Term("free", data=name)


def position(k: int) -> Term:
    """The index k itself."""
    return Term("position", data=k)


ZERO, ONE = num(0), num(1)


def map_leaves(term: Term, change: Callable[[Term, int], Term | None], depth: int = 0) -> Term:
    """Rebuild ``term``; where ``change(node, depth)`` gives a term, put that in the node's place."""
    new = change(term, depth)
    if new is not None:
        return new
    if not term.args:
        return term
    inner = depth + 1 if term.head in BINDERS else depth
    args = tuple(map_leaves(a, change, inner) for a in term.args)
    return term if args == term.args else Term(term.head, args, term.data)


def shift(term: Term, by: int) -> Term:
    """``term`` with its outward-pointing bound indices moved past ``by`` more binders."""

    def change(node: Term, depth: int) -> Term | None:
        if by and node.head == "bound" and node.data >= depth:
            return Term("bound", data=node.data + by)
        return None

    return map_leaves(term, change)


def open_binder(body: Term, index: Term) -> Term:
    """The body of a binder with its index replaced by ``index``."""

    def change(node: Term, depth: int) -> Term | None:
        if node.head != "bound":
            return None
        if node.data == depth:
            return shift(index, depth)
        return Term("bound", data=node.data - 1) if node.data > depth else node

    return map_leaves(body, change)


def close_binder(body: Term, name: str) -> Term:
    """The body of a binder made from ``body`` by binding its free index ``name``."""

    def change(node: Term, depth: int) -> Term | None:
        if node.head == "free" and node.data == name:
            return Term("bound", data=depth)
        if node.head == "bound" and node.data >= depth:
            return Term("bound", data=node.data + 1)
        return None

    return map_leaves(body, change)


def replace(term: Term, old: Term, new: Term) -> Term:
    """``term`` with every occurrence of ``old`` replaced; both are shifted under binders."""

    def change(node: Term, depth: int) -> Term | None:
        return shift(new, depth) if node == shift(old, depth) else None

    return map_leaves(term, change)


def subterms(term: Term) -> Iterator[Term]:
    """Every node of ``term``, itself first."""
    yield term
    for a in term.args:
        yield from subterms(a)


def free_indices(term: Term) -> frozenset[str]:
    """Names of the free indices in ``term``."""
    return frozenset(t.data for t in subterms(term) if t.head == "free")


def unfold(term: Term) -> Term:
    """``term`` with every applied operation replaced by its definition."""

    def change(node: Term, depth: int) -> Term | None:
        return unfold(node.args[0]) if node.head == "call" else None

    return map_leaves(term, change)
