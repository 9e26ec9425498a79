"""Single ops in plain PyTorch, by the names that `mim bench ops` asks for: each makes its inputs and returns the call."""
import torch
from torch.nn import functional as F

from blocks import contextual_buckets
from models import low_pass, patchify


def noise(*shape, dtype=torch.float32):
    return (torch.rand(*shape) * 0.866 - 0.433).to(dtype)


def gradients_of(y, inputs, dy):
    return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)


def linear(op, sizes, dtype):
    rows, k, n = sizes["rows"], sizes["inputs"], sizes["outputs"]
    x, w, b, dy = noise(rows, k, dtype=dtype), noise(n, k, dtype=dtype), noise(n, dtype=dtype), noise(rows, n, dtype=dtype)
    if op == "linear":
        return lambda: F.linear(x, w, b)
    if op == "linear_input":
        return lambda: dy @ w
    return lambda: (dy.t() @ x, dy.sum(0))


def mlp(op, sizes, dtype):
    rows, dim, hidden = sizes["rows"], sizes["dim"], sizes["hidden"]
    x, dy = noise(rows, dim, dtype=dtype), noise(rows, dim, dtype=dtype)
    inputs = [x, noise(hidden, dim, dtype=dtype), noise(hidden, dtype=dtype), noise(dim, hidden, dtype=dtype), noise(dim, dtype=dtype)]

    def forward():
        x, w1, b1, w2, b2 = inputs
        return F.linear(F.gelu(F.linear(x, w1, b1)), w2, b2)

    if op == "mlp":
        return forward
    for value in inputs:
        value.requires_grad_()
    return gradients_of(forward(), inputs, dy)


def attention(op, sizes, dtype, gpu):
    batch, heads, tokens, dim = (sizes[s] for s in ("batch", "heads", "tokens", "dim"))
    across, side, buckets = sizes.get("across", 0), sizes.get("window", 0), sizes.get("buckets", 0)
    windows, fused, scale = max(1, across * across), gpu or (dtype == torch.float32 and not across), dim ** -0.5
    qkv, dy = noise(batch, windows * tokens, 3, heads, dim, dtype=dtype), noise(batch, windows * tokens, heads, dim, dtype=dtype)
    inputs = [qkv]
    if across:
        inputs.append(noise(heads, tokens, tokens))
    elif buckets:
        inputs.append(noise(1, dim, buckets, dtype=dtype))
        index = contextual_buckets(side).expand(batch, heads, tokens, tokens)

    def cut(x):  # the windows of each picture, one after the other
        x = x.view(batch, across, side, across, side, *x.shape[2:])
        return x.transpose(2, 3).reshape(batch * windows, tokens, *x.shape[5:])

    def whole(y):
        return y.view(batch, across, across, side, side, heads, dim).transpose(2, 3).reshape(dy.shape)

    def forward():
        packed = cut(qkv) if across else qkv
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        bias = inputs[1].to(dtype) if across else (q @ inputs[1]).gather(3, index) if buckets else None
        if fused:
            y = F.scaled_dot_product_attention(q, k, v, bias)
        else:
            scores = (q * scale) @ k.transpose(2, 3)
            y = (scores if bias is None else scores + bias).softmax(-1) @ v
        y = y.transpose(1, 2)
        return whole(y.contiguous()) if across else y.contiguous()

    if op == "attention":
        return forward
    for x in inputs:
        x.requires_grad_()
    return lambda: torch.autograd.grad(forward(), inputs, dy)


def layer_norm(op, sizes, dtype):
    rows, dim = sizes["rows"], sizes["dim"]
    x, branch, dy = (noise(rows, dim, dtype=dtype) for _ in range(3))
    gamma, beta = noise(dim, dtype=dtype), noise(dim, dtype=dtype)
    if op == "layer_norm":
        def forward():
            total = x + branch
            return total, F.layer_norm(total, (dim,), gamma, beta, 1e-6)
        return forward
    inputs = [v.requires_grad_() for v in (x + branch, gamma, beta)]
    backward = gradients_of(F.layer_norm(inputs[0], (dim,), *inputs[1:], 1e-6), inputs, dy)
    return lambda: backward()[0] + branch


def gelu(op, sizes, dtype):
    x, dy = noise(sizes["rows"], sizes["dim"], dtype=dtype), noise(sizes["rows"], sizes["dim"], dtype=dtype)
    if op == "gelu":
        return lambda: F.gelu(x)
    x.requires_grad_()
    return gradients_of(F.gelu(x), [x], dy)


def images_of(sizes):
    return noise(sizes["batch"], sizes["channels"], sizes["side"], sizes["side"])


def ids_of(batch, count, total, width):
    return torch.rand(batch, total).argsort(1)[:, :count, None].expand(-1, -1, width)


def tokens(op, sizes, dtype):
    batch, kept = sizes["batch"], sizes["kept"]
    if op == "patchify":
        images, patch = images_of(sizes), sizes["patch"]
        count, values = (sizes["side"] // patch) ** 2, patch * patch * sizes["channels"]
        ids = ids_of(batch, kept, count, values)
        return lambda: patchify(images, patch).gather(1, ids).to(dtype)
    dim = sizes["dim"]
    if op == "gather_tokens":
        x, ids = noise(batch, sizes["tokens"], dim, dtype=dtype), 1 + ids_of(batch, kept, sizes["tokens"] - 1, dim)
        return lambda: x.gather(1, ids)
    patches = sizes["patches"]
    x, token = noise(batch, kept + 1, dim, dtype=dtype), noise(1, 1, dim, dtype=dtype)
    position, ids = noise(1, patches + 1, dim, dtype=dtype), ids_of(batch, patches, patches, dim)

    def restore():
        y = torch.cat((x[:, 1:], token.expand(batch, patches - kept, -1)), 1).gather(1, ids)
        return torch.cat((x[:, :1], y), 1) + position
    return restore


def masked_loss(op, sizes, dtype):
    """Target, loss and gradient, of the hidden patches alone."""
    images, patch, hidden = images_of(sizes), sizes["patch"], sizes["hidden"]
    values = patch * patch * sizes["channels"]
    pred = noise(sizes["batch"], hidden, values, dtype=dtype).requires_grad_()
    ids = ids_of(sizes["batch"], hidden, (sizes["side"] // patch) ** 2, values)

    def training():
        with torch.no_grad():
            target = patchify(images, patch).gather(1, ids)
            var, mean = torch.var_mean(target, -1, keepdim=True)
            target = (target - mean) / (var + 1e-6).sqrt()
        loss = F.mse_loss(pred.float(), target)
        return torch.autograd.grad(loss, pred)
    return training


def filtered(op, sizes, dtype):
    images, mean, std = images_of(sizes), torch.full((1, 3, 1, 1), 0.45), torch.full((1, 3, 1, 1), 0.225)
    return lambda: low_pass(images, mean, std, sizes["radius"])


def adamw(op, sizes, dtype):
    parameter = torch.nn.Parameter(noise(sizes["count"]))
    parameter.grad = torch.zeros_like(parameter)
    return torch.optim.AdamW([parameter], lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True).step


KNOWN = {
    "linear": linear, "linear_input": linear, "linear_weight": linear, "mlp": mlp, "mlp_backward": mlp,
    "attention": attention, "attention_training": attention, "layer_norm": layer_norm, "layer_norm_backward": layer_norm,
    "gelu": gelu, "gelu_backward": gelu, "patchify": tokens, "gather_tokens": tokens, "restore_tokens": tokens,
    "masked_loss": masked_loss, "low_pass": filtered, "adamw": adamw,
}
TRAINING = ("mlp_backward", "attention_training", "layer_norm_backward", "gelu_backward", "masked_loss")


def prepare(case, dtype, gpu):
    """The call of a case, and whether it needs gradients."""
    op = case["op"]
    if op not in KNOWN:
        raise SystemExit(f"peer.py knows no op '{op}'")
    more = (gpu,) if KNOWN[op] is attention else ()
    return KNOWN[op](op, case["sizes"], dtype, *more), op in TRAINING
