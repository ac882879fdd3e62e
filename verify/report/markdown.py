"""The report as short Markdown, the size of a comment on a code review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from verify.record import OUTCOMES, RunRecord
from verify.report.checked import expected_of, words_of, worst_functions
from verify.report.comparison import Comparison
from verify.report.shape import Finding, finite, found_in, named, quantity, standing
from verify.report.summary import established, summarise, told_outcome
from verify.words import counted

_HARMLESS = {ord(letter): f"&#{ord(letter)};" for letter in "\\`*_[]<>|#@&~"}
_SHOWN = 8
"""How many findings, and changes, are listed; the page has them all."""


def markdown(run: RunRecord, comparison: Comparison | None = None) -> str:
    """One sentence, the findings that weigh most, functions and claims in a line each, and what was not run.

    With ``comparison`` also what changed since an older run.
    """
    summary = summarise(run)
    lines = [
        f"**{_plain(summary.sentence)}**",
        "",
        ", ".join(map(_plain, _origin(run))),
        *(_changes(comparison) if comparison else ()),
        *_findings(found_in(run)),
        *(_functions(run) if run.checks else ()),
        *_expected(run),
        *(_claims(run) if summary.of_claims else ()),
        *(_atlas(run) if run.atlas else ()),
    ]
    if run.sweeps:
        beyond = [one for one in run.sweeps if one.refuted]
        told = f"{len(run.sweeps)} sweeps of every input of a 16-bit format; beyond the bound somewhere: "
        lines += ["", "### Every input", "", told + (f"{len(beyond)}" if beyond else "none")]
        lines += [
            f"- {_plain(one.operation)}, {_plain(one.property)} of {_plain(one.form)} in {one.dtype} on "
            f"{one.device}: {one.refuted} of {one.inputs} inputs"
            for one in beyond
        ]
    if summary.not_run:
        lines += ["", "### Not run", ""]
        lines += [f"- {_plain(n.what)}: {_plain(n.why)} ({_plain(n.how)})" for n in summary.not_run]
    return "\n".join(lines) + "\n"


def _changes(comparison: Comparison) -> Iterable[str]:
    yield from ("", "### Changes", "", _plain(comparison.sentence))
    for name, before, after in comparison.facts:
        yield f"- {_plain(name)}: {_plain(before)} before, {_plain(after)} now"
    if comparison.changes:
        yield from ("", "| change | claim | what | before | now |", "|---|---|---|---|---|")
    for change in comparison.changes[:_SHOWN]:
        cells = change.kind, change.claim, _short(change.what, 120), change.before, change.after
        yield f"| {' | '.join(map(_plain, cells))} |"
    if len(comparison.changes) > _SHOWN:
        yield from ("", f"and {len(comparison.changes) - _SHOWN} more on the page.")


def _findings(found: tuple[Finding, ...]) -> Iterable[str]:
    if not found:
        return
    yield from ("", "### Findings", "")
    yield (
        "| implementation | dtype | claim | worst error, ulp | worst error / bound "
        "| a simple input | exact | returned | error there, ulp |"
    )
    yield "|---|---|---|--:|--:|---|---|---|--:|"
    for finding in found[:_SHOWN]:
        worst = finding.worst
        case = worst.counterexample
        given = ", ".join(f"{name} = {value}" for name, value in case.inputs) if case else ""
        cells = (
            _code(_short(named(worst), 80)),
            _plain(f"{worst.dtype}, {worst.device}"),
            _plain(worst.claim),
            quantity(worst.worst_ulp),
            quantity(worst.worst_ratio),
            _code(_short(given)),
            _code(_digits(case.exact)) if case else "",
            _code(_digits(case.got)) if case else "",
            quantity(case.error_ulp) if case else "",
        )
        yield f"| {' | '.join(cells)} |"
    if len(found) > _SHOWN:
        yield from ("", f"and {len(found) - _SHOWN} more on the page.")


def _functions(run: RunRecord) -> Iterable[str]:
    yield from ("", "### Functions checked", "")
    yield from ("| function | operation | checks | worst error / bound |", "|---|---|---|--:|")
    functions = worst_functions(run.checks)
    for checks in functions[:_SHOWN]:
        outcomes = Counter(check.outcome for check in checks)
        told = ", ".join(f"{outcomes[key]} {told_outcome(key)}" for key in OUTCOMES if outcomes[key])
        ratio = max((check.worst_ratio for check in checks if check.worst_ratio is not None), default=None)
        name = _code(_short(checks[0].candidate, 80))
        yield f"| {name} | {_plain(checks[0].operation)} | {told} | {quantity(ratio)} |"
    if len(functions) > _SHOWN:
        yield from ("", f"and {counted(len(functions) - _SHOWN, 'more function')} on the page.")


def _expected(run: RunRecord) -> Iterable[str]:
    known = expected_of(run)
    if known:
        yield from ("", "### Expected failures", "")
    for check in known[:_SHOWN]:
        where = f"{check.claim}: {check.property} in {check.dtype} on {check.device}"
        told = _plain(f"{where}: {_short(words_of(check), 240)}")
        yield f"- {_code(_short(check.candidate, 80))} {told}"
    if len(known) > _SHOWN:
        yield f"- and {len(known) - _SHOWN} more on the page, all with their witness"


def _origin(run: RunRecord) -> Iterable[str]:
    """When and on what the run was, as far as it says."""
    versions = dict(run.provenance)
    seed = "" if run.seed is None else f"seed {run.seed}"
    told = (run.created, f"torch {versions.get('torch', 'absent')}", versions.get("python", ""), seed)
    return (part for part in told if part)


def _claims(run: RunRecord) -> Iterable[str]:
    yield from ("", "<details><summary>Claims</summary>", "", "| claim | status |", "|---|---|")
    for claim in run.claims:
        status = standing(claim)
        yield f"| {_plain(claim.id)} | {status if established(claim) else f'**{status}**'} |"
    yield from ("", "</details>")


def _atlas(run: RunRecord) -> Iterable[str]:
    yield from ("", "<details><summary>Which losses are negative log-likelihoods</summary>", "")
    yield from ("| loss | a likelihood | of |", "|---|---|---|")
    for entry in run.atlas:
        name = f"{entry.loss}({entry.options})" if entry.options else entry.loss
        yield f"| {_code(name)} | {_plain(entry.verdict)} | {_plain(entry.distribution)} |"
    yield from ("", "</details>")


def _plain(text: str) -> str:
    """``text`` with what Markdown or HTML would read as markup made harmless."""
    flat = " ".join(text.split()).translate(_HARMLESS)
    return flat.replace("://", "&#58;//").replace("www.", "www&#46;")


def _code(text: str) -> str:
    """A code span that ends where it should and stays in its table cell."""
    flat = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return f"`{flat}`" if flat else ""


def _short(text: str, length: int = 40) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _digits(number: str) -> str:
    """A long decimal to eight digits with its exponent; what is no number, shortened."""
    value = finite(number)
    return _short(number) if value is None else f"{value:.8g}"
