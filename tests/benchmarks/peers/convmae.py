"""ConvMAE in plain PyTorch: convolutional stages with tokens channels last, so that 1 x 1 convolutions are matrix products."""
import torch
from torch import nn
from torch.nn import functional as F

from blocks import Block
from models import Masked


def convolve(conv, x):
    """A convolution of (B, H, W, C), which PyTorch sees as channels-last memory of (B, C, H, W)."""
    return conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class ConvBlock(nn.Module):
    def __init__(self, dim, ratio):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, 1e-5), nn.LayerNorm(dim, 1e-5)
        self.conv1, self.conv2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.depthwise = nn.Conv2d(dim, dim, 5, padding=2, groups=dim)
        self.fc1, self.fc2 = nn.Linear(dim, int(dim * ratio)), nn.Linear(int(dim * ratio), dim)

    def forward(self, x, keep):
        x = x + self.conv2(convolve(self.depthwise, keep.to(x.dtype) * self.conv1(self.norm1(x))))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ConvMae(Masked):
    def __init__(self, recipe, fused):
        super().__init__(recipe)
        encoder, decoder = recipe["encoder"], recipe["decoder"]
        if decoder["downsampling"] != 1:
            raise SystemExit("peer.py knows no decoder.downsampling")
        (first, second, third), depths, ratio = encoder["dims"], encoder["depths"], encoder["mlp_ratio"]
        self.keep = int(self.count * (1 - recipe["mask"]["ratio"]))
        self.embed = nn.Conv2d(recipe["image"]["channels"], first, self.patch // 4, self.patch // 4)
        self.embed2, self.embed3 = nn.Conv2d(first, second, 2, 2), nn.Conv2d(second, third, 2, 2)
        self.norms = nn.ModuleList(nn.LayerNorm(dim, 1e-5) for dim in (first, second, third))
        self.embed4 = nn.Linear(third, third)
        self.stage1 = nn.ModuleList(ConvBlock(first, ratio) for _ in range(depths[0]))
        self.stage2 = nn.ModuleList(ConvBlock(second, ratio) for _ in range(depths[1]))
        self.blocks = nn.ModuleList(Block(third, encoder["heads"], ratio, fused) for _ in range(depths[2]))
        self.fuse1, self.fuse2 = nn.Conv2d(first, third, 4, 4), nn.Conv2d(second, third, 2, 2)
        self.norm = nn.LayerNorm(third, 1e-6)
        wide = decoder["dim"]
        self.narrow = nn.Linear(third, wide)
        self.mask_token = nn.Parameter(torch.randn(1, 1, wide) * 0.02)
        self.decoder = nn.ModuleList(
            Block(wide, decoder["heads"], decoder["mlp_ratio"], fused) for _ in range(decoder["depth"]))
        self.decoder_norm = nn.LayerNorm(wide, 1e-6)
        self.predict = nn.Linear(wide, self.values)
        self.register_buffer("position", torch.randn(1, self.count, third), persistent=False)
        self.register_buffer("decoder_position", torch.randn(1, self.count, wide), persistent=False)

    def forward(self, images):
        batch = images.shape[0]
        order = torch.rand(batch, self.count).argsort(1)
        restore = order.argsort(1)
        mask = (restore >= self.keep).float()
        keep2 = (1 - mask).view(batch, self.rows, self.columns, 1).repeat_interleave(2, 1).repeat_interleave(2, 2)
        keep1 = keep2.repeat_interleave(2, 1).repeat_interleave(2, 2)

        def visible(x):
            x = x.reshape(batch, self.count, -1)
            return x.gather(1, order[:, :self.keep, None].expand(-1, -1, x.shape[2]))

        x = F.gelu(self.norms[0](self.embed(images).permute(0, 2, 3, 1)))
        for block in self.stage1:
            x = block(x, keep1)
        fused = visible(convolve(self.fuse1, x))
        x = F.gelu(self.norms[1](convolve(self.embed2, x)))
        for block in self.stage2:
            x = block(x, keep2)
        fused = fused + visible(convolve(self.fuse2, x))
        x = self.embed4(F.gelu(self.norms[2](convolve(self.embed3, x))))
        x = visible(x.reshape(batch, self.count, -1) + self.position)
        for block in self.blocks:
            x = block(x)
        x = self.narrow(self.norm(x + fused))
        hidden = self.mask_token.to(x.dtype).expand(batch, self.count - self.keep, -1)
        y = torch.cat((x, hidden), 1).gather(1, restore[:, :, None].expand(-1, -1, x.shape[2])) + self.decoder_position
        for block in self.decoder:
            y = block(y)
        pred = self.predict(self.decoder_norm(y))
        loss = ((pred.float() - self.target(images)) ** 2).mean(-1)
        return (loss * mask).sum() / mask.sum()
