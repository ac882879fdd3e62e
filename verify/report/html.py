"""The report as one self-contained HTML page: no network, everything escaped, whole without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from verify.assertions import LONG
from verify.record import EvidenceRecord, Figure, RunRecord, StepRecord
from verify.report import checked, shape
from verify.report.comparison import FACTOR, Comparison
from verify.report.errors import error_figures
from verify.report.graph import graph
from verify.report.heat import GRADES, heat_map
from verify.report.mathml import mathml
from verify.report.plots import svg, with_shared_axes
from verify.report.premises import premises, proof_of
from verify.report.prose import prose
from verify.report.summary import summarise, told_outcome
from verify.verdict import Status
from verify.words import counted

_POLICY = (
    "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)

_MOST = 100
"""How many changes of one kind, numeric checks of one claim, and findings, the page shows."""

_CHECKS = 1100
"""Of more numeric checks than so many the page shows _FEW of each claim."""

_FEW = 5

_FINDINGS = 20
"""How many findings the page shows with their inputs."""

_SHOWN = 2
"""How many further checks of one finding are shown with their input; the JSON has all."""

_STEERING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Control and format characters of Unicode, line breaks and tabs left out."""

_TINTS = {
    "expected": "corrected",
    "unexpected pass": "fails",
    "expired": "fails",
    "unknown": "opinion",
    "not applicable": "quiet",
}
"""The outcomes of checks of functions, held and refuted apart, with the tone of their count."""

_KINDS = {
    "broken": "Claims that are not established any more",
    "new": "New findings",
    "fixed": "Fixed",
    "moved": "Moved",
    "gone": "Findings that were not run again",
    "added": "Claims added",
    "removed": "Claims removed",
}


def page(run: RunRecord, comparison: Comparison | None = None) -> str:
    """The HTML of a run, with what changed since an older one where that is given.

    Raises ReportFormatError for a formula that is not plain mathematics.
    """
    style, script = _face() + _text("style.css"), _text("report.js")
    template = _environment().get_template("report.html.j2")
    text = template.render(
        _told(run, comparison),
        style=Markup(style),
        script=Markup(script),
        policy=_POLICY.format(style=_digest(style), script=_digest(script)),
    )
    return with_shared_axes(text)


def _environment() -> Environment:
    """The templates, with the words in which they say things."""
    environment = Environment(
        loader=PackageLoader("verify.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(_GLOBALS)
    environment.tests["checked"] = shape.is_check
    return environment


def _told(run: RunRecord, comparison: Comparison | None) -> dict[str, object]:
    """What the templates tell, by its name in them."""
    found, findings, summary = premises(run), shape.found_in(run), summarise(run)
    by_claim = shape.by_claim(run.evidence)
    return {
        "run": run,
        "comparison": comparison,
        "checks": _checks(by_claim),
        "evidence": by_claim,
        "expected": checked.expected_of(run),
        "findings": findings,
        "graph": Markup(graph(run.claims, found)),
        "headline": shape.headline(summary, findings),
        "heat": heat_map(run),
        "premises": found,
        "ran": checked.ran(run.checks),
        "remarks": checked.remarks(run.checks),
        "summary": summary,
        "when": _when(run),
    }


def _when(run: RunRecord) -> list[str]:
    """When the run was and on what, as far as it says."""
    facts = dict(run.provenance)
    records: tuple[shape.Record, ...] = (*run.evidence, *checked.ran(run.checks))
    devices = sorted({record.device for record in records if record.device})
    torch = f"torch {facts.get('torch', '')} on {', '.join(devices)}" if devices else ""
    seed = "" if run.seed is None else f"seed {run.seed}"
    return [part for part in (torch, facts.get("python", ""), seed) if part.strip()]


def _shown(value: object) -> object:
    """Text of a run without what would turn the direction of the page around, or is no character."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _checks(evidence: Mapping[str, Sequence[EvidenceRecord]]) -> int:
    """How many numeric checks of one claim are shown: fewer where there are many claims with many."""
    return _MOST if sum(map(len, evidence.values())) <= _CHECKS else _FEW


def _text(name: str) -> str:
    return files("verify.report").joinpath("templates", name).read_text(encoding="utf-8")


def _face() -> str:
    """The rule of the style sheet that holds the font of the formulas."""
    font = base64.b64encode(
        files("verify.report").joinpath("font", "mathematics.woff2").read_bytes()
    ).decode()
    source = f'url("data:font/woff2;base64,{font}") format("woff2")'
    return f'@font-face {{ font-family: "Report Mathematics"; src: {source}; }}\n'


def _math(latex: str) -> Markup:
    return Markup(mathml(latex))


def _line(step: StepRecord) -> Markup:
    return _math(f"{step.relation} {step.formula}")


def _prose(text: str) -> Markup:
    return Markup(prose(_STEERING.sub("\N{REPLACEMENT CHARACTER}", text)))


def _side(record: EvidenceRecord) -> str:
    if record.side == "between":
        return "the two sides against each other"
    return shape.side_of(record)


def _measure(record: EvidenceRecord) -> str:
    """How wrong a check is, as the beginning of a sentence."""
    words = shape.measure(record)
    return words[0].upper() + words[1:]


def _drawing(figure: Figure) -> Markup:
    return Markup(svg(figure))


def _thumbnail(figure: Figure) -> Markup:
    return Markup(svg(figure, small=True))


def _day(created: str) -> str:
    """An ISO time as date and minute; anything else as it is."""
    return (
        f"{created[:10]}, {created[11:16]} UTC"
        if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", created)
        else created
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_FILTERS = {
    "brief": checked.brief,
    "day": _day,
    "drawing": _drawing,
    "line": _line,
    "math": _math,
    "measure": _measure,
    "prose": _prose,
    "quantity": shape.quantity,
    "side": _side,
    "slug": shape.slug,
    "thumbnail": _thumbnail,
}
"""What templates say of one thing."""

_GLOBALS = {
    "attempts": shape.attempts,
    "by_function": checked.by_function,
    "by_implementation": shape.by_implementation,
    "counted": counted,
    "covered": checked.covered,
    "error_figures": error_figures,
    "error_of": shape.error_of,
    "factor": FACTOR,
    "failing": checked.FAILING,
    "grades": GRADES,
    "inputs": _FINDINGS,
    "kinds": _KINDS,
    "longest": LONG,
    "measure_of": shape.measure,
    "most": _MOST,
    "proof_of": proof_of,
    "refuted": Status.REFUTED,
    "replay_of": checked.replay_of,
    "shown": _SHOWN,
    "standing": shape.standing,
    "still_fails": checked.still_fails,
    "summary_of": shape.summary_of,
    "tints": _TINTS,
    "told_outcome": told_outcome,
    "tone": shape.tone,
    "worst_checks": checked.worst_checks,
    "worst_of": shape.worst_of,
}
"""What templates ask about several, and what is the same on every page."""
