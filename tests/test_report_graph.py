"""The graph of premises and claims: every line that there is, in the colour of the claim's status."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from verify.record import ClaimRecord, RunRecord
from verify.report.graph import graph
from verify.report.premises import Premise, premises


def _claim(run: RunRecord, name: str, section: str = "one", status: str = "proved") -> ClaimRecord:
    return replace(run.claims[0], id=name, section=section, status=status)


def _drawn(claims: tuple[ClaimRecord, ...], found: tuple[Premise, ...]) -> ElementTree.Element:
    return ElementTree.fromstring(graph(claims, found))


def test_a_line_goes_from_each_premise_to_each_of_its_claims(sample_run: RunRecord) -> None:
    """It ends at the height of the claim."""
    claims = tuple(_claim(sample_run, name) for name in "abc")
    root = _drawn(claims, (Premise("p", "", False, claims[:2]), Premise("q", "", False, claims[2:])))
    heights = {text.text: float(text.get("y", "")) for text in root.iter("text")}
    ends = []
    for line in root.iter("path"):
        for piece in line.get("d", "").split("M")[1:]:
            start, _, bend = piece.partition("c")
            ends.append(float(start.split()[1]) + float(bend.split()[-1]))
    assert sorted(ends) == sorted(heights[f"✓ {name}"] - 4 for name in "abc")


def test_lines_and_claims_have_the_tone_of_the_status(sample_run: RunRecord) -> None:
    """And the claims a mark, for those who do not see the colour."""
    claims = _claim(sample_run, "a"), _claim(sample_run, "b", status="unknown")
    root = _drawn(claims, (Premise("p", "", False, claims),))
    assert [line.get("class") for line in root.iter("path")] == ["fails", "holds"]
    links = {link.get("href"): (link.get("class"), link[0].text) for link in root.iter("a")}
    assert links["#a"] == ("holds", "✓ a")
    assert links["#b"] == ("fails", "✗ b")


def test_premises_stand_near_their_claims(sample_run: RunRecord) -> None:
    """In the order of the middles of their claims."""
    claims = tuple(_claim(sample_run, name) for name in "abcd")
    found = Premise("late", "", False, claims[3:]), Premise("early", "", True, claims[:2])
    texts = [text.text for text in _drawn(claims, found).iter("text")]
    assert texts[:2] == ["early · 2", "late · 1"]


def test_each_section_is_named_once(sample_run: RunRecord) -> None:
    """Above its claims."""
    claims = _claim(sample_run, "a"), _claim(sample_run, "b"), _claim(sample_run, "c", "two")
    texts = [text.text for text in _drawn(claims, ()).iter("text") if text.get("class") == "section"]
    assert texts == ["one", "two"]


def test_the_drawing_is_named_and_told(sample_run: RunRecord) -> None:
    """For those who hear it, with its counts."""
    root = _drawn(sample_run.claims, premises(sample_run))
    assert root.findtext("title") == "Premises and claims"
    assert root.findtext("desc") == (
        "1 premise at the left, 2 claims at the right, 1 line between them. The list below has the same."
    )


def test_names_in_the_drawing_are_escaped_and_short(sample_run: RunRecord) -> None:
    """A claim of one's own may be called anything."""
    hostile = "<script>\u202e" + "x" * 200
    claim = _claim(sample_run, hostile, hostile)
    drawn = graph((claim,), (Premise(hostile, "", True, (claim,)),))
    assert "<script" not in drawn
    assert "\u202e" not in drawn
    assert all(len(text.text or "") < 50 for text in ElementTree.fromstring(drawn).iter("text"))
