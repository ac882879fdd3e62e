"""The page in a real browser: sorting, filtering, links, reach, contrast, and text that means harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from browser import Tab, browser

from verify.record import (
    FORMAT_VERSION,
    AtlasRecord,
    CheckRecord,
    ClaimRecord,
    ExpectedRecord,
    Figure,
    NotRun,
    PartRecord,
    RunRecord,
)
from verify.report.html import page
from verify.report.model import load
from verify.verdict import Counterexample, Status

pytestmark = pytest.mark.browser

REPORT = Path(__file__).parent.parent / "reports" / "report.json"
WIDTHS = (380, 1600)
HOSTILE = (
    "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"'` onload='window.harmed=3' "
    "javascript:window.harmed=4 </style></script></pre></code> &lt;b&gt; {{ 7 * 7 }} "
    "\u202egnorw\u202c \0\x1b[2J " + "unbroken" * 60
)
LAID_OUT = """
    document.querySelectorAll("details").forEach((one) => (one.open = true));
    document.querySelectorAll(".claim").forEach((one) => (one.style.contentVisibility = "visible"));
"""
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
TABLE = "document.querySelector('table[aria-label=\"%s\"]')"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests here."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the committed run, made anew."""
    return _written(page(load(REPORT)), tmp_path_factory.mktemp("full"))


@pytest.fixture
def many(sample_run: RunRecord, tmp_path: Path) -> Path:
    """A page with ten findings and as many checks of one claim, of every kind of number."""
    check, found = (
        replace(record, by_order="-0.5:0.5 0.5:2", by_value="-1:0.5 1:2") for record in sample_run.evidence
    )
    ratios = (8080.0, float("inf"), 1.2e9, 2.5, 99.0, 4e-7, 1e5, 1.3, 3.0, 4.0)
    refuted = tuple(
        replace(found, implementation=f"f{place}", dtype=("float32", "float16")[place % 2], worst_ratio=ratio)
        for place, ratio in enumerate(ratios)
    )
    unknown = replace(check, status=Status.UNKNOWN, worst_ratio=None, dtype="bfloat16")
    run = replace(sample_run, evidence=(check, unknown, *refuted))
    return _written(page(run), tmp_path)


@pytest.fixture
def checked(tmp_path: Path) -> Path:
    """A page of checks of functions alone: one that held, one refuted, one that is expected to fail."""
    return _written(page(_checks("losses.mine")), tmp_path)


def _checks(text: str) -> RunRecord:
    """Checks alone, with one text wherever a candidate may have written it."""
    case = Counterexample(((text, text),), text, text, 5.5, 4.0)
    held = CheckRecord(
        *[text] * 5,
        outcome="held",
        status=Status.PASSED,
        reason=text,
        inputs=7,
        worst_ulp=0.5,
        worst_ratio=0.2,
    )
    found = replace(
        held, outcome="refuted", status=Status.REFUTED, counterexample=case, reproducer=text, witness=text
    )
    known = replace(found, outcome="expected", expected=ExpectedRecord(text, text, text))
    facts = (("torch", text),)
    return RunRecord(FORMAT_VERSION, text, text, None, facts, (), checks=(*[held] * 9, found, known))


def _written(text: str, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


def _column(tab: Tab, table: str, place: int) -> list[str]:
    rows = f"[...{TABLE % table}.tBodies[0].rows].filter((row) => !row.hidden)"
    return list(tab.run(f"{rows}.map((row) => row.cells[{place}].firstChild.textContent)"))


def _head(table: str, place: int) -> str:
    return f"{TABLE % table}.tHead.rows[0].cells[{place}]"


def test_a_column_of_numbers_sorts_by_size(tab: Tab, many: Path) -> None:
    """The largest first, then the smallest first, then the order of the report again."""
    tab.open(many)
    report = _column(tab, "Findings", 5)
    orders = [report]
    for _ in range(3):
        tab.run(f"{_head('Findings', 5)}.querySelector('button').click()")
        orders.append(_column(tab, "Findings", 5))
    falling = ["∞", "1.2 × 10⁹", "1.0 × 10⁵", "8,080", "99", "4", "3", "2.5", "1.3", "4.0 × 10⁻⁷"]
    assert orders == [report, falling, falling[::-1], report]


def test_what_is_no_number_sorts_last_in_both_orders(tab: Tab, many: Path) -> None:
    """A check without an error is neither the best nor the worst."""
    tab.open(many)
    ends = []
    for _ in range(2):
        tab.run(f"{_head('Numeric checks of kl-one-hot', 7)}.querySelector('button').click()")
        ends.append(_column(tab, "Numeric checks of kl-one-hot", 7)[-1])
    assert ends == ["–", "–"]


def test_a_column_sorts_by_keyboard_and_says_so(tab: Tab, many: Path) -> None:
    """Its heading is a button, and the order is an attribute that a screen reader tells."""
    tab.open(many)
    said = []
    tab.run(f"{_head('Findings', 0)}.querySelector('button').focus()")
    for key in ("Enter", " ", "Enter"):
        tab.press(key)
        said.append(tab.run(f"{_head('Findings', 0)}.getAttribute('aria-sort')"))
    assert said == ["ascending", "descending", None]


def test_rows_that_share_cells_sort_whole(tab: Tab, many: Path) -> None:
    """What one row says for several is said by each once they move."""
    tab.open(many)
    table = "Numeric checks of kl-one-hot"
    tab.run(f"{_head(table, 2)}.querySelector('button').click()")
    cells = tab.run(f"[...{TABLE % table}.tBodies[0].rows].map((row) => row.cells.length)")
    assert set(cells) == {8}
    assert _column(tab, table, 0).count("F.nll_loss") == 2


def test_a_filter_leaves_the_rows_with_its_words_and_counts_them(tab: Tab, many: Path) -> None:
    """The count is a live region, so that a change is told."""
    tab.open(many)
    tab.run(f"{TABLE % 'Findings'}.closest('.scroll').previousElementSibling.querySelector('input').focus()")
    tab.type("F16 f1")
    assert _column(tab, "Findings", 0) == []
    tab.run("document.activeElement.value = ''")
    tab.type("FLOAT16 f1")
    assert _column(tab, "Findings", 0) == ["f1"]
    assert tab.run("document.activeElement.closest('.bar').querySelector('output').value") == "1 of 10 rows"


def test_a_choice_leaves_the_rows_that_have_it(tab: Tab, many: Path) -> None:
    """Each column with few values can be narrowed to one of them."""
    tab.open(many)
    bar = f"{TABLE % 'Findings'}.closest('.scroll').previousElementSibling"
    options = tab.run(f"[...{bar}.querySelector('select').options].map((one) => one.value)")
    tab.run(
        f"{bar}.querySelector('select').value = 'float16';"
        f"{bar}.querySelector('select').dispatchEvent(new Event('input', {{bubbles: true}}))"
    )
    assert options == ["", "float16", "float32"]
    assert set(_column(tab, "Findings", 1)) == {"float16"}


def test_a_reproducer_can_be_copied(tab: Tab, many: Path) -> None:
    """The button copies the script as it stands, and says that it did."""
    tab.open(many)
    tab.run("window.taken = ''; navigator.clipboard.writeText = async (text) => { window.taken = text; }")
    tab.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    tab.run("document.querySelector('button.copy').click()")
    tab.run("new Promise((done) => setTimeout(done))")
    assert tab.run("window.taken") == "import torch\nprint(torch.zeros(1))\n"
    assert tab.run("document.querySelector('button.copy').textContent") == "Copied"


@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_works_from_disk_alone(tab: Tab, full: Path, scripts: bool) -> None:
    """It asks for nothing and complains of nothing, with and without scripts."""
    tab.open(full, scripts=scripts)
    assert (tab.requests(), tab.complaints()) == ([], [])


def test_without_scripts_the_page_has_no_idle_controls(tab: Tab, full: Path) -> None:
    """What only a script can do is offered only by the script."""
    tab.open(full, scripts=False)
    assert tab.run("document.querySelectorAll('button, input, select').length") == 0


def test_scripts_add_controls_and_no_text(tab: Tab, full: Path) -> None:
    """What can be read is the same without them."""
    words = "document.querySelectorAll('.bar, .copy').forEach((one) => one.remove()); document.body.innerText"
    texts = []
    for scripts in (True, False):
        tab.open(full, scripts=scripts)
        tab.run(LAID_OUT)
        texts.append(tab.run(words))
    assert texts[0] == texts[1]


def test_a_witness_can_be_copied(tab: Tab, checked: Path) -> None:
    """As the command that replays it, and by itself."""
    tab.open(checked)
    tab.run("window.taken = []; navigator.clipboard.writeText = async (text) => { window.taken.push(text); }")
    tab.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    tab.run("document.querySelectorAll('#expected button.copy').forEach((one) => one.click())")
    assert tab.run("window.taken") == [
        "lossproof replay losses.mine --function MODULE:NAME",
        "losses.mine",
    ]


def test_every_link_leads_to_what_is_shown(tab: Tab, full: Path) -> None:
    """In the full report: no link without its target, and none that is folded away."""
    tab.open(full)
    lost = """[...document.querySelectorAll("a[href]")].map((link) => link.getAttribute("href"))
        .filter((href) => !document.getElementById(decodeURIComponent(href.slice(1)))?.checkVisibility())"""
    assert tab.run(lost) == []


def test_formulas_are_set_in_the_font_of_the_page(tab: Tab, full: Path) -> None:
    """The embedded one, whatever the machine has."""
    tab.open(full)
    tab.run("document.fonts.ready.then(() => 0)")
    assert tab.fonts(".claims math mi") == {"Report Mathematics"}


def test_a_link_brings_its_claim_to_the_top(tab: Tab, full: Path) -> None:
    """Though claims are laid out only when they come into sight."""
    tab.open(full)
    tab.run("document.querySelector('.contents a[href=\"#nll-gradient\"]').click()")
    for _ in range(3):
        tab.run(FRAMES)
    assert 0 <= tab.run("document.getElementById('nll-gradient').getBoundingClientRect().top") < 40


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_as_wide_as_its_window(tab: Tab, full: Path, width: int) -> None:
    """Wide tables and formulas scroll in boxes of their own."""
    tab.open(full, width=width)
    tab.run(LAID_OUT)
    assert tab.run("document.documentElement.scrollWidth") == width


def test_no_formula_scrolls_in_a_narrow_window(tab: Tab, full: Path) -> None:
    """Each in the full report breaks into lines that fit."""
    tab.open(full, width=380)
    tab.run(LAID_OUT)
    tab.run("document.fonts.ready.then(() => 0)")
    boxes = "[...document.querySelectorAll('.formula')]"
    assert tab.run(f"{boxes}.filter((box) => box.querySelector('span')).length") > 50
    assert tab.run(f"{boxes}.filter((box) => box.scrollWidth > box.clientWidth).length") == 0


def test_a_formula_breaks_only_where_its_line_is_full(tab: Tab, full: Path) -> None:
    """No part of one is on two lines that would have had room on its own."""
    tab.open(full, width=1600)
    tab.run(LAID_OUT)
    tab.run("document.fonts.ready.then(() => 0)")
    wide = "(one) => one.getBoundingClientRect().width"
    parted = f"""[...document.querySelectorAll('.formula span')].filter((part) => {{
        const width = {wide};
        const needed = [...part.children].map(width).reduce((one, other) => one + other);
        return needed > width(part) && needed < width(part.closest('.formula')) - 30;
    }}).length"""
    assert tab.run(parted) == 0


def test_what_scrolls_sideways_can_be_reached_with_the_keyboard(tab: Tab, full: Path) -> None:
    """Every box in the full report that is narrower than what it holds."""
    tab.open(full, width=380)
    tab.run(LAID_OUT)
    tab.run(FRAMES)
    boxes = "[...document.querySelectorAll('.scroll, .formula, .drawing, pre')]"
    wide = f"{boxes}.filter((box) => box.scrollWidth > box.clientWidth)"
    assert tab.run(f"{wide}.length") > 50
    assert tab.run(f"{wide}.filter((box) => box.tabIndex < 0).length") == 0


@pytest.mark.parametrize("kind", ["many", "checked"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    tab: Tab, kind: str, width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    """No rule of axe-core is broken: contrast, names, order, reach, size of targets."""
    tab.media(scheme=scheme)
    tab.open(request.getfixturevalue(kind), width=width)
    tab.run(LAID_OUT)
    found = _violations(tab)
    tab.media()
    assert found == []


def _violations(tab: Tab) -> list[str]:
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        pytest.skip(
            "not run: no axe-core; `pip install --no-deps axe-playwright-python`, or `tox run -e browser`"
        )
    tab.run((Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8") + ";0")
    told = "(one) => `${one.id}: ${one.nodes.length} × ${one.nodes[0].html}`"
    tab.run(FRAMES)
    rules = "{rules: {'target-size': {enabled: true}}}"
    return list(tab.run(f"axe.run({rules}).then((result) => result.violations.map({told}))"))


def test_on_paper_there_is_what_the_reader_unfolded(tab: Tab, many: Path) -> None:
    """Derivations and measurements that are open on the screen, and no other."""
    tab.open(many)
    folded = "[...document.querySelectorAll('.claim details > :is(ol, div)')]"
    tab.run(f"{folded}[0].closest('details').open = true")
    tab.media("print")
    shown = tab.run(f"{folded}.map((one) => one.checkVisibility())")
    tab.media()
    assert shown == [True] + [False] * (len(shown) - 1)
    assert len(shown) > 1


def test_on_paper_nothing_is_to_be_pressed(tab: Tab, many: Path) -> None:
    """Print leaves out the contents, the controls and the folded scripts."""
    tab.media("print")
    tab.open(many)
    pressed = "nav, .bar, .copy, details:has(> pre)"
    controls = tab.run(
        f"[...document.querySelectorAll('{pressed}')].filter((one) => one.checkVisibility()).length"
    )
    tab.media()
    assert controls == 0


def test_on_paper_every_section_is_told(tab: Tab, full: Path) -> None:
    """Findings, claims with their statements, accuracy, atlas and provenance are printed whole."""
    tab.media("print")
    tab.open(full)
    parts = ".finding > .case, .claims tr, .claim > h3, .claim .formula:not(details *), .heat, .loss, .facts"
    hidden = tab.run(
        f"[...document.querySelectorAll('{parts}')].filter((one) => !one.checkVisibility()).length"
    )
    tab.media()
    assert hidden == 0


def test_the_full_report_prints_on_a_few_dozen_pages(tab: Tab, full: Path) -> None:
    """As long as nothing is unfolded."""
    tab.open(full)
    assert tab.pages() < 80


def test_a_button_unfolds_every_claim(tab: Tab, many: Path) -> None:
    """All that is folded in claims, and folds it again, and says which."""
    tab.open(many)
    button = "document.querySelector('.bar button')"
    states = []
    for _ in range(2):
        tab.run(f"{button}.click()")
        opened = tab.run("[...document.querySelectorAll('.claim details')].map((one) => one.open)")
        states.append((tab.run(f"{button}.getAttribute('aria-pressed')"), set(opened)))
    assert states == [("true", {True}), ("false", {False})]


def test_in_dark_the_page_is_dark(tab: Tab, many: Path) -> None:
    """Paper and ink change places where the reader asks for it."""
    light = []
    for scheme in ("light", "dark"):
        tab.media(scheme=scheme)
        tab.open(many)
        paper = tab.run("getComputedStyle(document.body).backgroundColor")
        light.append(sum(map(int, paper[4:-1].split(","))) > 382)
    tab.media()
    assert light == [True, False]


def test_the_title_is_in_the_first_window(tab: Tab, full: Path) -> None:
    """What was verified and what was found is seen before anything is scrolled."""
    tab.open(full, width=1600, height=900)
    assert tab.run("document.querySelector('.tally').getBoundingClientRect().bottom") <= 900


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_text_does_no_harm(tab: Tab, sample_run: RunRecord, tmp_path: Path, width: int) -> None:
    """Names, exceptions and variables run nothing, ask for nothing, widen nothing and turn nothing around."""
    hostile = replace(_hostile(sample_run), checks=_checks(HOSTILE).checks)
    tab.open(_written(page(hostile), tmp_path), width=width)
    tab.run(LAID_OUT)
    assert tab.run("window.harmed") is None
    assert (tab.requests(), tab.complaints()) == ([], [])
    assert tab.run("document.documentElement.scrollWidth") == width
    assert tab.run("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.textContent)") is False


def _hostile(run: RunRecord) -> RunRecord:
    """The run with every text replaced that a candidate, an exception or the machine could have written."""
    case = Counterexample(((HOSTILE, HOSTILE),), HOSTILE, HOSTILE, 5.5, 4.0)
    check = replace(run.evidence[1], claim=HOSTILE, part=HOSTILE, counterexample=case, worst_case=case)
    texts = ("implementation", "dtype", "device", "reproducer", "reproduced", "reason", "expression")
    found = replace(check, **dict.fromkeys(texts, HOSTILE))
    part = PartRecord(HOSTILE, HOSTILE, "unknown", "a", HOSTILE, (HOSTILE,), reason=HOSTILE, citation=HOSTILE)
    claim = ClaimRecord(HOSTILE, HOSTILE, HOSTILE, "proved", "a = b", (HOSTILE,), (part,), remarks=(HOSTILE,))
    figure = Figure(
        HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, ((HOSTILE, ((0.0, 1.0), (1.0, 2.0))),)
    )
    loss = AtlasRecord(HOSTILE, HOSTILE, True, HOSTILE, HOSTILE, HOSTILE, rests_on=(HOSTILE,), figure=figure)
    return replace(
        run,
        created=HOSTILE,
        command=HOSTILE,
        provenance=((HOSTILE, HOSTILE), ("torch", HOSTILE)),
        claims=(claim,),
        evidence=(found,) * 9,
        not_run=(NotRun(HOSTILE, HOSTILE, HOSTILE),),
        figures=(figure,),
        atlas=(loss,),
    )
