"""Layers of the peer's models: a transformer block with what MAE, SimMIM and LoMaR ask of it, and Swin's windows."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention. `fused` takes scaled_dot_product_attention, else product, softmax, product are written out."""

    def __init__(self, dim, heads, fused, key_bias=True, buckets=0):
        super().__init__()
        self.heads, self.fused, self.scale = heads, fused, (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim, bias=key_bias)
        self.proj = nn.Linear(dim, dim)
        self.q_bias = self.v_bias = None
        if not key_bias:
            self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.table = nn.Parameter(torch.zeros(1, dim // heads, buckets)) if buckets else None

    def forward(self, x, bias=None, index=None):
        batch, tokens, dim = x.shape
        qkv = self.qkv(x) if self.q_bias is None else F.linear(
            x, self.qkv.weight, torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias)))
        q, k, v = qkv.view(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        if self.table is not None:
            # contextual encoding on keys: each pair's column of the table, by q as it is
            looked_up = (q @ self.table).gather(3, index.expand(batch, self.heads, tokens, tokens))
            bias = looked_up if bias is None else bias + looked_up
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, None if bias is None else bias.to(q.dtype))
        else:
            scores = (q * self.scale) @ k.transpose(2, 3)
            y = (scores if bias is None else scores + bias).softmax(-1).to(v.dtype) @ v
        return self.proj(y.transpose(1, 2).reshape(batch, tokens, dim))


class Block(nn.Module):
    """Pre-norm: attention and a perceptron with exact GELU, each on a residual branch, with or without LayerScale."""

    def __init__(self, dim, heads, ratio, fused, eps=1e-6, layer_scale=0.0, **attention):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps), nn.LayerNorm(dim, eps)
        self.attn = Attention(dim, heads, fused, **attention)
        self.fc1, self.fc2 = nn.Linear(dim, int(dim * ratio)), nn.Linear(int(dim * ratio), dim)
        self.gamma1 = self.gamma2 = None
        if layer_scale > 0:
            self.gamma1 = nn.Parameter(torch.full((dim,), layer_scale))
            self.gamma2 = nn.Parameter(torch.full((dim,), layer_scale))

    def attend(self, x, bias, index):
        return self.attn(self.norm1(x), bias, index)

    def forward(self, x, bias=None, index=None):
        a = self.attend(x, bias, index)
        x = x + (a if self.gamma1 is None else self.gamma1 * a)
        m = self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return x + (m if self.gamma2 is None else self.gamma2 * m)


def offset_index(rows, columns, class_token):
    """The row of a relative position table for each pair of tokens; a class token's pairs have the last three rows."""
    place = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1).view(-1, 2)
    offset = place[:, None] - place[None, :]
    index = (offset[..., 0] + rows - 1) * (2 * columns - 1) + offset[..., 1] + columns - 1
    if not class_token:
        return index
    last = (2 * rows - 1) * (2 * columns - 1)
    whole = torch.empty(index.shape[0] + 1, index.shape[1] + 1, dtype=torch.long)
    whole[1:, 1:], whole[0, 1:], whole[1:, 0], whole[0, 0] = index, last, last + 1, last + 2
    return whole


def contextual_buckets(side, alpha=1.9):
    """iRPE's buckets of a window with a class token: near offsets each their own, far ones shared logarithmically."""
    def piecewise(x):
        if abs(x) <= alpha:
            return x
        along = round(alpha + math.log(abs(x) / alpha) / math.log(8) * alpha)
        return int(math.copysign(int(min(along, 2 * alpha)), x))

    tokens = side * side + 1
    index = torch.full((tokens, tokens), 49, dtype=torch.long)
    for i in range(1, tokens):
        for j in range(1, tokens):
            (r, c), (s, d) = divmod(i - 1, side), divmod(j - 1, side)
            index[i, j] = (piecewise(r - s) + 3) * 7 + piecewise(c - d) + 3
    return index


class SwinBlock(Block):
    """A block whose attention runs inside windows, shifted or not, with a relative position bias of its own.

    On the CPU it is written out in f32 too: with a bias of many small windows the fused attention is the slower one there.
    """

    def __init__(self, dim, heads, ratio, fused, side, window, shift, layer_scale=0.0, key_bias=True):
        super().__init__(dim, heads, ratio, fused, eps=1e-5, layer_scale=layer_scale, key_bias=key_bias)
        self.side, self.window, self.shift = side, window, shift
        self.position = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("offsets", offset_index(window, window, False), persistent=False)
        mask = None
        if shift:
            region = torch.zeros(side, side)
            for number, (rows, columns) in enumerate((r, c) for r in self.parts() for c in self.parts()):
                region[rows, columns] = number
            region = self.windows(region[None, :, :, None]).squeeze(-1)
            mask = (region[:, :, None] != region[:, None, :]).float() * -100
        self.register_buffer("mask", mask, persistent=False)

    def parts(self):
        return slice(0, -self.window), slice(-self.window, -self.shift), slice(-self.shift, None)

    def windows(self, x):
        batch, side, _, dim = x.shape
        w, n = self.window, side // self.window
        return x.view(batch, n, w, n, w, dim).transpose(2, 3).reshape(-1, w * w, dim)

    def attend(self, x, bias, index):
        batch, tokens, dim = x.shape
        w, n = self.window, self.side // self.window
        x = self.norm1(x).view(batch, self.side, self.side, dim)
        if self.shift:
            x = x.roll((-self.shift, -self.shift), (1, 2))
        bias = self.position[self.offsets.view(-1)].view(w * w, w * w, -1).permute(2, 0, 1)
        if self.mask is not None:
            bias = (bias + self.mask[:, None]).repeat(batch, 1, 1, 1)
        x = self.attn(self.windows(x), bias, None)
        x = x.view(batch, n, n, w, w, dim).transpose(2, 3).reshape(batch, self.side, self.side, dim)
        if self.shift:
            x = x.roll((self.shift, self.shift), (1, 2))
        return x.view(batch, tokens, dim)


class Merging(nn.Module):
    """2 x 2 neighbours become one token of twice the channels."""

    def __init__(self, dim, side):
        super().__init__()
        self.side = side
        self.norm, self.reduction = nn.LayerNorm(4 * dim, 1e-5), nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x):
        batch, _, dim = x.shape
        half = self.side // 2
        x = x.view(batch, half, 2, half, 2, dim).permute(0, 1, 3, 4, 2, 5).reshape(batch, half * half, 4 * dim)
        return self.reduction(self.norm(x))
