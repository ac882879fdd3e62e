"""The rooms: one file per operation, with its definition, algorithms, peers and sources.

The package can be called: ``verify.operations()`` gives all operations.
"""

from __future__ import annotations

import functools
import sys
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from verify.operation import Operation


@functools.cache
def _all() -> tuple[Operation, ...]:
    rooms = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    found = {o.id: o for room in rooms for o in vars(room).values() if isinstance(o, Operation)}
    return tuple(found[i] for i in sorted(found))


@functools.cache
def operations_with_contract() -> dict[str, Operation]:
    """The operations that a function can be checked against, by the name of that function in torch."""
    return {o.contract.name: o for o in _all() if o.contract is not None}


def is_known(operation: Operation) -> bool:
    """Whether an operation is one of this package, and not a user's own."""
    return any(operation is known for known in operations_with_contract().values())


class _Rooms(ModuleType):
    """A package that, called, lists the operations of its rooms."""

    def __call__(self) -> tuple[Operation, ...]:
        """All operations of this package, by id."""
        return _all()


sys.modules[__name__].__class__ = _Rooms
