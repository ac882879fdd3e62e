"""Cross-entropy: of two distributions, and of a label against logits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.contract import Arguments, Contract, Gradient, Option, Options
from verify.domain import index, nonnegative, real
from verify.operation import Operation, Peer
from verify.operations.log_softmax import log_softmax
from verify.operations.nll import nll
from verify.operations.softmax import softmax
from verify.tables import REDUCTION


def _definition(c: Any, p: Any, q: Any) -> Any:
    return -c.sum(lambda i: c.xlogy(p[i], q[i]), over=p)


def _notation(p: str, q: str) -> str:
    return f"H({p}, {q})"


def _through_log_softmax(c: Any, p: Any, q: Any) -> Any:
    scores = c.standard(log_softmax, c.family(lambda i: c.log(q[i]), over=q))
    return -c.sum(lambda i: p[i] * scores[i], over=p)


def functional_cross_entropy(torch: Any, p: Any, q: Any) -> Any:
    """The cross_entropy of torch.nn.functional with log q as logits and p as target."""
    return torch.nn.functional.cross_entropy(torch.log(q), p)


def summed_xlogy(torch: Any, p: Any, q: Any) -> Any:
    """Minus the sum of torch.xlogy."""
    return -torch.xlogy(p, q).sum()


cross_entropy = Operation(
    id="cross_entropy",
    summary="cross-entropy H(p, q) of two probability vectors, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Definition; Cover and Thomas, Elements of Information Theory, problem 2.24 and chapter 5. "
    "The definition is also the algorithm: its terms have one sign.",
    algorithm=_definition,
    peers=(
        Peer("F.cross_entropy(log q, p)", functional_cross_entropy, _through_log_softmax),
        Peer("-torch.xlogy(p, q).sum", summed_xlogy),
    ),
)


def _logits_definition(c: Any, g: Any, y: Any) -> Any:
    return c.call(nll, c.call(softmax, g), y)


def _logits_notation(g: str, y: str) -> str:
    return rf"\operatorname{{ce}}({g}, {y})"


def _logits_algorithm(c: Any, g: Any, y: Any) -> Any:
    return -c.standard(log_softmax, g)[y]


def functional_cross_entropy_of_logits(torch: Any, g: Any, y: Any) -> Any:
    """The cross_entropy of torch.nn.functional with a class index."""
    return torch.nn.functional.cross_entropy(g, y)


def nll_of_log_softmax(torch: Any, g: Any, y: Any) -> Any:
    """The nll_loss of log_softmax."""
    return torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(g, dim=0), y)


def categorical_log_prob(torch: Any, g: Any, y: Any) -> Any:
    """Minus the log_prob of a Categorical distribution made from logits."""
    return -torch.distributions.Categorical(logits=g).log_prob(y)


def _smoothing(c: Any, options: Options, x: Any) -> tuple[Any, Any]:
    """What is left to the label, and the share of every class, under label smoothing."""
    epsilon = Fraction(options["label_smoothing"])
    return c.number(1 - epsilon), c.number(epsilon / len(x[1]))


def _batch(c: Any, options: Options, losses: Any, total_weight: Callable[[], Any]) -> Any:
    if options["reduction"] == "none":
        return losses
    total = c.sum(lambda n: losses[n], over=losses)
    return total if options["reduction"] == "sum" else total / total_weight()


def _total_weight(c: Any, y: Any, weight: Any, kept: Any) -> Any:
    return c.sum(lambda n: kept[n] * weight[y[n]], over=y)


def _losses(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    to_label, to_class = _smoothing(c, options, x)

    def loss(n: Any) -> Any:
        own = weight[y[n]] * c.call(cross_entropy_with_logits, x[n], y[n])
        if not options["label_smoothing"]:
            return kept[n] * own
        q = c.call(softmax, x[n])
        every = c.sum(lambda j: weight[j] * c.call(nll, q, j), over=q)
        return kept[n] * (to_label * own + to_class * every)

    return _batch(c, options, c.family(loss, over=y), lambda: _total_weight(c, y, weight, kept))


def _losses_algorithm(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """Each loss from the log_softmax of its row; then the sum, divided by the weight of the rows kept."""
    to_label, to_class = _smoothing(c, options, x)

    def loss(n: Any) -> Any:
        scores = c.standard(log_softmax, x[n])
        own = -(weight[y[n]] * scores[y[n]])
        if not options["label_smoothing"]:
            return kept[n] * own
        every = -c.sum(lambda j: weight[j] * scores[j], over=scores)
        return kept[n] * (to_label * own + to_class * every)

    return _batch(c, options, c.family(loss, over=y), lambda: _total_weight(c, y, weight, kept))


def _scores_gradient(
    c: Any, options: Options, g: Any, x: Any, y: Any, weight: Any, kept: Any
) -> Callable[[Any, Any], Any]:
    """At (n, j), minus the derivative of the result in the log_softmax of row n at class j, times g."""
    to_label, to_class = _smoothing(c, options, x)
    shared = None
    if options["reduction"] == "mean":
        shared = g / _total_weight(c, y, weight, kept)
    elif options["reduction"] == "sum":
        shared = g

    def entry(n: Any, j: Any) -> Any:
        own = weight[y[n]] * c.equal(j, y[n])
        if options["label_smoothing"]:
            own = to_label * own + to_class * weight[j]
        return kept[n] * ((g[n] if shared is None else shared) * own)

    return entry


def _gradient(c: Any, options: Options, g: Any, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    entry = _scores_gradient(c, options, g, x, y, weight, kept)

    def row(n: Any) -> Any:
        s = c.call(softmax, x[n])
        total = c.sum(lambda j: entry(n, j), over=s)
        return c.family(lambda j: s[j] * total - entry(n, j), over=s)

    return c.family(row, over=y)


def _gradient_algorithm(c: Any, options: Options, g: Any, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """Through log_softmax, as autograd does: softmax is the exponential of log_softmax."""
    entry = _scores_gradient(c, options, g, x, y, weight, kept)

    def row(n: Any) -> Any:
        scores = c.standard(log_softmax, x[n])
        entries = c.family(lambda j: entry(n, j), over=scores)
        total = c.sum(lambda j: entries[j], over=entries)
        return c.family(lambda j: c.exp(scores[j]) * total - entries[j], over=scores)

    return c.family(row, over=y)


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Weights of 1 unless they are asked for; rows dropped as ``ignore_index`` says; a mean needs weight."""
    x, y, weight, draws = values
    ignored = options["ignore_index"]
    if not options["weight"]:
        weight = (Fraction(1),) * len(weight)
    if ignored is None:
        kept = [True] * len(y)
    elif 0 <= ignored < len(weight):
        kept = [label != ignored + 1 for label in y]
    else:
        kept = [draw != 3 for draw in draws]
    weighted = any(keep and weight[label - 1] for keep, label in zip(kept, y, strict=True))
    if options["reduction"] == "mean" and not weighted:
        return None
    return x, y, weight, tuple(Fraction(int(keep)) for keep in kept)


def _arguments(options: Options, values: tuple[Any, ...]) -> Arguments:
    x, y, weight, kept = values
    marker = 0 if options["ignore_index"] is None else options["ignore_index"] + 1
    target = tuple(label if keep else marker for label, keep in zip(y, kept, strict=True))
    return (("input", x), ("target", target)), (("weight", weight),) if options["weight"] else ()


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


_OPTIONS = (
    REDUCTION,
    Option("weight", (False, True), False, lambda value: isinstance(value, bool)),
    Option("ignore_index", (None, -100, -1, 0), None, lambda value: value is None or isinstance(value, int)),
    Option("label_smoothing", (0.0, 0.1, 0.5, 1.0), 0.0, _is_share),
)

cross_entropy_with_logits = Operation(
    id="cross_entropy_with_logits",
    summary="negative log-likelihood of label y under softmax(g), in nats",
    definition=_logits_definition,
    notation=_logits_notation,
    source="Definition; torch.nn.functional.cross_entropy with a class index. Algorithm: log_softmax.",
    algorithm=_logits_algorithm,
    peers=(
        Peer("F.cross_entropy(g, y)", functional_cross_entropy_of_logits),
        Peer("F.nll_loss(F.log_softmax(g), y)", nll_of_log_softmax),
        Peer("-Categorical(logits).log_prob", categorical_log_prob),
    ),
    contract=Contract(
        name="cross_entropy",
        namesake="torch.nn.functional.cross_entropy",
        given=(
            real("input", "N", "C"),
            index("target", "C", "N"),
            nonnegative("weight", "C"),
            index("kept", 3, "N"),
        ),
        shape=lambda options: ("N",) if options["reduction"] == "none" else (),
        definition=_losses,
        algorithm=_losses_algorithm,
        gradients=(Gradient("input", _gradient, _gradient_algorithm),),
        arguments=_arguments,
        tensors=2,
        options=_OPTIONS,
        prepare=_prepare,
    ),
)
