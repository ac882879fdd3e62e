"""The claims of the catalogue: every one has the status that its derivation and its witness earn."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest

import proofs
import verify
from verify.claim import Claim, Part
from verify.proof import fingerprint, judge
from verify.record import ClaimRecord, PartRecord

ARTICLE = {
    "likelihood-product": "proved",
    "log-likelihood-sum": "proved",
    "softmax-is-distribution": "proved",
    "logistic-regression-special-case": "proved",
    "softmax-nll": "proved",
    "loss-is-negated-log-likelihood": "proved",
    "binary-special-case": "proved",
    "kl-one-hot": "proved",
    "cross-entropy-decomposition": "proved",
    "entropy-one-hot": "proved",
    "cross-entropy-one-hot": "proved",
    "soft-labels": "opinion",
    "log-probability-additive": "proved",
    "linear-combination-is-log-probability": "refuted",
    "independent-signals": "proved",
    "shannon-code-length": "refuted",
    "likelihood-is-compression": "proved",
    "compression-without-kl": "opinion",
    "bits-per-word": "refuted",
    "five-bits-is-2^-5": "proved",
    "evidence-bits": "refuted",
}
BEYOND = {
    "softmax-shift-invariance": "proved",
    "logsumexp-max-shift": "proved",
    "logsumexp-bounds": "proved",
    "softmax-entropy": "proved",
    "mean-gap": "proved",
    "gibbs-inequality": "proved",
    "entropy-at-most-log-n": "proved",
    "log-sum-inequality": "proved",
    "jensen-shannon-bounds": "proved",
    "kl-additive": "proved",
    "data-processing": "proved",
    "pinsker-inequality": "cited",
    "cross-entropy-is-normalised": "proved",
    "label-smoothing": "proved",
    "bce-symmetry": "proved",
    "weighted-mean-reduction": "proved",
    "perplexity": "proved",
    "perplexity-jensen": "proved",
    "log-score-is-proper": "proved",
    "label-smoothing-is-proper": "refuted",
    "focal-loss-is-proper": "refuted",
    "nll-hessian": "proved",
    "fisher-information": "proved",
}
EXPECTED = {**ARTICLE, **BEYOND, **{claim.id: "proved" for claim in proofs.GRADIENTS}}
CITED = {
    "shannon-code-length": {"mcmillan", "kraft-code-exists"},
    "pinsker-inequality": {"pinsker-inequality"},
}
TWO_LABELS = {"two-class-softmax", "binary-special-case", "binary-special-case-logits"}
SCALARS = {
    "log-probability-additive",
    "log-probability-below-linear-combination",
    "likelier-is-shorter",
    "shorter-is-likelier",
    "five-bits-is-2^-5",
    "five-bits",
    "evidence-bits-odds",
    "evidence-bits-factor",
    "evidence-bits-more-than-literal",
    "evidence-bits-less-than-one",
    "evidence-bits-rare",
    "bce-gradient",
    "bce-symmetry",
    "focal-loss-derivative",
    "focal-loss-minimiser-by-label",
    "laplace-nll-input-gradient-above",
    "laplace-nll-input-gradient-below",
    "poisson-nll-loss-gradient-full",
}
FOUR_MARKS = {"negative-binomial-nll-total-count-gradient", "negative-binomial-nll-logits-gradient"}
"""About one number, and four others that mark the whole numbers below a count."""


@pytest.fixture(autouse=True, scope="module")
def _without_sympy() -> Iterator[None]:
    """SymPy's opinion has no part in a status, and takes as long as all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("verify.proof.opinion", lambda part: "undecided")
        yield


@functools.cache
def _record(claim_id: str) -> ClaimRecord:
    return judge(verify.find(claim_id))


def _parts(claim: Claim) -> Iterator[Part]:
    yield from (*claim.parts, *claim.holds_when)
    if claim.corrected:
        yield from _parts(claim.corrected)


def _records(record: ClaimRecord) -> Iterator[PartRecord]:
    yield from (*record.parts, *record.holds_when)
    if record.corrected:
        yield from _records(record.corrected)


def test_the_catalogue_has_the_claims_of_the_article_in_its_order() -> None:
    """The permanent ids, as the article speaks of them, then what lies beyond it."""
    assert list(EXPECTED) == [c.id for c in verify.claims()]


@pytest.mark.parametrize("claim_id", EXPECTED)
def test_status(claim_id: str) -> None:
    """The status is computed, and it is this one."""
    assert _record(claim_id).status == EXPECTED[claim_id]


@pytest.mark.parametrize("claim_id", EXPECTED)
def test_every_statement_is_proved_or_cited(claim_id: str) -> None:
    """Parts, corrected forms and conditions all hold; theorems are cited only where the table says so."""
    statuses = {p.id: p.status for p in _records(_record(claim_id))}
    cited = {i for i, s in statuses.items() if s == "cited"}
    assert cited == CITED.get(claim_id, set())
    assert {s for i, s in statuses.items() if i not in cited} <= {"proved"}


@pytest.mark.parametrize("claim_id", [i for i, s in EXPECTED.items() if s == "refuted"])
def test_a_refuted_claim_has_witness_correction_and_condition(claim_id: str) -> None:
    """What is false as worded comes with the point, the true form, and when the wording is right."""
    record = _record(claim_id)
    assert record.witness is not None
    assert record.corrected is not None
    assert record.holds_when


@pytest.mark.parametrize("claim_id", EXPECTED)
def test_the_refuter_tried_every_proved_statement(claim_id: str) -> None:
    """Every proved statement was attacked at exact points, and where n is free, beyond n = 7."""
    for part in _records(_record(claim_id)):
        if part.status == "proved" and part.id not in {"five-bits-is-2^-5", "five-bits"}:
            assert (part.refuter, part.points > 3) == ("supported", True)
            if part.id not in TWO_LABELS | SCALARS | FOUR_MARKS | {"dyadic-code-lengths"}:
                assert max(part.sizes) > 7


def test_a_statement_without_variables_is_tried_at_one_point() -> None:
    """Points are counted once, however often they are drawn."""
    assert [p.points for p in _record("five-bits-is-2^-5").parts] == [1, 1]


@pytest.mark.parametrize("claim_id", EXPECTED)
def test_no_statement_is_proved_for_fixed_n_only(claim_id: str) -> None:
    """A statement has a length by name, unless it is about two labels or about single numbers."""
    for part in _parts(verify.find(claim_id)):
        lengths = {s for d in part.given for s in (*d.shape, d.domain.bound) if s is not None}
        symbolic = any(isinstance(s, str) for s in lengths)
        assert symbolic != (part.id in TWO_LABELS | SCALARS | FOUR_MARKS)


def test_part_ids_are_unique() -> None:
    """Evidence is filed under part ids."""
    ids = [p.id for c in verify.claims() for p in _parts(c)]
    assert len(ids) == len(set(ids))


def test_fingerprints_are_unique() -> None:
    """No two statements say the same, but for the two citations that frame one inequality."""
    prints = [fingerprint(p) for c in verify.claims() for p in _parts(c) if p.citation is None]
    assert len(prints) == len(set(prints))


def test_a_changed_statement_has_another_fingerprint() -> None:
    """Old evidence does not count for a statement that was changed."""
    part = verify.find("kl-one-hot").parts[0]
    changed = dataclasses.replace(part, right=lambda c, q, y: 2 * -c.log(q[y]))
    assert fingerprint(changed) != fingerprint(part)


def test_the_code_of_the_witness_is_optimal() -> None:
    """Of all whole lengths that satisfy Kraft's inequality, (1, 1) is shortest for p = (.9, .1)."""
    p = (Fraction(9, 10), Fraction(1, 10))

    def expected(lengths: tuple[int, ...]) -> Fraction:
        return sum((x * k for x, k in zip(p, lengths, strict=True)), Fraction(0))

    codes = [k for k in product(range(6), repeat=2) if sum(Fraction(1, 2**x) for x in k) <= 1]
    assert min(codes, key=expected) == (1, 1)


def test_verdicts() -> None:
    """The public verdict: true for proved, false for refuted and for opinions."""
    verdicts = {i: verify.prove(verify.find(i)) for i in ("kl-one-hot", "evidence-bits", "soft-labels")}
    assert {i: (v.status, bool(v)) for i, v in verdicts.items()} == {
        "kl-one-hot": ("proved", True),
        "evidence-bits": ("refuted", False),
        "soft-labels": ("unknown", False),
    }


def test_a_claim_with_a_wrong_step_is_unknown_with_the_reason() -> None:
    """A derivation that does not hold proves nothing, and the record says which step failed."""
    claim = verify.find("softmax-nll")
    part = claim.parts[0]
    steps = (part.steps[0], dataclasses.replace(part.steps[1], rules=()), *part.steps[2:])
    broken = dataclasses.replace(claim, parts=(dataclasses.replace(part, steps=steps),))
    record = judge(broken)
    assert record.status == "unknown"
    assert "step 2" in record.parts[0].reason


def test_a_false_claim_without_a_derivation_is_refuted_with_a_witness() -> None:
    """A user's own false claim needs no derivation to be refuted."""
    claim = Claim(
        id="wrong",
        section="",
        words="",
        parts=(
            Part(
                id="wrong",
                words="",
                given=(verify.find("kl-one-hot").parts[0].given[0],),
                left=lambda c, q: c.sum(lambda i: q[i] ** 2, over=q),
                relation="=",
                right=lambda c, q: c.number(1),
            ),
        ),
    )
    verdict = verify.prove(claim)
    assert (verdict.status, bool(verdict)) == ("refuted", False)


@pytest.mark.parametrize("claim_id", EXPECTED)
def test_every_step_is_explained(claim_id: str) -> None:
    """Each line says in words why it follows, and each rule what it means."""
    for part in _parts(verify.find(claim_id)):
        for step in part.steps:
            assert step.why.endswith(".")
    for record in _records(_record(claim_id)):
        for line in record.steps[1:]:
            assert all(rule.words for rule in line.rules)


def test_a_formula_shows_the_operation_and_its_definition() -> None:
    """The statement names the divergence, and the record says what the name stands for."""
    record = _record("kl-one-hot").parts[0]
    assert r"D_{\mathrm{KL}}(e_{y} \,\|\, q)" in record.statement
    assert any(r"\sum" in d and r"D_{\mathrm{KL}}" in d for d in record.definitions)
