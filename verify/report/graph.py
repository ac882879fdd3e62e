"""The graph of premises and claims as SVG: what each claim rests on, coloured by what became of the claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from verify.record import ClaimRecord
from verify.report.premises import Premise
from verify.report.shape import MARKS, slug, tone
from verify.report.text import visible
from verify.words import counted

_ROW = 16
_LEFT, _RIGHT, _WIDTH = 190, 470, 760


def graph(claims: Sequence[ClaimRecord], premises: Sequence[Premise]) -> str:
    """Premises at the left, claims by section at the right, a line from each premise to each of its claims.

    Every name is a link, to ``#premise-...`` or to the claim. The premises stand in the order of the
    middles of their claims, which keeps the lines apart. The same run gives the same bytes.
    """
    heights = dict(_heights(claims))
    bottom = max(heights.values(), default=0) + _ROW
    places = _spread(premises, heights, bottom)
    pieces = [_source(premise, y, heights) for premise, y in places]
    pieces += [_claim(claim, heights[claim.id]) for claim in claims]
    pieces += _sections(claims, heights)
    edges = sum(len(premise.claims) for premise in premises)
    told = (
        f"{counted(len(premises), 'premise')} at the left, {counted(len(claims), 'claim')} at the right, "
        f"{counted(edges, 'line')} between them. The list below has the same."
    )
    named = 'role="group" aria-labelledby="graph-title graph-told"'
    return (
        f'<svg class="graph" viewBox="0 0 {_WIDTH} {bottom}" {named} font-size="11" fill="currentColor">'
        f'<title id="graph-title">Premises and claims</title><desc id="graph-told">{told}</desc>'
        f"{''.join(pieces)}</svg>"
    )


def _heights(claims: Sequence[ClaimRecord]) -> Iterator[tuple[str, int]]:
    """Where each claim is, a row for each and one more before each section."""
    y = 0
    for _, members in groupby(claims, key=lambda claim: claim.section):
        y += _ROW
        for claim in members:
            y += _ROW
            yield claim.id, y


def _spread(premises: Sequence[Premise], heights: dict[str, int], bottom: int) -> list[tuple[Premise, int]]:
    """The premises at equal distances, each near the middle of its claims as far as the others let it."""
    middles = {one: sum(heights[claim.id] for claim in one.claims) / len(one.claims) for one in premises}
    ordered = sorted(premises, key=lambda one: (middles[one], one.name))
    step = bottom / (len(ordered) + 1)
    return [(one, round(step * place)) for place, one in enumerate(ordered, start=1)]


def _source(premise: Premise, y: int, heights: dict[str, int]) -> str:
    """A premise with its lines, those to claims of one tone as one path."""
    tones: dict[str, list[str]] = {}
    for claim in premise.claims:
        down = heights[claim.id] - y
        tones.setdefault(tone(claim), []).append(f"M{_LEFT} {y - 4}c130 0 150 {down} {_RIGHT - _LEFT} {down}")
    lines = "".join(f'<path class="{name}" d="{"".join(paths)}"/>' for name, paths in sorted(tones.items()))
    name = _cut(premise.name.partition(":")[0].partition(" (")[0], 28)
    kind = "cited" if premise.cited else "rule"
    return (
        f'<g class="{kind}"><title>{escape(visible(premise.words))}</title>{lines}'
        f'<a href="#premise-{slug(premise.name)}"><text x="{_LEFT - 5}" y="{y}" text-anchor="end">'
        f"{name} · {len(premise.claims)}</text></a></g>"
    )


def _cut(text: str, most: int) -> str:
    """As much of a text as there is room for, ready to stand in the drawing."""
    return escape(visible(text if len(text) <= most else f"{text[: most - 1]}…"))


def _claim(claim: ClaimRecord, y: int) -> str:
    kind = tone(claim)
    text = f'<text x="{_RIGHT + 5}" y="{y}">{MARKS[kind]} {_cut(claim.id, 44)}</text>'
    return f'<a href="#{slug(claim.id)}" class="{kind}">{text}</a>'


def _sections(claims: Sequence[ClaimRecord], heights: dict[str, int]) -> Iterator[str]:
    for section, members in groupby(claims, key=lambda claim: claim.section):
        y = heights[next(members).id] - _ROW
        yield f'<text class="section" x="{_RIGHT + 5}" y="{y}">{_cut(section, 44)}</text>'
