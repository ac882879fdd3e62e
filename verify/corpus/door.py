"""The door of the corpus: it is written in torch, and without torch one sentence says so."""

from __future__ import annotations

from verify.backends import load_torch

load_torch()
