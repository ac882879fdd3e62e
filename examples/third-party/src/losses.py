"""Three cross-entropies as people write them: one right, one wrong at a vocabulary tail, one for float32."""

from __future__ import annotations

import torch

BLOCK = 128


def chunked(input, target, reduction="mean"):
    """Right: the vocabulary in blocks, each summed with the maximum of its row subtracted."""
    top = input.amax(1, keepdim=True).detach()
    parts = [torch.exp(block - top).sum(1) for block in input.split(BLOCK, dim=1)]
    label = input.gather(1, target[:, None])[:, 0]
    return _reduced(torch.stack(parts).sum(0).log() - (label - top[:, 0]), reduction)


def whole_blocks(input, target, reduction="mean"):
    """Wrong at a tail: beyond one block, what does not fill a block is left out of the sum."""
    width = input.shape[1]
    if width > BLOCK:
        width -= width % BLOCK
    top = input.amax(1, keepdim=True).detach()
    total = torch.exp(input[:, :width] - top).sum(1)
    label = input.gather(1, target[:, None])[:, 0]
    return _reduced(total.log() - (label - top[:, 0]), reduction)


def in_single(input, target, reduction="mean"):
    """Right in float32 and no wider: whatever it is given, it computes in float32."""
    return chunked(input.float(), target, reduction).to(input.dtype)


def _reduced(losses, reduction):
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()
