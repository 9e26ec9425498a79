"""Times training steps under PyTorch, for `mim bench --peer COMMAND`: COMMAND peer.py --case JSON --json

The case is one JSON object, as `mim bench` writes it: name, threads, precision, seconds, and a complete recipe (`mim info RECIPE`
prints one) whose train.batch is the images of a step. The last line printed is a JSON object: parameters, milliseconds of each
step, their median and quartiles, peak_bytes (of the process), import_bytes (before there was a model), loss, threads, precision,
description. A step is forward, the loss read, backward, fused AdamW, as in the training loops of the methods' own code; pictures
are noise in memory.

PyTorch's best settings: f32 with scaled_dot_product_attention; bf16 by autocast with attention written out, since the fused one
is many times slower in bf16 without MKL.
"""
import argparse
import json
import resource
import statistics
import time

import torch

import models

LEAST_STEPS, WARM_UP = 5, 2


def peak_bytes():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(case):
    imported = peak_bytes()
    recipe, bf16 = case["recipe"], case.get("precision", "f32") == "bf16"
    torch.manual_seed(1)
    torch.set_num_threads(case["threads"])
    model = models.build(recipe, fused=not bf16)
    train, image = recipe["train"], recipe["image"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(train["beta1"], train["beta2"]),
                                  eps=train["eps"], weight_decay=train["weight_decay"], fused=True)
    images = torch.randn(train["batch"], image["channels"], image["height"], image["width"])

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(images)
        value = loss.item()
        loss.backward()
        if train["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), train["clip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return value

    for _ in range(WARM_UP):
        step()
    times, start = [], time.perf_counter()
    while len(times) < LEAST_STEPS or time.perf_counter() - start < case.get("seconds", 4):
        begin = time.perf_counter()
        loss = step()
        times.append(1000 * (time.perf_counter() - begin))
    quartiles = statistics.quantiles(times, n=4, method="inclusive")
    return {
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "milliseconds": times, "median": quartiles[1], "lower": quartiles[0], "upper": quartiles[2],
        "peak_bytes": peak_bytes(), "import_bytes": imported, "loss": loss,
        "threads": torch.get_num_threads(), "precision": "bf16" if bf16 else "f32",
        "description": f"PyTorch {torch.__version__}, " + (
            "bf16 autocast, attention written out" if bf16 else "f32, scaled_dot_product_attention"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", required=True, help="the case as JSON")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    arguments = parser.parse_args()
    result = measure(json.loads(arguments.case))
    if arguments.json:
        print(json.dumps(result))
    else:
        print(f"{result['median']:.1f} ms ({result['lower']:.1f} to {result['upper']:.1f}), "
              f"{result['parameters']} parameters, peak {result['peak_bytes'] / 2 ** 20:.0f} MiB, {result['description']}")


if __name__ == "__main__":
    main()
