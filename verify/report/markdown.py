"""The report as short Markdown, the size of a comment on a code review."""

from __future__ import annotations

from collections.abc import Iterable

from verify.record import RunRecord
from verify.report.comparison import Comparison
from verify.report.shape import Finding, finite, grouped, named, quantity, standing
from verify.report.summary import established, gathered, summarise

_HARMLESS = {ord(letter): f"&#{ord(letter)};" for letter in "\\`*_[]<>|#@&~"}
_SHOWN = 8
"""How many findings, and changes, are listed; the page has them all."""


def markdown(run: RunRecord, comparison: Comparison | None = None) -> str:
    """One sentence, the findings that weigh most, every claim in one line, and what was not run.

    With ``comparison`` also what changed since an older run.
    """
    versions = dict(run.provenance)
    lines = [
        f"**{_plain(summarise(run).sentence)}**",
        "",
        f"{_plain(run.created)}, torch {_plain(versions.get('torch', 'absent'))}, "
        f"{_plain(versions.get('python', ''))}, seed {run.seed}",
        *(_changes(comparison) if comparison else ()),
        *_findings(grouped(run.evidence)),
        *_claims(run),
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
    if run.not_run:
        lines += ["", "### Not run", ""]
        lines += [f"- {_plain(n.what)}: {_plain(n.why)} ({_plain(n.how)})" for n in gathered(run.not_run)]
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
