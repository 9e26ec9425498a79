"""MAE, SimMIM (ViT and Swin) and LoMaR in plain PyTorch, built from a recipe of this repository: forward gives the loss."""
import torch
from torch import nn

from blocks import Block, Merging, SwinBlock, contextual_buckets, offset_index


def patchify(images, patch):
    """(B, C, H, W) to (B, L, patch * patch * C), channel fastest."""
    batch, channels, height, width = images.shape
    x = images.view(batch, channels, height // patch, patch, width // patch, patch)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


def low_pass(images, mean, std, radius):
    """PixMIM's target: an ideal low pass whose disc is half a bin off the centre, and the magnitude of what passes."""
    height, width = images.shape[-2:]
    spectrum = torch.fft.fftshift(torch.fft.fft2(images * std + mean), dim=(-2, -1))
    a = torch.arange(height) - (height - 1) / 2
    b = torch.arange(width) - (width - 1) / 2
    passed = (a[:, None] ** 2 + b[None, :] ** 2 <= radius * radius).to(images.dtype)
    return (torch.fft.ifft2(spectrum * passed).abs() - mean) / std


class Masked(nn.Module):
    """What the methods share: sizes, the patch embedding, the target and the loss."""

    def __init__(self, recipe):
        super().__init__()
        image, encoder = recipe["image"], recipe["encoder"]
        self.patch, self.dim = encoder["patch"], encoder["dim"]
        self.rows, self.columns = image["height"] // self.patch, image["width"] // self.patch
        self.count = self.rows * self.columns
        self.values = self.patch * self.patch * image["channels"]
        self.embed = nn.Conv2d(image["channels"], self.dim, self.patch, self.patch)
        self.normalize = recipe["target"]["kind"] == "normalized_pixels"
        self.radius = recipe["target"]["low_pass"]
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(image[name]).view(1, -1, 1, 1), persistent=False)
        if recipe["target"]["reduction"] != 1 or recipe["loss"]["pixels"] != "masked":
            raise SystemExit("peer.py knows neither target.reduction nor loss.pixels=all")

    def tokens(self, images):
        return self.embed(images).flatten(2).transpose(1, 2)

    def target(self, images):
        with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
            if self.radius > 0:
                images = low_pass(images, self.mean, self.std, self.radius)
            target = patchify(images, self.patch)
            if self.normalize:
                var, mean = torch.var_mean(target, -1, keepdim=True)
                target = (target - mean) / (var + 1e-6).sqrt()
            return target


class Mae(Masked):
    def __init__(self, recipe, fused):
        super().__init__(recipe)
        encoder, decoder = recipe["encoder"], recipe["decoder"]
        if decoder["downsampling"] != 1 or not encoder["key_bias"]:
            raise SystemExit("peer.py knows MAE without decoder.downsampling and with encoder.key_bias only")
        self.keep = int(self.count * (1 - recipe["mask"]["ratio"]))
        self.cls = nn.Parameter(torch.randn(1, 1, self.dim) * 0.02)
        self.blocks = nn.ModuleList(
            Block(self.dim, encoder["heads"], encoder["mlp_ratio"], fused) for _ in range(encoder["depth"]))
        self.norm = nn.LayerNorm(self.dim, 1e-6)
        wide = decoder["dim"]
        self.narrow = nn.Linear(self.dim, wide)
        self.mask_token = nn.Parameter(torch.randn(1, 1, wide) * 0.02)
        self.decoder = nn.ModuleList(
            Block(wide, decoder["heads"], decoder["mlp_ratio"], fused) for _ in range(decoder["depth"]))
        self.decoder_norm = nn.LayerNorm(wide, 1e-6)
        self.predict = nn.Linear(wide, self.values)
        # fixed, as sine-cosine positions are; their values cost nothing
        self.register_buffer("position", torch.randn(1, self.count + 1, self.dim), persistent=False)
        self.register_buffer("decoder_position", torch.randn(1, self.count + 1, wide), persistent=False)

    def forward(self, images):
        batch = images.shape[0]
        x = self.tokens(images) + self.position[:, 1:]
        order = torch.rand(batch, self.count).argsort(1)
        restore = order.argsort(1)
        x = x.gather(1, order[:, :self.keep, None].expand(-1, -1, self.dim))
        x = torch.cat(((self.cls + self.position[:, :1]).expand(batch, -1, -1).to(x.dtype), x), 1)
        for block in self.blocks:
            x = block(x)
        x = self.narrow(self.norm(x))
        hidden = self.mask_token.to(x.dtype).expand(batch, self.count - self.keep, -1)
        y = torch.cat((x[:, 1:], hidden), 1).gather(1, restore[:, :, None].expand(-1, -1, x.shape[2]))
        y = torch.cat((x[:, :1], y), 1) + self.decoder_position
        for block in self.decoder:
            y = block(y)
        pred = self.predict(self.decoder_norm(y))[:, 1:]
        mask = (restore >= self.keep).float()
        loss = ((pred.float() - self.target(images)) ** 2).mean(-1)
        return (loss * mask).sum() / mask.sum()


class SimMim(Masked):
    """The mean absolute error over hidden pixels; hidden are squares of patches."""

    def __init__(self, recipe):
        super().__init__(recipe)
        mask = recipe["mask"]
        if mask["kind"] != "random" or recipe["loss"]["kind"] != "l1" or recipe["decoder"]["kind"] != "linear":
            raise SystemExit("peer.py knows SimMIM with random masks, the l1 loss and a linear head only")
        self.unit = mask["patch"] // self.patch
        self.across = (self.rows // self.unit, self.columns // self.unit)
        self.hidden = -(-int(self.across[0] * self.across[1] * mask["ratio"] * 1e9) // 10 ** 9)

    def draw(self, batch):
        rank = torch.rand(batch, self.across[0] * self.across[1]).argsort(1).argsort(1)
        mask = (rank < self.hidden).float().view(batch, *self.across)
        return mask.repeat_interleave(self.unit, 1).repeat_interleave(self.unit, 2)

    def loss(self, pixels, images, mask):
        """pixels: (B, C, H, W)."""
        with torch.no_grad():
            if self.radius > 0:
                images = low_pass(images, self.mean, self.std, self.radius)
            weight = mask.repeat_interleave(self.patch, 1).repeat_interleave(self.patch, 2)[:, None]
        error = (pixels.float() - images).abs()
        return (error * weight).sum() / (weight.sum() + 1e-5) / images.shape[1]


class SimMimVit(SimMim):
    def __init__(self, recipe, fused):
        super().__init__(recipe)
        encoder = recipe["encoder"]
        self.cls = nn.Parameter(torch.randn(1, 1, self.dim) * 0.02)
        self.mask_token = nn.Parameter(torch.randn(1, 1, self.dim) * 0.02)
        self.blocks = nn.ModuleList(
            Block(self.dim, encoder["heads"], encoder["mlp_ratio"], fused, layer_scale=encoder["layer_scale"],
                  key_bias=encoder["key_bias"]) for _ in range(encoder["depth"]))
        self.norm = nn.LayerNorm(self.dim, 1e-6)
        self.head = nn.Conv2d(self.dim, self.values, 1)
        self.shuffle = nn.PixelShuffle(self.patch)
        self.table = None
        if encoder["relative_position"] == "shared_bias":
            index = offset_index(self.rows, self.columns, True)
            self.register_buffer("index", index, persistent=False)
            self.table = nn.Parameter(torch.zeros(int(index.max()) + 1, encoder["heads"]))

    def forward(self, images):
        batch = images.shape[0]
        mask = self.draw(batch)
        x = self.tokens(images)
        weight = mask.view(batch, -1, 1).to(x.dtype)
        x = x * (1 - weight) + self.mask_token.to(x.dtype) * weight
        x = torch.cat((self.cls.expand(batch, -1, -1).to(x.dtype), x), 1)
        bias = None
        if self.table is not None:
            tokens = self.count + 1
            bias = self.table[self.index.view(-1)].view(tokens, tokens, -1).permute(2, 0, 1).contiguous()
        for block in self.blocks:
            x = block(x, bias)
        x = self.norm(x)[:, 1:].transpose(1, 2).reshape(batch, self.dim, self.rows, self.columns)
        return self.loss(self.shuffle(self.head(x)), images, mask)


class SimMimSwin(SimMim):
    def __init__(self, recipe, fused):
        super().__init__(recipe)
        encoder = recipe["encoder"]
        dim, side = self.dim, self.rows
        if self.rows != self.columns or encoder["relative_position"] != "bias":
            raise SystemExit("peer.py knows Swin on square pictures with relative position biases only")
        self.patch_norm = nn.LayerNorm(dim, 1e-5)
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        layers = []
        for i, (depth, heads) in enumerate(zip(encoder["depths"], encoder["stage_heads"])):
            window = min(encoder["window"], side)
            for j in range(depth):
                shift = window // 2 if j % 2 and side > window else 0
                layers.append(SwinBlock(dim, heads, encoder["mlp_ratio"], fused, side, window, shift,
                                        encoder["layer_scale"], encoder["key_bias"]))
            if i + 1 < len(encoder["depths"]):
                layers.append(Merging(dim, side))
                dim, side = 2 * dim, side // 2
        self.layers, self.norm = nn.ModuleList(layers), nn.LayerNorm(dim, 1e-5)
        self.side, self.wide = side, dim
        stride = self.patch * (self.rows // side)
        self.head = nn.Conv2d(dim, stride * stride * recipe["image"]["channels"], 1)
        self.shuffle = nn.PixelShuffle(stride)

    def forward(self, images):
        batch = images.shape[0]
        mask = self.draw(batch)
        x = self.patch_norm(self.tokens(images))
        weight = mask.view(batch, -1, 1).to(x.dtype)
        x = x * (1 - weight) + self.mask_token.to(x.dtype) * weight
        for layer in self.layers:
            x = layer(x)
        x = self.norm(x).transpose(1, 2).reshape(batch, self.wide, self.side, self.side)
        return self.loss(self.shuffle(self.head(x)), images, mask)


class LoMaR(Masked):
    def __init__(self, recipe, fused):
        super().__init__(recipe)
        encoder, mask = recipe["encoder"], recipe["mask"]
        if recipe["decoder"]["kind"] != "linear" or encoder["relative_position"] != "contextual":
            raise SystemExit("peer.py knows LoMaR with contextual positions and a linear head only")
        self.side, self.windows = mask["window"], mask["windows"]
        self.hidden = int(self.side * self.side * mask["ratio"])
        self.cls = nn.Parameter(torch.randn(1, 1, self.dim) * 0.02)
        self.mask_token = nn.Parameter(torch.randn(1, 1, self.dim) * 0.02)
        self.blocks = nn.ModuleList(
            Block(self.dim, encoder["heads"], encoder["mlp_ratio"], fused, buckets=50) for _ in range(encoder["depth"]))
        self.norm = nn.LayerNorm(self.dim, 1e-6)
        self.predict = nn.Linear(self.dim, self.values)
        self.register_buffer("index", contextual_buckets(self.side), persistent=False)
        inside = torch.arange(self.side)
        self.register_buffer("inside", (inside[:, None] * self.columns + inside[None, :]).view(-1), persistent=False)

    def draw(self, batch):
        """Patches of the windows of each image, (B, W S); windows of an image in different rows and columns."""
        tops = torch.rand(batch, self.rows - self.side + 1).argsort(1)[:, :self.windows]
        lefts = torch.rand(batch, self.columns - self.side + 1).argsort(1)[:, :self.windows]
        return ((tops * self.columns + lefts)[:, :, None] + self.inside).view(batch, -1)

    def forward(self, images):
        batch, places = images.shape[0], self.side * self.side
        ids = self.draw(batch)[:, :, None]
        x = self.tokens(images).gather(1, ids.expand(-1, -1, self.dim)).view(-1, places, self.dim)
        mask = (torch.rand(x.shape[0], places).argsort(1).argsort(1) < self.hidden).float()
        weight = mask[:, :, None].to(x.dtype)
        x = x * (1 - weight) + self.mask_token.to(x.dtype) * weight
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1).to(x.dtype), x), 1)
        for block in self.blocks:
            x = block(x, None, self.index)
        pred = self.predict(self.norm(x)[:, 1:])
        target = self.target(images).gather(1, ids.expand(-1, -1, self.values)).view(-1, places, self.values)
        loss = ((pred.float() - target) ** 2).mean(-1)
        return (loss * mask).sum() / mask.sum()


def build(recipe, fused, fused_windows=False):
    method = recipe["method"]
    if method == "mae" and recipe["encoder"]["kind"] == "conv_vit":
        from convmae import ConvMae  # which needs what this file has
        return ConvMae(recipe, fused)
    if method == "mae":
        return Mae(recipe, fused)
    if method == "lomar":
        return LoMaR(recipe, fused)
    if method == "simmim":
        return SimMimSwin(recipe, fused_windows) if recipe["encoder"]["kind"] == "swin" else SimMimVit(recipe, fused)
    raise SystemExit(f"peer.py knows no method '{method}'")
