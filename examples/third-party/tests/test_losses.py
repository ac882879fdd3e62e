"""Each loss, its gradient and its side effects as items of pytest; what is known to fail says so."""

from __future__ import annotations

import losses

from verify.testing import Expected, parametrize_with_checks

FORMS = {"axes": 2, "target": "indices"}
"""These losses take rows of logits with class indices, and no other form of a call."""

TAIL_VALUE = (
    "lossproof1:cross_entropy:value:float32:cpu:losses:whole_blocks:eNrtTstqAzEM3HM_Q2dRkm0p1Jc"
    "ces8PLEtwdhWvwZGDLdMNIZBPrxzo45A_6ApkSaMZjS8QT-IjZzAXSDSWoU5g4EiWAeGTvJsEzMGGTAjecUy08zzSD"
    "IZLCAjB7ins8jFGmTw7MKvnFYLY5EiFoFw_UNZbdtZi2qtKiJ1Md88tmDXCh77te93YcyxVNkQW70osVUnzyarl-PM"
    "Pl6wOkor2Qpxj0mNdB4cQrby0gF2Pd2qPf8E1qkuPVVcXnuXttcKPyZX6CP9G--tT09w2zRL_Pm6_3WbJJb8AU0zKv"
    "g==:1a9d169e"
)
TAIL_GRADIENT = (
    "lossproof1:cross_entropy:gradient:float32:cpu:losses:whole_blocks:eNrtTstqAzEM3HM_Q2dRkm0p"
    "1Jcces8PLEtwdhWvwZGDLdMNIZBPrxzo45A_6ApkSaMZjS8QT-IjZzAXSDSWoU5g4EiWAeGTvJsEzMGGTAjecUy08z"
    "zSDIZLCAjB7ins8jFGmTw7MKvnFYLY5EiFoFw_UNZbdtZi2qtKiJ1Md88tmDXCh77te93YcyxVNkQW70osVUnzyarl"
    "-PMPl6wOkor2Qpxj0mNdB4cQrby0gF2Pd2qPf8E1qkuPVVcXnuXttcKPyZX6CP9G--tT09w2zRL_Pm6_3WbJJb8AU0"
    "zKvg==:67021276"
)
SINGLE_VALUE = (
    "lossproof1:cross_entropy:value:float64:cpu:losses:in_single:eNp9jjFuwzAMRTP3GJyFIjGKDFo6dO"
    "8FDCNgbUYWoJCBRCEugty5RwhtJG2GoFwoPv3_yTPIUaNwAX-GTEPt5wk8HAgZHJwohlHB7zEVchADS6Zd5IEm8FxT"
    "cpDwi9KuHER0jBzAr1_XDhRzIDOCaWNPxbJwsuabi1mIg47Lzk_wGwcfN47fUmdTL6wxVKmzj6Yj2sLh94qQ0QbN1d"
    "5KXCRbVNvCPgnq9g1c27lF2rlHuHHNA498o0-1zfOEO-0uL6ulft5X_9b9_69fATUzbF4=:0c18e771"
)
SINGLE_GRADIENT = (
    "lossproof1:cross_entropy:gradient:float64:cpu:losses:in_single:eNqNjk1qw0AMhbPuMd56KElcuph"
    "NF933AsaEia2MByZSmB_qEnLnHKGyaUqgWVQbSR_vPekMOZUgnGHPSDTUft5gcSTHMPik4McCe3Axk0HwLIl2gQeaY"
    "LnGaBDdnuIuH0XKGNjDrp_XBsUlT2qEakNPWbPcpM1uL2oh9mVcbn7AbgzeYZuZuy-ps6kXLsFXqbOPppPTg8PvFz4"
    "5XUqqOhfiLEmj2haHKK68vsC0nVmknbmHG9Pc8cA_9KG2eZxwo93labXU9W31r7rp_vZv4xptkA==:80e28010"
)


@parametrize_with_checks(
    [(function, "cross_entropy") for function in (losses.chunked, losses.whole_blocks, losses.in_single)],
    options=FORMS,
    examples=30,
    expected={
        "whole_blocks-cross_entropy-value-float32-cpu": Expected("leaves out the tail", TAIL_VALUE),
        "whole_blocks-cross_entropy-gradient-float32-cpu": Expected("leaves out the tail", TAIL_GRADIENT),
    },
)
def test_in_float32(check):
    """One property of one loss."""
    check()


@parametrize_with_checks(
    [(function, "cross_entropy") for function in (losses.chunked, losses.in_single)],
    dtypes=("float64",),
    options=FORMS,
    examples=30,
    expected={
        "in_single-cross_entropy-value-float64-cpu": Expected("computes in float32", SINGLE_VALUE),
        "in_single-cross_entropy-gradient-float64-cpu": Expected("computes in float32", SINGLE_GRADIENT),
    },
)
def test_in_float64(check):
    """One property of one loss."""
    check()
