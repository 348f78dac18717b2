#!/usr/bin/env python3
"""Writes the golden vectors: what PyTorch computes, for gan-dist to be compared with.

Into its own folder it writes layers.json, trajectory.json and trajectory.f32 (README.md says
what they hold). It needs nothing of gan-dist: the random numbers are drawn by the numpy
code below, written from the page `Randomness` of the documentation alone.

How to run it, in an environment that can be thrown away (some seconds):

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6
    venv/bin/pip install torch==2.13.0+cpu --index-url https://download.pytorch.org/whl/cpu
    venv/bin/python make_golden.py [--data FOLDER]

FOLDER holds Fashion-MNIST's train-images-idx3-ubyte.gz.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import re

import numpy as np
import torch
from torch import nn, optim

HERE = pathlib.Path(__file__).resolve().parent

# ------------------------------------------------------------------ random numbers (the page `Randomness`)

WEIGHTS_G, WEIGHTS_D, SHUFFLE = 0x00, 0x01, 0x02
NOISE_D_STEP, NOISE_G_STEP = 0x10, 0x11
DROPOUT_REAL, DROPOUT_FAKE, DROPOUT_G_STEP = (0x20, 0x21), (0x28, 0x29), (0x30, 0x31)


def philox(counter, key):
    """Philox4x32-10: four counter words (integers or arrays) and two key words to four random words."""
    low = np.uint64(0xFFFFFFFF)
    c0, c1, c2, c3 = (np.asarray(c, np.uint64) for c in counter)
    k0, k1 = key
    for _ in range(10):
        product0, product1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (product1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            product1 & low,
            (product0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            product0 & low,
        )
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1)


def check_known_answers():
    """The two known answers given on the page."""
    assert philox((0, 0, 0, 0), (0, 0)).tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    pi = philox((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0))
    assert pi.tolist() == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def words(seed, stream, step, samples, count):
    """The first `count` words of each sample, [samples, count], each in an unsigned 64-bit integer."""
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)[None, :]
    samples = np.asarray(samples, np.uint64)[:, None]
    four = philox((blocks, samples, step, stream), (seed % 2**32, seed >> 32))
    return four.reshape(len(samples), -1)[:, :count]


def normals(seed, stream, step, samples, count):
    """Box and Muller in double precision, rounded to float32: [samples, count]."""
    w = words(seed, stream, step, samples, count + count % 2)
    u = (w[:, 0::2] + np.uint64(1)) / 2.0**32
    angle = 2 * np.pi * w[:, 1::2] / 2.0**32
    radius = np.sqrt(-2 * np.log(u))
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return pairs.reshape(len(w), -1)[:, :count].astype(np.float32)


def initial_weight(seed, stream, layer, outputs, inputs):
    """The weight of one linear layer: [outputs, inputs]."""
    return normals(seed, stream, layer, np.arange(outputs), inputs) * np.float32(np.sqrt(2 / inputs))


def dropout_multipliers(seed, stream, step, samples, units, p=0.3):
    """0 for a dropped unit, 1 / (1 - p) for one that stays: [samples, units]."""
    dropped = words(seed, stream, step, samples, units) < np.uint64(np.floor(p * 2.0**32))
    return np.where(dropped, np.float32(0), np.float32(1 / (1 - p)))


def shuffle(seed, epoch, n):
    """The order of n images in an epoch (Fisher and Yates)."""
    w = words(seed, SHUFFLE, epoch, [0], 2 * n)[0].tolist()
    order = list(range(n))
    for k in range(n - 1):
        i = n - 1 - k
        j = (w[2 * k] + (w[2 * k + 1] << 32)) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return order


# ------------------------------------------------------------------ writing


def array(values):
    """A tensor for JSON; every number reads back to the same float32 (or float64)."""
    values = values.detach().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    flat = values.reshape(-1)
    # str() of a float32 is the shortest text that reads back to it.
    numbers = [float(str(v)) for v in flat] if flat.dtype.kind == "f" else flat.tolist()
    assert np.isfinite(flat).all() and np.array_equal(np.array(numbers, flat.dtype), flat)
    return {"shape": list(values.shape), "values": numbers}


def write_json(name, content):
    """Indented, but every list of plain values on one line."""
    text = json.dumps(content, indent=1, allow_nan=False)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
    (HERE / name).write_text(text + "\n")


# ------------------------------------------------------------------ layers.json


def draw(rng, *shape, mean=0.0, deviation=1.0):
    return torch.from_numpy((mean + deviation * rng.standard_normal(shape)).astype(np.float32))


def linear_case(rng, activation):
    """A linear layer, with an activation behind it or not; dy belongs to the activation's output."""
    x, weight, bias, dy = draw(rng, 5, 7), draw(rng, 4, 7), draw(rng, 4), draw(rng, 5, 4)
    for tensor in (x, weight, bias):
        tensor.requires_grad_()
    y = activation(nn.functional.linear(x, weight, bias))
    y.backward(dy)
    return {
        "input": array(x), "weight": array(weight), "bias": array(bias), "output": array(y), "dy": array(dy),
        "inputGradient": array(x.grad), "weightGradient": array(weight.grad), "biasGradient": array(bias.grad),
    }  # fmt: skip


def run_batch_norm(x1, x2, scale, shift, dy2, dtype):
    """BatchNorm1d + LeakyReLU: forward x1, forward and backward x2, then x1 in eval mode."""
    norm, activation = nn.BatchNorm1d(x1.shape[1]).to(dtype), nn.LeakyReLU(0.2)
    norm.weight.data, norm.bias.data = scale.to(dtype), shift.to(dtype)
    x1, x2 = x1.to(dtype), x2.to(dtype).requires_grad_()
    result = {}
    for i, x in ((1, x1), (2, x2)):
        y = activation(norm(x))
        result[f"output{i}"] = y
        result[f"runningMean{i}"] = norm.running_mean.clone()
        result[f"runningVariance{i}"] = norm.running_var.clone()
        result[f"numBatchesTracked{i}"] = norm.num_batches_tracked.clone()
    y.backward(dy2.to(dtype))
    result |= {"inputGradient2": x2.grad, "scaleGradient2": norm.weight.grad, "shiftGradient2": norm.bias.grad}
    norm.eval()
    result["evalOutput1"] = activation(norm(x1))
    return result


def batch_norm_case(rng, rows, mean, deviation, dtype):
    """Two batches in training mode; the suffix 1 or 2 says to which of them a value belongs."""
    x1 = draw(rng, rows, 6, mean=mean, deviation=deviation)
    x2 = draw(rng, rows, 6, mean=mean + deviation, deviation=2 * deviation)
    scale, shift = draw(rng, 6, mean=1, deviation=0.3), draw(rng, 6, deviation=0.5)
    dy2 = draw(rng, rows, 6)
    result = run_batch_norm(x1, x2, scale, shift, dy2, dtype)
    case = {"scale": array(scale), "shift": array(shift), "input1": array(x1), "input2": array(x2), "dy2": array(dy2)}
    for name, value in result.items():
        case[name] = int(value) if name.startswith("num") else array(value)
    if dtype == torch.float64:  # how far PyTorch's own float32 is from these numbers
        float32 = run_batch_norm(x1, x2, scale, shift, dy2, torch.float32)
        case["largestErrorOfFloat32"] = {
            name: (float32[name].double() - value).abs().max().item()
            for name, value in result.items() if not name.startswith("num")
        }  # fmt: skip
    return case


def dropout_case():
    seed, stream, step, samples, units, p = 42, 0x20, 5, range(3, 8), 10, 0.3
    return {
        "p": p, "seed": hex(seed), "stream": stream, "step": step, "samples": list(samples), "units": units,
        "multipliers": array(dropout_multipliers(seed, stream, step, samples, units, p)),
    }  # fmt: skip


def binary_cross_entropy_case():
    """PyTorch's BCELoss clamps its logarithms at -100, and its float32 sigmoid is 1 beyond 17: so both losses."""
    logits = torch.tensor([-200, -30, -10, -1, -0.25, 0, 0.125, 1, 5, 16, 30, 200], dtype=torch.float32)
    cases = []
    for target in (0.0, 0.9, 1.0):
        x, targets = logits.clone().requires_grad_(), torch.full_like(logits, target)
        mean = nn.functional.binary_cross_entropy_with_logits(x, targets)
        mean.backward()
        p = torch.sigmoid(logits)
        cases.append({
            "target": target,
            "lossBCELoss": nn.functional.binary_cross_entropy(p, targets).item(),
            "lossBCEWithLogitsLoss": mean.item(),
            "eachBCELoss": array(nn.functional.binary_cross_entropy(p, targets, reduction="none")),
            "eachBCEWithLogitsLoss": array(
                nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")),
            "gradient": array(x.grad),
        })  # fmt: skip
    return {"logits": array(logits), "targets": cases}


def adam_case(rng):
    settings = {"learningRate": 1e-4, "beta1": 0.5, "beta2": 0.999, "epsilon": 1e-8}
    parameter = draw(rng, 40).requires_grad_()
    adam = optim.Adam([parameter], lr=1e-4, betas=(0.5, 0.999), eps=1e-8)
    gradients = [draw(rng, 40, deviation=0.01) for _ in range(3)]
    for step, gradient in enumerate(gradients):
        gradient[0:4] = 0  # never a gradient
        gradient[4:8] = 1e-12 * (1 + step)  # far below epsilon
        gradient[8:12] *= 1e-6  # about epsilon
        gradient[12 + step] = 0  # none in this step only
    case = settings | {"parameters": array(parameter), "steps": []}
    for gradient in gradients:
        parameter.grad = gradient.clone()
        adam.step()
        state = adam.state[parameter]
        case["steps"].append({
            "gradient": array(gradient), "parameters": array(parameter),
            "exp_avg": array(state["exp_avg"]), "exp_avg_sq": array(state["exp_avg_sq"]),
        })  # fmt: skip
    return case


def random_case():
    seed = 0x0123456789ABCDEF
    counters = [(0x10, 0, 0), (0x31, 936, 63), (0x02, 99, 0), (0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD)]
    return {
        "seed": hex(seed),
        "words": [
            {"stream": stream, "step": step, "sample": sample, "firstBlock": 0,
             "words": array(words(seed, stream, step, [sample], 12).reshape(3, 4))}
            for stream, step, sample in counters
        ],
        "normals": {"stream": 0x10, "step": 3, "samples": [0, 63],
                    "values": array(normals(seed, 0x10, 3, [0, 63], 20))},
        "shuffles": [
            {"epoch": 0, "count": 100, "first": shuffle(seed, 0, 100)[:16]},
            {"epoch": 3, "count": 10, "first": shuffle(seed, 3, 10)},
        ],
        "initialWeights": {"stream": WEIGHTS_G, "layer": 2, "row": 0, "inputSize": 256,
                           "first": array(initial_weight(seed, WEIGHTS_G, 2, 512, 256)[0, :8])},
    }  # fmt: skip


def make_layers():
    rng = np.random.default_rng(2024)
    write_json("layers.json", {
        "linear": linear_case(rng, nn.Identity()),
        "linearLeakyReLU": linear_case(rng, nn.LeakyReLU(0.2)),
        "linearTanh": linear_case(rng, nn.Tanh()),
        "batchNorm": batch_norm_case(rng, rows=9, mean=0.5, deviation=2.0, dtype=torch.float32),
        "batchNormLargeMean": batch_norm_case(rng, rows=9, mean=1000.0, deviation=0.1, dtype=torch.float64),
        "dropout": dropout_case(),
        "binaryCrossEntropy": binary_cross_entropy_case(),
        "adam": adam_case(rng),
        "random": random_case(),
    })  # fmt: skip


# ------------------------------------------------------------------ trajectory.json, .f32

SEED, BATCH, STEPS = 1, 64, 10
LEAKY_RELUS_OF_A_STEP = [  # pass and name of the module, in the order in which a step comes by
    ("D(real)", "discriminator.1"), ("D(real)", "discriminator.4"),
    ("G(z1)", "generator.2"), ("G(z1)", "generator.5"), ("G(z1)", "generator.8"),
    ("D(G(z1))", "discriminator.1"), ("D(G(z1))", "discriminator.4"),
    ("G(z2)", "generator.2"), ("G(z2)", "generator.5"), ("G(z2)", "generator.8"),
    ("D(G(z2))", "discriminator.1"), ("D(G(z2))", "discriminator.4"),
]  # fmt: skip


class Mask(nn.Module):
    """Stands where nn.Dropout stands: multiplies by the multipliers it was given for this pass."""

    def forward(self, x):
        return x * self.multipliers.to(x.dtype)


class BatchNormOfHalves(nn.BatchNorm1d):
    """The negative control: every half of the rows is normalised with its own statistics."""

    def forward(self, x):
        return torch.cat([super(BatchNormOfHalves, self).forward(half) for half in x.chunk(2)])


def make_generator(batch_norm):
    return nn.Sequential(
        nn.Linear(64, 128), batch_norm(128), nn.LeakyReLU(0.2),
        nn.Linear(128, 256), batch_norm(256), nn.LeakyReLU(0.2),
        nn.Linear(256, 512), batch_norm(512), nn.LeakyReLU(0.2),
        nn.Linear(512, 28 * 28), nn.Tanh(),
    )  # fmt: skip


def make_discriminator():
    return nn.Sequential(
        nn.Linear(28 * 28, 512), nn.LeakyReLU(0.2), Mask(),
        nn.Linear(512, 256), nn.LeakyReLU(0.2), Mask(),
        nn.Linear(256, 1), nn.Sigmoid(),
    )  # fmt: skip


def set_initial_weights(network, stream):
    linears = [m for m in network if isinstance(m, nn.Linear)]
    for layer, m in enumerate(linears):
        m.weight.data = torch.from_numpy(initial_weight(SEED, stream, layer, *m.weight.shape))
        nn.init.zeros_(m.bias)


def set_masks(discriminator, streams, step):
    masks = [m for m in discriminator if isinstance(m, Mask)]
    for m, stream, units in zip(masks, streams, (512, 256), strict=True):
        m.multipliers = torch.from_numpy(dropout_multipliers(SEED, stream, step, range(BATCH), units))


def read_images(folder):
    """The training images as bytes, [count, 784]."""
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        header = np.frombuffer(file.read(16), ">u4").tolist()
        assert header[0] == 0x803 and header[2:] == [28, 28]
        return np.frombuffer(file.read(), np.uint8).reshape(header[1], 28 * 28)


def to_pixels(images):
    """What torchvision's ToTensor and Normalize((0.5,), (0.5,)) do, in float32."""
    return (torch.from_numpy(images.copy()).to(torch.float32) / 255 - 0.5) / 0.5


def train(images, order, dtype, batch_norm=nn.BatchNorm1d):
    """The notebook's training steps. Every number that comes from outside is a float32, also in the float64 run.

    Returns both networks, the losses of every step, the parameters after every step, all inputs of LeakyReLU.
    """
    G, D = make_generator(batch_norm), make_discriminator()
    set_initial_weights(G, WEIGHTS_G)
    set_initial_weights(D, WEIGHTS_D)
    G.to(dtype).train()
    D.to(dtype).train()
    opt_g = optim.Adam(G.parameters(), lr=0.0001, betas=(0.5, 0.999))
    opt_d = optim.Adam(D.parameters(), lr=0.0001, betas=(0.5, 0.999))
    criterion = nn.BCELoss()

    def labels(value):
        return torch.full((BATCH, 1), value, dtype=torch.float32).to(dtype)

    def noise(stream, step):
        return torch.from_numpy(normals(SEED, stream, step, range(BATCH), 64)).to(dtype)

    history, snapshots, leaky_relu_inputs = [], [], []
    for m in (*G, *D):
        if isinstance(m, nn.LeakyReLU):
            m.register_forward_hook(lambda _, inputs, output: leaky_relu_inputs.append(inputs[0].detach().clone()))

    for step in range(STEPS):
        # Discriminator
        real = to_pixels(images[order[step * BATCH : (step + 1) * BATCH]]).to(dtype)
        opt_d.zero_grad()
        set_masks(D, DROPOUT_REAL, step)
        pred_real = D(real)
        loss_real = criterion(pred_real, labels(0.9))
        fake = G(noise(NOISE_D_STEP, step))
        set_masks(D, DROPOUT_FAKE, step)
        pred_fake = D(fake.detach())
        loss_fake = criterion(pred_fake, labels(0))
        loss_d = loss_real + loss_fake
        loss_d.backward()
        opt_d.step()
        # Generator
        opt_g.zero_grad()
        fake = G(noise(NOISE_G_STEP, step))
        set_masks(D, DROPOUT_G_STEP, step)
        loss_g = criterion(D(fake), labels(1))
        loss_g.backward()
        opt_g.step()
        history.append({
            "loss_d": loss_d.item(), "loss_g": loss_g.item(),
            "p_real": pred_real.mean().item(), "p_fake": pred_fake.mean().item(),
        })  # fmt: skip
        snapshots.append({
            "generator": [p.detach().clone() for p in G.parameters()],
            "discriminator": [p.detach().clone() for p in D.parameters()],
        })  # fmt: skip
    return {"generator": G, "discriminator": D}, history, snapshots, leaky_relu_inputs


def named_tensors(networks):
    """All weights and running statistics with their names, in the order of the notebook's modules."""
    for network, module in networks.items():
        for name, tensor in module.state_dict().items():
            yield f"{network}.{name}", tensor


def difference(a, b):
    """How float32 tensors differ from float64 ones, all elements together."""
    d = torch.cat([(x.detach().double() - y.detach()).abs().flatten() for x, y in zip(a, b, strict=True)])
    count, beyond = d.numel(), int((d > 1e-6).sum())
    return {"count": count, "beyond1e-6": beyond, "shareWithin1e-6": 1 - beyond / count, "largest": d.max().item()}


def sign_differences(inputs32, inputs64):
    """Where LeakyReLU saw another sign in float32 than in float64: from there on the gradients differ."""
    found = []
    for i, (a, b) in enumerate(zip(inputs32, inputs64, strict=True)):
        step, which = divmod(i, len(LEAKY_RELUS_OF_A_STEP))
        for row, unit in ((a > 0) != (b > 0)).nonzero().tolist():
            name = dict(zip(("pass", "module"), LEAKY_RELUS_OF_A_STEP[which]))
            values = {"float32": a[row, unit].item(), "float64": b[row, unit].item()}
            found.append({"step": step} | name | {"row": row, "unit": unit} | values)
    return found


def write_tensors(networks, reference):
    """trajectory.f32; returns the list of what lies where, and the batches counted by every BatchNorm."""
    entries, counters, samples, offset = [], {}, [], 0
    for (name, tensor), (_, other) in zip(named_tensors(networks), named_tensors(reference), strict=True):
        if name.endswith("num_batches_tracked"):
            counters[name] = int(tensor)
            continue
        stride = 1 if tensor.numel() < 1000 else 13
        sample = tensor.flatten()[::stride]
        samples.append(sample.numpy().astype("<f4"))
        entries.append({
            "name": name, "shape": list(tensor.shape), "stride": stride, "offset": offset, "count": len(sample),
            "float32AgainstFloat64": difference([tensor], [other]),
        })  # fmt: skip
        offset += len(sample)
    (HERE / "trajectory.f32").write_bytes(np.concatenate(samples).tobytes())
    return entries, counters


def make_trajectory(folder):
    images = read_images(folder)
    order = shuffle(SEED, 0, len(images))
    float32, history32, snapshots32, inputs32 = train(images, order, torch.float32)
    float64, history64, snapshots64, inputs64 = train(images, order, torch.float64)
    _, halves, _, _ = train(images, order, torch.float32, BatchNormOfHalves)
    differences = [
        {network: difference(a[network], b[network]) for network in a}
        for a, b in zip(snapshots32, snapshots64, strict=True)
    ]
    entries, counters = write_tensors(float32, float64)
    write_json("trajectory.json", {
        "settings": {
            "seed": hex(SEED), "batch": BATCH, "steps": STEPS,
            "images": len(images), "imagesSHA256": hashlib.sha256(images.tobytes()).hexdigest(),
            "firstImages": order[:BATCH],
            "torch": torch.__version__, "numpy": np.__version__,
            "cpuCapability": torch.backends.cpu.get_cpu_capability(), "threads": torch.get_num_threads(),
        },
        "float32": history32,
        "float64": history64,
        "negativeControl": halves,
        "float32AgainstFloat64": differences[-1],
        "float32AgainstFloat64ByStep": differences,
        "signDifferencesAtLeakyReLU": sign_differences(inputs32, inputs64),
        "layout": "little-endian float32; of each flattened tensor the elements 0, stride, 2 stride, ...; "
                  "offset and count in elements, not bytes",
        "tensors": entries,
        "num_batches_tracked": counters,
    })  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description="Writes the golden vectors of gan-dist.")
    parser.add_argument("--data", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist", metavar="FOLDER")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    check_known_answers()
    make_layers()
    make_trajectory(arguments.data)


if __name__ == "__main__":
    main()
