"""What the peers have in common: the images, the order of the batches, and how they tell their time."""

import argparse
import gzip
import json
import pathlib
import statistics

import numpy as np

# The numbers of the training; the loops and networks of each peer are its own.
NOISE, SLOPE, DROPOUT, REAL = 64, 0.2, 0.3, 0.9
WIDTHS_G, WIDTHS_D = (NOISE, 128, 256, 512, 784), (784, 512, 256, 1)
RATE, BETA1, BETA2 = 1e-4, 0.5, 0.999

# Steps before the clock starts: memory is allocated and code compiled in them.
WARM_UP = 30


def parser(description):
    """The options that all peers have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the IDX files")
    parser.add_argument("--steps", type=int, default=300, help="steps to measure")
    parser.add_argument("--batch-size", type=int, default=64, help="images a step, over all ranks")
    return parser


def images(folder):
    """The training images, as bytes, a row each."""
    name = folder / "train-images-idx3-ubyte"
    with open(name, "rb") if name.exists() else gzip.open(f"{name}.gz") as file:
        content = file.read()
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 784)


def scaled(pixels):
    """Pixels from -1 to 1."""
    return (pixels.astype(np.float32) / 255 - 0.5) / 0.5


def batches(image_count, batch_size, steps):
    """The rows of `steps` batches, shuffled anew in each epoch; what does not fill a batch is dropped."""
    random = np.random.default_rng(0)
    a_epoch = image_count // batch_size
    epochs = [
        random.permutation(image_count)[: a_epoch * batch_size].reshape(a_epoch, batch_size)
        for _ in range(-(-steps // a_epoch))
    ]
    return np.concatenate(epochs)[:steps]


def report(seconds, metrics):
    """Prints, as JSON, the median of the times, and the metrics' means over the run: it did train."""
    names = "loss_d", "loss_g", "p_real", "p_fake"
    result = {"milliseconds_per_step": round(1000 * statistics.median(seconds), 4)}
    result.update((name, round(float(value), 4)) for name, value in zip(names, metrics))
    print(json.dumps(result), flush=True)
