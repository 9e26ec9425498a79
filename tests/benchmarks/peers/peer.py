"""Times training steps or ops under PyTorch, for `mim bench --peer COMMAND`: COMMAND peer.py --case JSON --json

The case is one JSON object, as `mim bench` writes it: name, threads, precision, seconds, and either a complete recipe (`mim info
RECIPE` prints one) whose train.batch is the images of a step, or ops (name, op, sizes). The last line printed is a JSON object.
Of a step: parameters, milliseconds of each step, their median and quartiles, peak_bytes (of the process), import_bytes (before
there was a model), loss, threads, precision, description. Of ops: for each its name, milliseconds (median), lower, upper. A step
is forward, the loss read, backward, fused AdamW, as in the training loops of the methods' own code; pictures are noise in memory.

PyTorch's best settings: f32 with scaled_dot_product_attention (written out in windows with a bias, which is faster there); bf16 by
autocast with attention written out, since the fused one is many times slower in bf16 without MKL.
"""
import argparse
import json
import resource
import statistics
import time

import torch

import models
import ops

LEAST_REPETITIONS, WARM_UP, OP_WARM_UP = 5, 2, 3


def peak_bytes():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def quartiles_of(times):
    return statistics.quantiles(times, n=4, method="inclusive")


def repeat(call, seconds, warm_up):
    """Milliseconds of each call, and what the last one returned."""
    for _ in range(warm_up):
        result = call()
    times, start = [], time.perf_counter()
    while len(times) < LEAST_REPETITIONS or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        result = call()
        times.append(1000 * (time.perf_counter() - begin))
    return times, result


def is_bf16(case):
    return case.get("precision", "f32") == "bf16"


def description(bf16):
    return f"PyTorch {torch.__version__}, " + ("bf16, attention written out" if bf16 else "f32, scaled_dot_product_attention")


def measure_ops(case):
    torch.manual_seed(1)
    torch.set_num_threads(case["threads"])
    measured = []
    for op in case["ops"]:
        call, training = ops.prepare(op, torch.bfloat16 if is_bf16(case) else torch.float32)
        with torch.set_grad_enabled(training):
            times, _ = repeat(call, case["seconds"], OP_WARM_UP)
        lower, median, upper = quartiles_of(times)
        measured.append({"name": op["name"], "milliseconds": median, "lower": lower, "upper": upper})
    return {"ops": measured, "description": description(is_bf16(case))}


def measure_step(case):
    imported, recipe, bf16 = peak_bytes(), case["recipe"], is_bf16(case)
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

    times, loss = repeat(step, case["seconds"], WARM_UP)
    lower, median, upper = quartiles_of(times)
    return {
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "milliseconds": times, "median": median, "lower": lower, "upper": upper,
        "peak_bytes": peak_bytes(), "import_bytes": imported, "loss": loss,
        "threads": torch.get_num_threads(), "precision": "bf16" if bf16 else "f32", "description": description(bf16),
    }


def shown(result):
    for op in result.get("ops", []):
        print(f"{op['name']}: {op['milliseconds']:.3f} ms ({op['lower']:.3f} to {op['upper']:.3f})")
    if "parameters" in result:
        print(f"{result['median']:.1f} ms ({result['lower']:.1f} to {result['upper']:.1f}), "
              f"{result['parameters']} parameters, peak {result['peak_bytes'] / 2 ** 20:.0f} MiB")
    print(result["description"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", required=True, help="the case as JSON")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    arguments = parser.parse_args()
    case = json.loads(arguments.case)
    result = measure_ops(case) if case.get("ops") else measure_step(case)
    if arguments.json:
        print(json.dumps(result))
    else:
        shown(result)


if __name__ == "__main__":
    main()
