"""Writes the first images of a data set of the MNIST family: first_images.py DATA OUT TRAINING TEST."""

import gzip
import pathlib
import struct
import sys

data, out = map(pathlib.Path, sys.argv[1:3])
out.mkdir(parents=True, exist_ok=True)
for part, count in zip(["train", "t10k"], map(int, sys.argv[3:5])):
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"]:
        path = data / f"{part}-{kind}"
        content = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
        dimensions = content[3]
        head = 4 + 4 * dimensions
        sizes = struct.unpack(f">{dimensions}I", content[4:head])
        bytes_of_one = (len(content) - head) // sizes[0]
        (out / path.name).write_bytes(
            content[:4] + struct.pack(">I", count) + content[8:head]
            + content[head : head + count * bytes_of_one]
        )
