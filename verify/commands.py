"""The commands: each takes the parsed arguments, prints its result and returns an exit code."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify import claim_files
from verify.catalogue import claims, find
from verify.claim import Claim
from verify.errors import UnavailableError, UsageError
from verify.exits import Exit
from verify.parallel import default_processes, in_order
from verify.proof import judge
from verify.record import ClaimRecord, EvidenceRecord
from verify.report import text
from verify.report.jsonable import pack
from verify.report.outline import outline
from verify.report.provenance import command_line, installed, provenance
from verify.report.summary import Summary, established, summarise
from verify.report.text import Line
from verify.report_commands import FILES, REPORTING, merged, require_report_packages, write
from verify.terminal import Steps, show, show_json, width
from verify.words import counted

if TYPE_CHECKING:
    from verify.expected import Expected
    from verify.runs import Plan

_PROVING = ("sympy", "mpmath", "python-flint", "hypothesis")
_MANY = 16
"""So many claims are judged in processes of their own, whose start takes a second."""
_DEFAULT_EVIDENCE = Path("reports/report.json")


def run(options: argparse.Namespace) -> int:
    """Prove all, check torch, write the files of the report, print the sentence."""
    require_report_packages()
    from verify.report.files import require_folder, require_writable
    from verify.runs import perform, steps_of

    plan = _plan(options)
    if not plan.claims:
        return _nothing(options)
    require_folder(options.output)
    require_writable(options.output, FILES)
    with Steps(steps_of(plan)) as steps:
        record = perform(plan, steps.finished)
    summary = summarise(record)
    write(record, options, findings_fail=options.fail_on == "finding")
    return _run_outcome(summary, options.fail_on)


def prove(options: argparse.Namespace) -> int:
    """Judge the claims named and those in files named, or all."""
    ids, paths = claim_files.split(options.claims)
    if ids or paths:
        chosen = claim_files.chosen(ids, claim_files.claims_at(paths))
    else:
        chosen = {claim.id: claim for claim in claims()}
    if not chosen:
        return _nothing(options, *paths)
    work: Callable[[str], ClaimRecord] = partial(_judged_there, paths, options.time_limit)
    processes = default_processes() if len(chosen) >= _MANY else 1
    if processes == 1:
        work = partial(_judged, chosen, options.time_limit)
    with Steps(len(chosen)) as steps:
        records = in_order(work, list(chosen), processes, steps.finished)
    if options.json:
        show_json({"claims": [outline(record) for record in records]})
    else:
        show(text.verdicts(records))
        show([Line(_summary_of_claims(records))])
    return Exit.HOLDS if all(map(established, records)) else Exit.REFUTED


def _judged(chosen: Mapping[str, Claim], seconds: float, claim_id: str) -> ClaimRecord:
    with claim_files.blamed(f"claim {claim_id}"):
        return judge(chosen[claim_id], seconds)


def _judged_there(paths: tuple[str, ...], seconds: float, claim_id: str) -> ClaimRecord:
    """Judged in a process that has yet to load the files."""
    return _judged({claim_id: find(claim_id, _own(paths).values())}, seconds, claim_id)


@functools.cache
def _own(paths: tuple[str, ...]) -> Mapping[str, Claim]:
    return claim_files.claims_at(paths)


def list_claims(options: argparse.Namespace) -> int:
    """Print every claim of the catalogue with its section and words."""
    found = claims()
    if options.json:
        show_json(
            {"claims": [{"id": c.id, "section": c.section, "kind": c.kind, "words": c.words} for c in found]}
        )
    else:
        show(text.columns([(claim.id, claim.words) for claim in found], width()))
    return Exit.HOLDS if found else Exit.NOTHING_CHECKED


def explain(options: argparse.Namespace) -> int:
    """Print one claim with its derivation, and the evidence of an earlier run if there is one."""
    ids, paths = claim_files.split(options.claim)
    chosen = claim_files.chosen(ids, claim_files.claims_at(paths))
    if not chosen:
        return _nothing(options, *paths)
    if len(chosen) > 1:
        raise UsageError(f"one claim is explained at a time; name one of {', '.join(chosen)}")
    (claim,) = chosen.values()
    with claim_files.blamed(f"claim {claim.id}"):
        record = judge(claim)
    evidence = _evidence_at_hand(options.evidence, claim.id)
    if options.json:
        show_json({**outline(record), "evidence": [pack(asdict(item)) for item in evidence]})
    else:
        show(text.explanation(record, evidence, width()))
    return Exit.HOLDS if established(record) else Exit.REFUTED


def report(options: argparse.Namespace) -> int:
    """Merge the runs in the files given and write the reports of all of them together."""
    return merged(options)


def doctor(options: argparse.Namespace) -> int:
    """Print versions, devices and the number of claims, and what each absent package would allow."""
    facts = dict(provenance())
    for name in REPORTING:
        facts[name] = installed(name) or "absent"
    if installed("torch"):
        from verify import backends

        facts.update(backends.provenance())
    facts["claims"] = str(len(claims()))
    advice = _advice(facts)
    if options.json:
        show_json({"facts": facts, "advice": advice})
    else:
        show(text.columns(list(facts.items()), width()))
        show(Line(line, "yellow") for line in advice)
    return Exit.COULD_NOT_RUN if any(facts[name] == "absent" for name in _PROVING) else Exit.HOLDS


def check(options: argparse.Namespace) -> int:
    """Check a function of the user's own."""
    from verify import check_commands

    return check_commands.check(options)


def sweep(options: argparse.Namespace) -> int:
    """Judge a function of the user's own on every input."""
    from verify import sweep_commands

    return sweep_commands.sweep(options)


def replay(options: argparse.Namespace) -> int:
    """Judge a function on the one call of a witness."""
    from verify import check_commands

    return check_commands.replay(options)


def audit(options: argparse.Namespace) -> int:
    """Find out which wrong implementations a test lets pass."""
    from verify import audit_commands

    return audit_commands.audit(options)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": run,
    "prove": prove,
    "list": list_claims,
    "explain": explain,
    "report": report,
    "doctor": doctor,
    "check": check,
    "replay": replay,
    "sweep": sweep,
    "audit": audit,
}


def _chosen(ids: list[str]) -> tuple[Claim, ...]:
    return tuple(find(name) for name in dict.fromkeys(ids)) if ids else claims()


def _plan(options: argparse.Namespace) -> Plan:
    """The plan of a run, its dtypes and devices checked before anything is computed."""
    from verify import backends
    from verify.errors import unknown
    from verify.evidence import EXAMPLES
    from verify.runs import Plan

    for dtype in options.dtypes or ():
        if dtype not in backends.DTYPES:
            raise unknown("dtype", dtype, backends.DTYPES)
    for device in (*(options.devices or ()), *options.require_device):
        if device not in backends.DEVICES:
            raise unknown("device", device, backends.DEVICES)
    for device in options.require_device:
        backends.require_device(device)
    if options.devices and installed("torch"):
        present = backends.devices_present()
        if not set(options.devices) & set(present):
            raise UnavailableError(
                f"no device of --devices {' '.join(options.devices)} is present, so nothing would be "
                f"measured; name one that is ({', '.join(present)}) or leave --devices out"
            )
    chosen = _chosen(options.claims)
    where = (
        tuple(dict.fromkeys(options.dtypes or backends.DTYPES)),
        tuple(dict.fromkeys(options.devices or backends.DEVICES)),
    )
    return Plan(
        claims=tuple(claim.id for claim in chosen),
        dtypes=where[0],
        devices=where[1],
        expected=_expectations(options.expected, chosen, *where),
        seed=options.seed,
        examples=options.examples or EXAMPLES,
        processes=options.processes or default_processes(),
        command=command_line(options.words),
    )


def _expectations(
    path: Path | None, chosen: Sequence[Claim], dtypes: tuple[str, ...], devices: tuple[str, ...]
) -> Mapping[str, Expected]:
    """The failures that a file says are expected, each found to be one of the run."""
    if path is None:
        return {}
    if not installed("torch"):
        raise UnavailableError(f"{path}: without torch nothing is measured; pip install 'lossproof[torch]'")
    from verify.known import expectations
    from verify.runs import numeric_parts

    parts = [part for claim in chosen for part in numeric_parts(claim)]
    return expectations(path, parts, dtypes, devices)


def _run_outcome(summary: Summary, fail_on: str) -> int:
    fails = {
        "never": False,
        "proof": summary.open > 0 or summary.stale > 0,
        "finding": summary.open > 0 or summary.stale > 0 or summary.refuted > 0,
    }
    return Exit.REFUTED if fails[fail_on] else Exit.HOLDS


def _summary_of_claims(records: list[ClaimRecord]) -> str:
    held = sum(map(established, records))
    refuted = sum(record.status == "refuted" and not established(record) for record in records)
    told = f"{held} of {counted(len(records), 'claim')} established"
    return f"{told}, {refuted} refuted" if refuted else told


def _nothing(options: argparse.Namespace, *paths: str) -> int:
    if options.json:
        show_json({"claims": []})
    if paths:
        advice = f"no claim in {', '.join(paths)}, so nothing was checked; put claims into a tuple CLAIMS"
    else:
        advice = "no claim found, so nothing was checked; is the distribution installed?"
    print(f"lossproof: {advice}", file=sys.stderr)
    return Exit.NOTHING_CHECKED


def _evidence_at_hand(path: Path | None, claim: str) -> tuple[EvidenceRecord, ...]:
    if path is None and (not _DEFAULT_EVIDENCE.is_file() or not installed("msgspec")):
        return ()
    require_report_packages()
    from verify.report.model import load

    return tuple(record for record in load(path or _DEFAULT_EVIDENCE).evidence if record.claim == claim)


def _advice(facts: Mapping[str, Any]) -> list[str]:
    advice = []
    if facts["torch"] == "absent":
        advice.append("without torch nothing is measured; pip install 'lossproof[torch]'")
    if any(facts[name] == "absent" for name in REPORTING):
        advice.append("without the report packages no report is written; pip install 'lossproof[report]'")
    if facts["claims"] == "0":
        advice.append("no claim is installed; pip install lossproof")
    return advice
