"""Figures as SVG that stands inside a page: no styles of its own, colours from the page."""

from __future__ import annotations

import io
import math
import warnings
import xml.etree.ElementTree as ElementTree

from verify.record import Figure
from verify.report.text import visible

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_INK = "#010203"
_SERIES = ("#010301", "#010302", "#010304", "#010305")
_SHAPES = ("o", "s", "^", "D")
_KEPT = frozenset(
    "fill stroke stroke-width stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity "
    "fill-opacity fill-rule opacity font-size text-anchor".split()
)


def svg(figure: Figure, *, small: bool = False) -> str:
    """The figure as an ``<svg>`` element; ``small``: a thumbnail, of lines without marks.

    Non-finite points and, on a logarithmic axis, points <= 0 cannot be drawn and leave a gap. Ink is
    ``currentColor`` and series k has the colour ``var(--series-k)``, so that a page in light, in dark
    and on paper colours it. The same figure gives the same bytes.
    """
    import matplotlib

    with matplotlib.rc_context(
        {
            "svg.hashsalt": figure.id,
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 11,
            "text.color": _INK,
            "axes.edgecolor": _INK,
            "axes.labelcolor": _INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.unicode_minus": True,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "svg.id": f"figure-{visible(figure.id)}",
        }
    ):
        return _plain(_drawn(figure, small), figure)


def _drawn(figure: Figure, small: bool) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(3.6, 2.0) if small else (7.2, 3.6), layout="constrained")
    FigureCanvasSVG(canvas)
    axes = canvas.add_subplot()
    axes.set_xlabel(visible(figure.x_label), parse_math=False)
    axes.set_ylabel(visible(figure.y_label), parse_math=False)
    if figure.log_y:
        axes.set_yscale("log")
    for place, (label, points) in enumerate(figure.series):
        axes.plot(
            [x for x, _ in points],
            [y if math.isfinite(y) and (y > 0 or not figure.log_y) else math.nan for _, y in points],
            label=visible(label),
            color=_SERIES[place % len(_SERIES)],
            marker="" if small else _SHAPES[place % len(_SHAPES)],
            markersize=3.5,
            linewidth=1.6,
            zorder=3 + len(figure.series) - place,
        )
    axes.grid(visible=True, color=_INK, alpha=0.12, linewidth=0.6)
    if small:
        axes.locator_params(nbins=4)
    if any(label for label, _ in figure.series):
        for text in axes.legend(frameon=False).get_texts():
            text.set_parse_math(False)
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a foreign glyph, or a label longer than the axis
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return out.getvalue()


def _plain(markup: str, figure: Figure) -> str:
    """The drawing without style sheets and style attributes, coloured by the page."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(markup)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _style_to_attributes(element)
        if f"{{{_XLINK}}}href" in element.attrib:
            element.set("href", element.attrib.pop(f"{{{_XLINK}}}href"))
        if element.tag == f"{{{_SVG}}}g":
            element.attrib.pop("id", None)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", visible(figure.title))
    text = ElementTree.tostring(root, encoding="unicode")
    text = text.replace(_INK, "currentColor")
    for place, colour in enumerate(_SERIES, start=1):
        text = text.replace(colour, f"var(--series-{place})")
    return text


def _style_to_attributes(element: ElementTree.Element) -> None:
    for rule in element.attrib.pop("style", "").split(";"):
        name, _, value = rule.partition(":")
        name, value = name.strip(), value.strip()
        if name == "font":
            element.set("font-size", value.split()[0])
        elif name in _KEPT:
            element.set(name, value)
