"""Times training steps or ops under PyTorch, for `mim bench --peer COMMAND`: COMMAND peer.py --case JSON --json

The case is one JSON object, as `mim bench` writes it: name, device, threads, precision, seconds, and either a complete recipe (`mim
info RECIPE` prints one) whose train.batch is the images of a step, or ops (name, op, sizes). The last line printed is a JSON object.
Of a step: parameters, milliseconds of each step, their median and quartiles, peak_bytes (of the process; on a GPU what PyTorch
allocated there at most), import_bytes (before there was a model), loss, threads, precision, description. Of ops: for each its name,
milliseconds (median), lower, upper. A step is forward, backward, fused AdamW, and on the CPU the loss read between them, as in the
training loops of the methods' own code; pictures are noise in memory.

PyTorch's best settings. CPU: f32 with scaled_dot_product_attention (written out in windows with a bias, which is faster there); bf16
by autocast with attention written out, since the fused one is many times slower in bf16 without MKL. GPU: bf16 by autocast with
scaled_dot_product_attention; nothing waits for the device within a step, and the device's own events measure. PEER_COMPILE=1
compiles the model, or each op, with torch.compile.
"""
import argparse
import json
import os
import resource
import statistics
import time

import torch

import models
import ops

LEAST_REPETITIONS, WARM_UP, OP_WARM_UP = 5, 2, 3
BURST_MILLISECONDS, LONGEST_BURST = 2, 500


def device_of(case):
    return case.get("device", "cpu")


def on_gpu(case):
    return device_of(case).startswith("cuda")


def is_compiled():
    return os.environ.get("PEER_COMPILE") == "1"


def begin(case):
    torch.manual_seed(1)
    torch.set_num_threads(case["threads"])
    torch.set_default_device(device_of(case))


def peak_bytes(case):
    if on_gpu(case):
        return torch.cuda.max_memory_allocated()
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


def repeat_on_gpu(call, seconds, warm_up, burst):
    """The same by the device's events: milliseconds of a call, each the mean of a burst of calls that nobody waits for.

    With burst=1 one time runs from the end of a call to the end of the next.
    """
    for _ in range(warm_up):
        result = call()
    torch.cuda.synchronize()

    def moment():
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    calls = 1
    if burst > 1:
        first = moment()
        call()
        last = moment()
        last.synchronize()
        calls = max(1, min(burst, round(BURST_MILLISECONDS / max(1e-3, first.elapsed_time(last)))))
    moments, start = [moment()], time.perf_counter()
    while len(moments) <= LEAST_REPETITIONS or time.perf_counter() - start < seconds:
        for _ in range(calls):
            result = call()
        moments.append(moment())
        if len(moments) > 2:  # the host is at most two bursts ahead
            moments[-3].synchronize()
    moments[-1].synchronize()
    return [a.elapsed_time(b) / calls for a, b in zip(moments, moments[1:])], result


def is_bf16(case):
    return case.get("precision", "f32") == "bf16"


def description(case):
    precision = "bf16" if is_bf16(case) else "f32"
    if on_gpu(case):
        mode = "torch.compile" if is_compiled() else "eager"
        return f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}, {precision}, {mode}, scaled_dot_product_attention"
    return f"PyTorch {torch.__version__}, {precision}, " + (
        "attention written out" if is_bf16(case) else "scaled_dot_product_attention")


def measure_ops(case):
    begin(case)
    measured = []
    for op in case["ops"]:
        call, training = ops.prepare(op, torch.bfloat16 if is_bf16(case) else torch.float32, on_gpu(case))
        if is_compiled():
            call = torch.compile(call)
        with torch.set_grad_enabled(training):
            if on_gpu(case):
                times, _ = repeat_on_gpu(call, case["seconds"], OP_WARM_UP, LONGEST_BURST)
            else:
                times, _ = repeat(call, case["seconds"], OP_WARM_UP)
        lower, median, upper = quartiles_of(times)
        measured.append({"name": op["name"], "milliseconds": median, "lower": lower, "upper": upper})
    return {"ops": measured, "description": description(case)}


def measure_step(case):
    begin(case)
    imported, recipe, bf16, gpu = peak_bytes(case), case["recipe"], is_bf16(case), on_gpu(case)
    model = models.build(recipe, gpu or not bf16, gpu)
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    run = torch.compile(model) if is_compiled() else model
    train, image = recipe["train"], recipe["image"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(train["beta1"], train["beta2"]),
                                  eps=train["eps"], weight_decay=train["weight_decay"], fused=True)
    pixels = torch.randint(0, 256, (train["batch"], image["channels"], image["height"], image["width"]), dtype=torch.uint8,
                           device="cpu", pin_memory=gpu)

    def step():
        images = (pixels.to(device_of(case), non_blocking=True).float() / 255 - 0.5) / 0.29
        with torch.autocast("cuda" if gpu else "cpu", torch.bfloat16, enabled=bf16):
            loss = run(images)
        value = loss.detach() if gpu else loss.item()
        loss.backward()
        if train["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), train["clip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return value

    if gpu:
        times, loss = repeat_on_gpu(step, case["seconds"], WARM_UP, burst=1)
    else:
        times, loss = repeat(step, case["seconds"], WARM_UP)
    lower, median, upper = quartiles_of(times)
    return {
        "parameters": parameters, "milliseconds": times, "median": median, "lower": lower, "upper": upper,
        "peak_bytes": peak_bytes(case), "import_bytes": imported, "loss": float(loss),
        "threads": torch.get_num_threads(), "precision": "bf16" if bf16 else "f32", "description": description(case),
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
