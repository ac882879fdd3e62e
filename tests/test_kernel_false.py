"""False statements: the kernel rejects each, and where it has a value the refuter shows a witness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from false_by_newer_rules import FALSE_BY_NEWER_RULES
from false_identities import FALSE, UNDEFINED
from false_inequalities import FALSE_INEQUALITIES, FALSE_UNDER_HYPOTHESES

from verify.claim import Hypothesis, Part
from verify.errors import KernelError
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.defined import require_defined
from verify.kernel.rules import RULES
from verify.kernel.theorem import agree, inequality
from verify.refuter import attack

Formula = Callable[..., Any]
IDENTITIES = {**FALSE, **FALSE_BY_NEWER_RULES}
INEQUALITIES = {
    **{name: (case[0], (), *case[1:]) for name, case in FALSE_INEQUALITIES.items()},
    **{f"assumed: {name}": (case[0], (case[1],), *case[2:]) for name, case in FALSE_UNDER_HYPOTHESES.items()},
}
_CASES = [(), ("cases:p",)]


def _part(name: str, given: Any, left: Formula, relation: Any, right: Formula, hypotheses: Any = ()) -> Part:
    return Part(name, "", given, left, relation, right, hypotheses)


def _accepts(given: Any, left: Formula, right: Formula, hypotheses: tuple[Hypothesis, ...] = ()) -> bool:
    """Whether any of all the rules together, with and without cases, makes the two sides equal."""
    assumed = assume(given, hypotheses)
    known = tuple(f"hyp:{f.name}" for f in assumed.facts if f.relation == "=")
    try:
        a, b = build(left, given), build(right, given)
        require_defined(assumed, a)
        require_defined(assumed, b)
    except KernelError:
        return False
    for cases in _CASES if any(d.name == "p" and d.domain.sign == "nonnegative" for d in given) else [()]:
        try:
            if agree(assumed, a, b, (*RULES, *known, *cases)) is not None:
                return True
        except KernelError:
            continue
    return False


@pytest.mark.parametrize("name", IDENTITIES)
def test_false_identity_is_rejected_under_all_rules_at_once(name: str) -> None:
    """No combination of the rules may take a false identity for a true one."""
    given, left, right = IDENTITIES[name]
    assert not _accepts(given, left, right)


@pytest.mark.parametrize("name", IDENTITIES)
def test_false_identity_has_a_witness(name: str) -> None:
    """The refuter finds an exact point at which the two sides differ."""
    given, left, right = IDENTITIES[name]
    found = attack(_part(name, given, left, "=", right))
    assert (found.outcome, bool(found.witness)) == ("refuted", True)


@pytest.mark.parametrize("name", UNDEFINED)
def test_identity_without_a_value_is_rejected(name: str) -> None:
    """A statement that has no value somewhere in its domain is not proved, however plausible."""
    given, left, right = UNDEFINED[name]
    assert not _accepts(given, left, right)


@pytest.mark.parametrize("name", UNDEFINED)
def test_identity_without_a_value_is_found_undefined(name: str) -> None:
    """The refuter names a point of the domain at which a side has no value."""
    given, left, right = UNDEFINED[name]
    assert attack(_part(name, given, left, "=", right)).outcome == "undefined"


@pytest.mark.parametrize("name", INEQUALITIES)
def test_false_inequality_is_rejected(name: str) -> None:
    """The sign of the gap of a false inequality does not follow, although the gap is the difference."""
    given, hypotheses, left, relation, right, gap = INEQUALITIES[name]
    with pytest.raises(KernelError, match="does not follow"):
        inequality(
            assume(given, hypotheses),
            build(left, given),
            relation,
            build(right, given),
            build(gap, given),
            (),
        )


@pytest.mark.parametrize("name", INEQUALITIES)
def test_false_inequality_has_a_witness(name: str) -> None:
    """The refuter finds a point at which the inequality fails."""
    given, hypotheses, left, relation, right, _ = INEQUALITIES[name]
    assert attack(_part(name, given, left, relation, right, hypotheses)).outcome == "refuted"


def test_there_are_enough_false_statements() -> None:
    """At least eighty false statements stand here, and no two are the same."""
    equal = [(g, (), left, "=", right) for g, left, right in (*IDENTITIES.values(), *UNDEFINED.values())]
    statements = {
        (assume(given, hypotheses).key, build(left, given).key, relation, build(right, given).key)
        for given, hypotheses, left, relation, right in (
            *equal,
            *(case[:5] for case in INEQUALITIES.values()),
        )
    }
    assert len(statements) == len(IDENTITIES) + len(UNDEFINED) + len(INEQUALITIES) >= 80
