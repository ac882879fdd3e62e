"""Seeded faults: a kernel made wrong on purpose accepts something that the refuter refutes.

Each room and each rule of the kernel is broken once, and shown with a false statement that is then
accepted: the tests of the kernel are able to fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel_faults import GAP_FAULTS, ROOM_FAULTS
from rule_faults import RULE_FAULTS

from verify import kernel
from verify.claim import Part
from verify.errors import KernelError
from verify.kernel import signs
from verify.kernel.derivation import derive
from verify.kernel.rules import GAPS, PARAMETRIC, RULES
from verify.refuter import attack

ALL = {**ROOM_FAULTS, **RULE_FAULTS, **GAP_FAULTS}
WITHOUT_TRUST = {"interpret", "rules", "text"}
"""Rooms that show and name things: whatever they say, no theorem comes of it."""


@pytest.fixture(autouse=True)
def _fresh_signs() -> Iterator[None]:
    """Signs are remembered; a fault must neither find old ones nor leave its own behind."""
    signs.sign_of.cache_clear()
    yield
    signs.sign_of.cache_clear()


def _accepts(part: Part) -> bool:
    try:
        derive(part)
    except KernelError:
        return False
    return True


@pytest.mark.parametrize("name", ALL)
def test_a_sound_kernel_rejects_the_statement(name: str) -> None:
    """Without the fault, the false statement is not accepted."""
    assert not _accepts(ALL[name].part)


@pytest.mark.parametrize("name", ALL)
def test_a_seeded_fault_is_caught_by_the_refuter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fault, the kernel accepts the statement, and the refuter objects to it."""
    seeded = ALL[name]
    monkeypatch.setattr(seeded.where, seeded.what, seeded.fault)
    assert _accepts(seeded.part)
    assert attack(seeded.part).outcome in {"refuted", "undefined"}


def test_every_rule_is_broken_once() -> None:
    """Those of equations, those with an argument, and the known inequalities."""
    rules = {seeded.rule for seeded in RULE_FAULTS.values()}
    assert (rules, {seeded.rule for seeded in GAP_FAULTS.values()}) == ({*RULES, *PARAMETRIC}, set(GAPS))


def test_every_room_is_broken_once() -> None:
    """Of the files of the kernel, all that a proof rests on."""
    rooms = {path.stem for path in Path(str(kernel.__file__)).parent.glob("*.py")} - {"__init__"}
    broken = {seeded.room.__name__.rpartition(".")[2] for seeded in ALL.values()}
    assert broken == rooms - WITHOUT_TRUST
