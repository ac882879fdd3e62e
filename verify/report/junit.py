"""The report as JUnit XML, which continuous-integration services read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from verify.assertions import LONG
from verify.record import CheckRecord, ClaimRecord, EvidenceRecord, RunRecord, SweepRecord
from verify.report.checked import FAILING, words_of
from verify.report.shape import Record, error_of, measure, named, quantity, standing
from verify.report.summary import established, told_outcome
from verify.verdict import Counterexample, Status
from verify.words import counted

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not (section 2.2)."""


class _Case(NamedTuple):
    """A testcase: ``outcome`` is "", "failure" or "skipped", ``kind`` its type, ``body`` what follows."""

    group: str
    name: str
    outcome: str = ""
    kind: str = ""
    message: str = ""
    body: str = ""
    facts: tuple[tuple[str, str], ...] = ()


_MOST = 5000
"""How many testcases of a suite are written: services give up on files of tens of megabytes."""


def junit(run: RunRecord, *, findings_fail: bool = False) -> bytes:
    """One testcase for each claim, numeric check, sweep, check of a function and thing not run, as UTF-8.

    Of a suite of more than 5000 those that passed are left out first, then the last ones, and a property of
    the suite says how many; report.json has them all.

    A claim that is not established is a failure, and so is a check of a function with which a test fails;
    one that failed as expected is skipped. In what computes the claims a finding, a defect of the
    implementation, is a failure only with ``findings_fail``, and else skipped with the type "finding";
    what is undecided or was not run is skipped too, with its reason. The same run gives the same bytes.
    """
    root = Element("testsuites", {"name": "lossproof"})
    failing = "failure" if findings_fail else "skipped"
    suites = {
        "claims": [_claim(claim) for claim in run.claims],
        "numeric checks": [_check(record, failing) for record in run.evidence],
        "every input": [_sweep(record, failing) for record in run.sweeps],
        "functions checked": [_function(check) for check in run.checks],
        "not run": [
            _Case("not run", entry.what, "skipped", "not run", f"{entry.why}; {entry.how}")
            for entry in run.not_run
        ],
    }
    for name, cases in suites.items():
        if cases:
            _add_suite(root, name, _kept(cases), len(cases), run)
    _count(root, [case for cases in suites.values() for case in _kept(cases)])
    _cleaned(root)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _kept(cases: list[_Case]) -> list[_Case]:
    """The cases in their order, of too many those that have to be seen."""
    if len(cases) <= _MOST:
        return cases
    ranks = {"failure": 0, "skipped": 1, "": 2}
    first = sorted(range(len(cases)), key=lambda place: ranks[cases[place].outcome])[:_MOST]
    return [cases[place] for place in sorted(first)]


def _claim(claim: ClaimRecord) -> _Case:
    where = (("status", claim.status), ("section", claim.section))
    if established(claim):
        return _Case("claims", claim.id, facts=(*where, ("standing", standing(claim))))
    body = "\n".join(_open_parts(claim))
    return _Case("claims", claim.id, "failure", claim.status, standing(claim), body, where)


def _open_parts(claim: ClaimRecord) -> Iterator[str]:
    """Why the claim is not established, a line for each of its statements that is not."""
    for part in (*claim.parts, *claim.holds_when):
        if part.status not in ("proved", "cited"):
            yield f"{part.id}: {part.status}: {part.reason}"
    if claim.literal is not None and claim.literal.status != "refuted":
        yield f"{claim.literal.id}, as worded: {claim.literal.status}: {claim.literal.reason}"
    if claim.corrected is not None:
        yield from _open_parts(claim.corrected)


def _check(record: EvidenceRecord, failing: str) -> _Case:
    name = f"{record.part}, {record.side}: {named(record)} in {record.dtype} on {record.device}"
    facts = _numbers(record.inputs, record.worst_ulp, record.worst_ratio)
    if record.expected is not None:
        kept = record.outcome == "expected" or (record.status == Status.PASSED and not record.expected.strict)
        outcome = "skipped" if kept else "failure"
        told = told_outcome(record.outcome)
        return _Case(record.claim, name, outcome, told, words_of(record), _shown(record), facts)
    if record.status == Status.REFUTED:
        message = f"finding: {measure(record)}"
        return _Case(record.claim, name, failing, "finding", message, _shown(record), facts)
    if record.status == Status.UNKNOWN:
        message = record.reason or "the error and its bound could not be told apart"
        return _Case(record.claim, name, "skipped", "undecided", message, facts=facts)
    return _Case(record.claim, name, facts=facts)


def _function(check: CheckRecord) -> _Case:
    name = f"{check.property} in {check.dtype} on {check.device}" if check.operation else check.id
    group = f"{check.candidate} {check.claim}".strip()
    facts = _numbers(check.inputs, check.worst_ulp, check.worst_ratio)
    facts += (("id", check.id),) if check.id else ()
    if check.outcome == "held":
        return _Case(group, name, facts=facts)
    known = words_of(check)
    message = f"finding: {measure(check)}" if check.outcome == "refuted" else check.reason
    message = f"{known}; {message}" if known else message
    lenient = check.expected is not None and not check.expected.strict and check.outcome == "unexpected pass"
    outcome = "failure" if check.outcome in FAILING and not lenient else "skipped"
    return _Case(group, name, outcome, told_outcome(check.outcome), message, _shown(check), facts)


def _shown(record: Record) -> str:
    lines = []
    case: Counterexample | None = record.counterexample
    if case is not None:
        lines += [f"{name} = {value}" for name, value in case.inputs]
        lines += [f"exact {case.exact}"] if case.exact else []
        lines += [f"returned {case.got}"]
        lines += [error_of(case)] if case.exact else []
    if record.reason:
        lines.append(record.reason)
    if isinstance(record, CheckRecord) and record.hint:
        lines.append(f"help: {record.hint}")
    if record.reproducer:
        lines += ["", record.reproducer.rstrip()]
    witness = record.witness
    if isinstance(record, CheckRecord):
        witness = record.expected.witness if record.expected else witness
    elif record.reproducer:
        lines += ["", "It was run and printed:", record.reproduced or ""]
    lines += ["", f"witness: {witness}"] if witness and len(witness) <= LONG else []
    return "\n".join(lines)


def _sweep(one: SweepRecord, failing: str) -> _Case:
    name = f"{one.property} of {one.form} in {one.dtype} on {one.device}"
    facts = _numbers(one.inputs, one.worst_ulp, one.worst_ratio)
    if one.status == Status.REFUTED:
        message = (
            f"finding: {counted(one.refuted, 'input')} of {one.inputs:,} beyond the bound, the worst "
            f"{quantity(one.worst_ulp)} ulp off"
        )
        body = f"at {one.worst_input}\nexact {one.exact_value}\nreturned {one.got}"
        return _Case(f"every input of {one.operation}", name, failing, "finding", message, body, facts)
    outcome = "skipped" if one.status == Status.UNKNOWN else ""
    kind = "undecided" if one.inputs else "not run"
    return _Case(f"every input of {one.operation}", name, outcome, kind, one.reason, facts=facts)


def _numbers(inputs: int, ulp: float | None, ratio: float | None) -> tuple[tuple[str, str], ...]:
    """The figures of a check, each exact to the last digit."""
    known = (("worst_ulp", ulp), ("worst_ratio", ratio))
    return (
        ("inputs", str(inputs)),
        *((name, repr(value)) for name, value in known if value is not None),
    )


def _add_suite(root: Element, name: str, cases: list[_Case], found: int, run: RunRecord) -> None:
    when = {"timestamp": run.created.removesuffix("Z")} if run.created else {}
    suite = SubElement(root, "testsuite", {"name": name, **when})
    _count(suite, cases)
    seed = () if run.seed is None else (("seed", str(run.seed)),)
    left_out = (("left out", f"{found - len(cases)}, see report.json"),) if found > len(cases) else ()
    _add_properties(suite, (("command", run.command), *seed, *run.provenance, *left_out))
    for case in cases:
        element = SubElement(suite, "testcase", {"classname": case.group, "name": case.name})
        _add_properties(element, case.facts)
        if case.outcome:
            told = SubElement(element, case.outcome, {"type": case.kind, "message": case.message})
            told.text = case.body or None


def _count(element: Element, cases: list[_Case]) -> None:
    element.set("tests", str(len(cases)))
    for outcome, plural in (("failure", "failures"), ("skipped", "skipped")):
        element.set(plural, str(sum(case.outcome == outcome for case in cases)))
    element.set("errors", "0")


def _add_properties(element: Element, facts: tuple[tuple[str, str], ...]) -> None:
    if facts:
        properties = SubElement(element, "properties")
        for name, value in facts:
            SubElement(properties, "property", {"name": name, "value": value})


def _cleaned(root: Element) -> None:
    """Replace what XML cannot hold; the rest is escaped where it is written."""
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value))
        if element.text:
            element.text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", element.text)
