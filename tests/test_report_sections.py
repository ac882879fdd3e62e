"""Sections of the page beside findings and claims: how much is shown, and what of it."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from verify.record import RunRecord
from verify.report.heat import Cell, heat_map
from verify.report.html import page
from verify.report.markdown import markdown
from verify.report.premises import premises
from verify.report.shape import worst_of


def test_the_page_of_the_full_run_is_small() -> None:
    """The committed page has at most 1.5 MB, so that it can be mailed and opens at once."""
    assert (Path(__file__).parent.parent / "reports" / "report.html").stat().st_size <= 1_500_000


def test_only_the_first_checks_of_a_finding_are_shown_with_their_input(sample_run: RunRecord) -> None:
    """The rest is counted, and is in the table of its claim."""
    found = sample_run.evidence[1]
    dtypes = ("float64", "float32", "float16", "bfloat16", "float8")
    text = page(replace(sample_run, evidence=tuple(replace(found, dtype=dtype) for dtype in dtypes)))
    assert text.count("print(torch.zeros(1))") == 3
    assert "The other 2 are in the tables of their claims" in text
    assert 'rowspan="5"' in text


def test_a_long_table_shows_the_worst_checks(sample_run: RunRecord) -> None:
    """Refuted ones first, then the largest shares of the bound; the rest is counted."""
    check, found = sample_run.evidence
    many = [replace(check, implementation=f"f{n}", worst_ratio=n / 1000) for n in range(300)]
    text = page(replace(sample_run, evidence=(*many, found), claims=sample_run.claims[:1]))
    table = text[text.index('<details class="measured"') : text.index('<section id="premises">')]
    assert "The worst 100; the other 201 are in" in table
    for name, shown in (("F.cross_entropy", True), ("f299", True), ("f201", True), ("f200", False)):
        assert (f"<code>{name}</code>" in table) is shown


def test_a_long_table_shows_each_implementation(sample_run: RunRecord) -> None:
    """What passes everywhere close to its bound does not hide what passes far below it."""
    check = sample_run.evidence[0]
    close = [replace(check, dtype=f"t{n}", worst_ratio=0.9) for n in range(8)]
    far = replace(check, implementation="F.other", worst_ratio=0.1)
    assert far in worst_of([*close, far], 4)


def test_a_long_table_shows_what_is_refuted_first(sample_run: RunRecord) -> None:
    """However many of one implementation are."""
    found = sample_run.evidence[1]
    refuted = [replace(found, dtype=f"t{n}") for n in range(4)]
    passed = [replace(sample_run.evidence[0], implementation=f"f{n}") for n in range(4)]
    assert worst_of([*passed, *refuted], 4) == refuted


def test_a_run_of_any_size_has_a_page_that_can_be_mailed(sample_run: RunRecord) -> None:
    """Findings, checks and implementations are capped, the worst of each shown, and the rest counted."""
    check, found = sample_run.evidence
    many = [replace(check, implementation=f"f{n}", worst_ratio=n / 1e4) for n in range(4000)]
    wrong = [replace(found, implementation=f"g{n}", claim=f"c{n}") for n in range(500)]
    text = page(replace(sample_run, evidence=(*many, *wrong)))
    assert len(text) < 1_500_000
    assert text.count('<article class="finding"') == 20
    assert "The worst 100; the other 400 are in" in text
    assert "4400 others are left out" in text


def test_a_claim_names_its_worst_implementation(sample_run: RunRecord) -> None:
    """In the table, beside the error that is its; a claim that nothing measures names none."""
    table = page(sample_run).partition('<table class="claims"')[2].partition("</table>")[0]
    assert "worst: <code>F.cross_entropy</code> in float32 on cpu" in table
    assert table.count("worst: ") == 1


def test_the_atlas_says_what_each_loss_is(sample_run: RunRecord) -> None:
    """Verdict, distribution, normaliser or totals, the way it was shown, and a picture."""
    text = page(sample_run)
    atlas = text[text.index('<section id="atlas">') : text.index('<section id="figures">')]
    for shown in (
        "yes, but for a constant",
        "Laplace",
        "MarginLoss(p=1)",
        "total at 1",
        "a claim: kl-one-hot",
    ):
        assert shown in atlas
    assert atlas.count("<svg") == 1


def test_a_run_without_an_atlas_has_no_section_for_it(sample_run: RunRecord) -> None:
    """Nothing is promised that is not there."""
    bare = replace(sample_run, atlas=())
    assert "atlas" not in page(bare).partition("</style>")[2]
    assert "likelihoods" not in markdown(bare)


def test_the_markdown_has_the_atlas_as_a_table(sample_run: RunRecord) -> None:
    """A row for each loss."""
    assert "| `MarginLoss(p=1)` | no | hinges |" in markdown(sample_run)


def test_the_heat_map_keeps_the_worst_of_each_cell(sample_run: RunRecord) -> None:
    """Over all claims and sides, by dtype and device; what was not measured is empty."""
    check = sample_run.evidence[0]
    evidence = (
        check,
        replace(check, claim="other", worst_ulp=3.0, worst_ratio=0.2),
        replace(check, implementation="F.other", dtype="float16", worst_ulp=None, worst_ratio=float("nan")),
        replace(check, implementation="a + b"),
        replace(check, implementation="a against b"),
        replace(check, implementation="definition"),
    )
    found = heat_map(replace(sample_run, evidence=evidence))
    assert found.columns == (("float32", "cpu"), ("float16", "cpu"))
    assert found.rows == (
        ("F.nll_loss", (Cell(3.0, 0.25), None)),
        ("F.other", (None, Cell(inf, inf))),
    )


@pytest.mark.parametrize(
    ("ratio", "grade"),
    [
        (0.0, "half"),
        (0.5, "half"),
        (0.51, "within"),
        (1.0, "within"),
        (1.01, "beyond"),
        (101.0, "far"),
        (inf, "far"),
    ],
)
def test_a_cell_has_the_grade_of_its_worst_error(ratio: float, grade: str) -> None:
    """By its multiple of the bound."""
    assert Cell(1.0, ratio).grade == grade


def test_the_page_shows_the_heat_map_where_something_was_measured(sample_run: RunRecord) -> None:
    """With numbers in its cells, so that the colours are not needed."""
    assert '<td class="half">0.5<small>0.25 ×</small></td>' in page(sample_run)
    assert 'id="accuracy"' not in page(replace(sample_run, evidence=()))


def test_each_premise_lists_the_claims_that_need_it(sample_run: RunRecord) -> None:
    """Cited theorems first; a rule used in a corrected form counts for the claim that it corrects."""
    proved, corrected = sample_run.claims
    assert corrected.corrected is not None
    steps = proved.parts[0].steps
    part = replace(corrected.corrected.parts[0], steps=steps, citation="Theorem 1 (a book)")
    corrected = replace(corrected, corrected=replace(corrected.corrected, parts=(part,)))
    found = premises(replace(sample_run, claims=(proved, corrected)))
    assert [(one.name, one.cited, [claim.id for claim in one.claims]) for one in found] == [
        ("Theorem 1 (a book)", True, ["bits-per-word"]),
        ("delta", False, ["kl-one-hot", "bits-per-word"]),
    ]


def test_a_hypothesis_of_a_claim_is_no_premise_of_others(sample_run: RunRecord) -> None:
    """It is left out, and what stands behind a colon is the argument of a rule."""
    claim = sample_run.claims[0]
    step = claim.parts[0].steps[1]
    rules = tuple(replace(step.rules[0], name=name) for name in ("hyp:sum_p", "cases:p", "cases:q"))
    part = replace(claim.parts[0], steps=(replace(step, rules=rules),))
    found = premises(replace(sample_run, claims=(replace(claim, parts=(part,)),)))
    assert [one.name for one in found] == ["cases"]


def test_a_premise_links_to_its_claims_in_the_colour_of_their_status(sample_run: RunRecord) -> None:
    """Status and mark are those computed in the run."""
    assert '<a class="badge holds" href="#kl-one-hot">kl-one-hot</a>' in page(sample_run)
    claim = replace(sample_run.claims[0], status="unknown")
    assert '<a class="badge fails" href="#kl-one-hot">' in page(replace(sample_run, claims=(claim,)))


def test_findings_are_listed_before_they_are_shown(sample_run: RunRecord) -> None:
    """A row for each, with a link to its inputs and one to its claim."""
    text = page(sample_run)
    table = text[text.index('aria-label="Findings">') :]
    row = table[table.index("<tbody>") : table.index("</tbody>")]
    assert '<a href="#finding-F-cross-entropy-kl-one-hot"><code>F.cross_entropy</code></a>' in row
    assert "<td>8,080</td><td>1</td>" in row
