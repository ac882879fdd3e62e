"""The HTML page and the Markdown: complete, self-contained, and safe against hostile text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from math import inf

import pytest

from verify.record import AtlasRecord, EvidenceRecord, Figure, NotRun, RunRecord
from verify.report.html import page
from verify.report.markdown import markdown
from verify.report.shape import error_of, measure, quantity
from verify.report.summary import summarise
from verify.verdict import Counterexample

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`&|\n# {{ 7 * 7 }} x_{<i>} 2^(<u>) sum_{<s>} "
    "&lt;b&gt; [a](javascript:alert(1)) @someone http://example.org </code></pre> \\| ~~ \x1b[2J"
)
EXAMPLE = Counterexample((("g", "(1, 0)"),), "0.3", "0.5", 5.5, 4.0)
VOID = {"meta", "link", "br", "img", "input", "hr", "col"}


class Page(HTMLParser):
    """Collects tags, attributes, anchors and links, and checks that elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself, as in SVG."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that the element closed is the one open."""
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


def _hostile(run: RunRecord) -> RunRecord:
    claim = run.claims[0]
    part = claim.parts[0]
    rule = replace(part.steps[1].rules[0], words=HOSTILE, conditions=(HOSTILE,), name=HOSTILE)
    step = replace(part.steps[1], why=HOSTILE, rules=(rule,), text=HOSTILE)
    part = replace(part, words=HOSTILE, assumptions=(HOSTILE,), steps=(step,), reason=HOSTILE, sympy=HOSTILE)
    claim = replace(
        claim,
        id=HOSTILE,
        words=HOSTILE,
        section=HOSTILE,
        assumptions=(HOSTILE,),
        parts=(part,),
        remarks=(HOSTILE,),
    )
    found = replace(
        run.evidence[1], implementation=HOSTILE, claim=HOSTILE, reproducer=HOSTILE, reproduced=HOSTILE
    )
    case = found.counterexample
    assert case is not None
    found = replace(
        found,
        counterexample=replace(case, inputs=((HOSTILE, HOSTILE),), exact=HOSTILE, got=HOSTILE),
        worst_case=replace(case, inputs=((HOSTILE, HOSTILE),), exact=HOSTILE, got=HOSTILE),
        expression=HOSTILE,
        reason=HOSTILE,
    )
    figure = Figure(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "$" + HOSTILE, HOSTILE, ((HOSTILE, ((1.0, 2.0),)),))
    return replace(
        run,
        created=HOSTILE,
        command=HOSTILE,
        provenance=((HOSTILE, HOSTILE),),
        claims=(claim, run.claims[1]),
        evidence=(found,),
        not_run=(NotRun(HOSTILE, HOSTILE, HOSTILE),),
        figures=(figure,),
        atlas=(
            AtlasRecord(
                HOSTILE, HOSTILE, True, HOSTILE, HOSTILE, HOSTILE, "1", ((HOSTILE, "1"),), (HOSTILE,), figure
            ),
        ),
    )


def test_the_page_is_well_formed(sample_run: RunRecord) -> None:
    """Every element that opens closes, in order."""
    seen = Page(page(sample_run))
    assert (seen.unbalanced, seen.open) == ([], [])


def test_hostile_text_adds_no_element(sample_run: RunRecord) -> None:
    """Whatever the strings of a report say, the page has the elements of its template and no other."""
    seen = Page(page(_hostile(sample_run)))
    assert seen.tags - Page(page(sample_run)).tags <= {"small", "sub", "sup"}
    assert (seen.unbalanced, seen.open) == ([], [])


def test_hostile_text_adds_no_handler(sample_run: RunRecord) -> None:
    """No attribute runs code or sets a style."""
    seen = Page(page(_hostile(sample_run)))
    assert not {name for name in seen.attributes if name.startswith("on") or name == "style"}


def test_the_page_loads_nothing(sample_run: RunRecord) -> None:
    """Every link stays on the page: it can be read without a network."""
    seen = Page(page(sample_run))
    assert {link[:1] for link in seen.links} == {"#"}


def test_every_link_has_its_target(sample_run: RunRecord) -> None:
    """The counts link down to what they count."""
    seen = Page(page(sample_run))
    assert {link[1:] for link in seen.links} - set(seen.ids) == set()


def test_anchors_are_unique(sample_run: RunRecord) -> None:
    """No two elements share a fragment name."""
    seen = Page(page(sample_run))
    assert sorted(seen.ids) == sorted(set(seen.ids))


def test_the_policy_admits_exactly_the_style_and_the_script_of_the_page(sample_run: RunRecord) -> None:
    """The content security policy names the hashes of the one style sheet and the one script."""
    text = page(sample_run)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    hashes = {
        name: base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        for name, inside in re.findall(r"<(style|script)>(.*?)</\1>", text, re.DOTALL)
    }
    assert policy[1].replace("&#39;", "'") == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_same_run_gives_the_same_page(sample_run: RunRecord) -> None:
    """Pages can be compared byte by byte, figures included."""
    assert page(sample_run) == page(sample_run)


def test_the_page_shows_the_finding_with_its_exact_value(sample_run: RunRecord) -> None:
    """A finding has the input, 30 digits of the exact value, the reproducer and what it printed."""
    text = page(sample_run)
    for shown in (
        "3.61766435394131020489178271461e-9",
        "(19.4375, 0)",
        "print(torch.zeros(1))",
        "tensor([0.])",
    ):
        assert shown in text


def test_the_page_shows_the_worst_input_beside_the_simple_one(sample_run: RunRecord) -> None:
    """Where the worst input is another than the one shown first, it stands below it with its own error."""
    found = sample_run.evidence[1]
    case = replace(EXAMPLE, inputs=(("g", "(88.5, 1)"),), got="0.125", error_ulp=4.5e15)
    text = page(replace(sample_run, evidence=(replace(found, worst_case=case),)))
    below = text.partition("Worst input found")[2]
    assert all(shown in below for shown in ("(88.5, 1)", "0.125", "4.5 × 10¹⁵ ulp"))


def test_the_markdown_prints_the_error_of_the_input_shown(sample_run: RunRecord) -> None:
    """The worst error stands in one column, that of the simple input beside the input."""
    found = replace(sample_run.evidence[1], worst_ulp=4.5e15, worst_ratio=1.5e9, counterexample=EXAMPLE)
    row = next(
        line for line in markdown(replace(sample_run, evidence=(found,))).splitlines() if "g = " in line
    )
    assert "| 4.5 × 10¹⁵ | 1.5 × 10⁹ |" in row
    assert row.endswith("| 5.5 |")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (EXAMPLE, "5.5 ulp, where 4 ulp are allowed"),
        (
            replace(EXAMPLE, got="nan", error_ulp=inf, allowed_ulp=inf),
            "the algorithm has no finite bound at this input, and the result is nan where the exact value is "
            "finite",
        ),
        (
            replace(EXAMPLE, got="inf", error_ulp=inf),
            "the result is inf where the exact value is finite; 4 ulp are allowed",
        ),
        (
            replace(EXAMPLE, exact="inf", error_ulp=inf),
            f"the result is {EXAMPLE.got} where the exact value is inf; 4 ulp are allowed",
        ),
        (
            replace(EXAMPLE, allowed_ulp=inf),
            "the algorithm has no finite bound at this input, and the result is 5.5 ulp off",
        ),
    ],
)
def test_an_error_without_a_number_is_told_in_words(case: Counterexample, words: str) -> None:
    """No reader has to make sense of infinitely many ulps where infinitely many are allowed."""
    assert error_of(case) == words


@pytest.mark.parametrize(
    ("ulp", "ratio", "words"),
    [
        (5.5, 1.4, "up to 5.5 ulp off, up to 1.4 times its bound"),
        (5.5, inf, "up to 5.5 ulp off, also where no error is allowed"),
        (inf, inf, "the result is infinite or nan where the exact value is finite"),
        (None, None, "the two sides differ in exact arithmetic"),
    ],
)
def test_a_headline_is_told_in_words(
    sample_run: RunRecord, ulp: float | None, ratio: float | None, words: str
) -> None:
    """Numbers where there are some, and else what happened."""
    assert measure(replace(sample_run.evidence[1], worst_ulp=ulp, worst_ratio=ratio)) == words


def _gradient(run: RunRecord, **changed: object) -> EvidenceRecord:
    """A refuted gradient by autograd."""
    found = replace(run.evidence[1], implementation="autograd of F.softmax", side="gradient of target")
    return replace(found, witness="lossproof1:a:b:c:d:torch:softmax:x:y", **changed)  # type: ignore[arg-type]


def test_a_refuted_gradient_can_be_replayed_from_the_page(sample_run: RunRecord) -> None:
    """The command is there, with the witness of the call."""
    text = page(replace(sample_run, evidence=(_gradient(sample_run),)))
    assert "lossproof replay lossproof1:a:b:c:d:torch:softmax:x:y" in text


def test_only_the_worst_gradient_of_a_finding_can_be_replayed_from_the_page(sample_run: RunRecord) -> None:
    """The witnesses of the others are in the JSON, as they are long."""
    evidence = tuple(_gradient(sample_run, dtype=dtype) for dtype in ("float32", "float64"))
    assert page(replace(sample_run, evidence=evidence)).count("lossproof replay lossproof1") == 1


def test_a_gradient_is_told_as_one(sample_run: RunRecord) -> None:
    """Beside the claim stands in which tensor it is."""
    text = page(replace(sample_run, evidence=(_gradient(sample_run),)))
    assert "</a>, gradient of target.</p>" in text


def test_a_gradient_that_could_not_be_had_says_why(sample_run: RunRecord) -> None:
    """Where no number was returned there is no error to tell."""
    case = Counterexample((("input", "[1]"),), "", "it raised RuntimeError", inf, 0.0)
    found = _gradient(sample_run, counterexample=case, worst_ulp=inf, reason="it raised RuntimeError: no")
    assert measure(found) == "it raised RuntimeError: no"


def test_the_part_is_named_where_a_claim_has_several(sample_run: RunRecord) -> None:
    """So that two checks of one implementation are told apart."""
    evidence = (sample_run.evidence[0], replace(sample_run.evidence[0], part="other"))
    text = page(replace(sample_run, evidence=evidence))
    assert all(f"right<small>{part}</small>" in text for part in ("main", "other"))


def test_the_part_is_not_named_where_a_claim_has_one(sample_run: RunRecord) -> None:
    """It would say what the claim says."""
    assert "<small>main</small>" not in page(sample_run)


@pytest.mark.parametrize("view", [page, markdown])
def test_a_definition_is_followed_by_its_expression(
    sample_run: RunRecord, view: Callable[[RunRecord], str]
) -> None:
    """Where torch has no function, the reader sees what was computed."""
    found = replace(sample_run.evidence[1], implementation="definition", expression="-log(f(y))")
    assert "-log(f(y))" in view(replace(sample_run, evidence=(found,)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.49999, "0.5"),
        (12.34, "12.3"),
        (8080.0, "8,080"),
        (1.23e9, "1.2 × 10⁹"),
        (4e-7, "4.0 × 10⁻⁷"),
        (float("inf"), "∞"),
        (float("nan"), "not a number"),
    ],
)
def test_quantities_read_well(value: float | None, shown: str) -> None:
    """Numbers have three digits and a power of ten where they need one."""
    assert quantity(value) == shown


def test_the_markdown_begins_with_the_sentence(sample_run: RunRecord) -> None:
    """A reader of a comment sees the result first."""
    assert markdown(sample_run).splitlines()[0] == f"**{summarise(sample_run).sentence}**"


def test_the_markdown_keeps_the_exponent_of_a_shortened_number(sample_run: RunRecord) -> None:
    """Cutting digits does not change the size of a number."""
    assert "`3.6176644e-9`" in markdown(sample_run)


@pytest.mark.parametrize("got", ["inf", "nan", "0.5 against nan"])
def test_the_markdown_shows_what_is_no_number_as_it_was_returned(sample_run: RunRecord, got: str) -> None:
    """Infinite and undefined results keep the name that torch gives them."""
    case = sample_run.evidence[1].counterexample
    assert case is not None
    found = replace(sample_run.evidence[1], counterexample=replace(case, got=got))
    assert f"`{got}`" in markdown(replace(sample_run, evidence=(found,)))


def test_hostile_text_cannot_leave_its_markdown_cell(sample_run: RunRecord) -> None:
    """No row is broken and no element begins, whatever a name says."""
    text = markdown(_hostile(sample_run))
    outside_code = re.sub(r"`[^`\n]*`", "", text)
    assert set(re.findall(r"</?([a-z]+)", outside_code)) == {"details", "summary"}
    rows = [re.sub(r"\\\|", "", line) for line in text.splitlines() if line.startswith("| `")]
    assert {row.count("|") for row in rows} == {4, 10}  # the atlas, the findings


def test_hostile_text_is_no_markup_in_markdown(sample_run: RunRecord) -> None:
    """Neither a link, nor a mention, nor a heading, nor an entity is made of what a report says."""
    outside_code = re.sub(r"`[^`\n]*`", "", markdown(_hostile(sample_run)))
    for made in ("](", "@someone", "http://", "\n# ", "&lt;b", "~~", "\\"):
        assert made not in outside_code


def test_text_that_needs_no_change_is_unchanged_in_markdown(sample_run: RunRecord) -> None:
    """An escaped letter is one letter again when it is shown."""
    entry = NotRun("a_b", "1 < 2 & #3", "x")
    text = markdown(replace(sample_run, not_run=(entry,)))
    assert "- a_b: 1 < 2 & #3 (x)" in unescape(text)


def test_the_markdown_fits_a_comment(sample_run: RunRecord) -> None:
    """Hundreds of findings do not make it long."""
    many = tuple(replace(sample_run.evidence[1], implementation=f"f{n}") for n in range(500))
    text = markdown(replace(sample_run, evidence=many))
    assert len(text) < 5000
    assert "and 492 more on the page." in text
