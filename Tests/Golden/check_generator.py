#!/usr/bin/env python3
"""Loads a generator.safetensors into the notebook's nn.Sequential, strictly, and compares its images with gan-dist's.

How to run it, in an environment that can be thrown away:

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 safetensors
    venv/bin/pip install torch==2.13.0+cpu --index-url https://download.pytorch.org/whl/cpu
    venv/bin/python check_generator.py PROGRAM RUN/generator.safetensors

PROGRAM is a built gan-dist. Ends with status 0 if the images agree to 1e-5.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn


def generator():
    """The notebook's G."""
    return nn.Sequential(
        nn.Linear(64, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2),
        nn.Linear(128, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.2),
        nn.Linear(256, 512), nn.BatchNorm1d(512), nn.LeakyReLU(0.2),
        nn.Linear(512, 784), nn.Tanh(),
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description="Compares gan-dist's G with PyTorch's.")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    arguments = parser.parse_args()

    network = generator()
    network.load_state_dict(load_file(arguments.file), strict=True)
    network.eval()
    noise = np.random.default_rng(0).standard_normal((256, 64)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(noise)).numpy()

    with tempfile.TemporaryDirectory() as folder:
        given, made = pathlib.Path(folder, "noise.npy"), pathlib.Path(folder, "images.npy")
        np.save(given, noise)
        subprocess.run(
            [arguments.program.resolve(), "generate", "--checkpoint", arguments.file, "--noise", given, "--out", made],
            check=True,
        )
        images = np.load(made)

    assert images.shape == expected.shape and images.dtype == np.float32, (images.shape, images.dtype)
    largest = np.abs(images - expected).max()
    tensors = len(network.state_dict())
    print(f"{len(images)} images, {tensors} tensors loaded strictly; largest difference {largest:.2e}")
    assert largest <= 1e-5


if __name__ == "__main__":
    main()
