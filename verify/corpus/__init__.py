"""Planted faults and right implementations, by operation: what a verifier must find, and what it must not."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from verify.corpus import door as door
from verify.corpus import torch_defects
from verify.corpus.mutations import mutations
from verify.corpus.planting import Fault, Right
from verify.corpus.references import REFERENCES as REFERENCES

Kind = TypeVar("Kind", Fault, Right)


def _collected(name: str) -> list[object]:
    rooms = (import_module(f"{__name__}.{room.name}") for room in iter_modules(__path__))
    return [one for room in rooms for one in getattr(room, name, ())]


def faults() -> tuple[Fault, ...]:
    """All planted faults, by operation and name; ``ValueError`` where two have one id."""
    found = [one for one in _collected("FAULTS") if isinstance(one, Fault)]
    return tuple(sorted(_named_apart(found), key=lambda fault: fault.id))


def wrong() -> tuple[Fault, ...]:
    """The faults of values and gradients, and the mutations: what an audit may try, if it is certified.

    Not what torch itself gets wrong: a test that compares with torch is entitled to pass torch.
    """
    own = {id(one) for one in torch_defects.FAULTS}
    found = [one for one in _collected("FAULTS") if isinstance(one, Fault) and id(one) not in own]
    numeric = [one for one in (*found, *mutations()) if one.breaks != "side effects"]
    return tuple(sorted(_named_apart(numeric), key=lambda fault: fault.id))


def samples() -> tuple[Fault, ...]:
    """One of each kind of fault: the first of its variants, which is the narrowest."""
    firsts: dict[tuple[str, object], Fault] = {}
    for fault in _collected("FAULTS"):
        if isinstance(fault, Fault):
            kind = fault.operation, getattr(fault.candidate, "func", fault.candidate)
            firsts.setdefault(kind, fault)
    return tuple(sorted(firsts.values(), key=lambda fault: fault.id))


def rights() -> tuple[Right, ...]:
    """All right implementations, by operation and name; ``ValueError`` where two have one id."""
    found = [one for one in _collected("RIGHTS") if isinstance(one, Right)]
    return tuple(sorted(_named_apart(found), key=lambda right: right.id))


def _named_apart(found: list[Kind]) -> list[Kind]:
    names = [one.id for one in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"ids that stand for two: {', '.join(sorted(twice))}")
    return found
