"""Compresses depth images by RVL: A. D. Wilson, "Fast Lossless Depth Image Compression", ISS 2017, section 3."""

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])


def compress(samples: list[int]) -> bytes:
    nibbles: list[int] = []

    def put(value: int) -> None:
        while True:
            low, value = value & 7, value >> 3
            nibbles.append(low | (8 if value else 0))
            if not value:
                return

    at, previous = 0, 0
    while at < len(samples):
        start = at
        while at < len(samples) and samples[at] == 0:
            at += 1
        put(at - start)
        start = at
        while at < len(samples) and samples[at] != 0:
            at += 1
        put(at - start)
        for sample in samples[start:at]:
            delta = sample - previous
            put(2 * delta if delta >= 0 else -2 * delta - 1)
            previous = sample
    nibbles += [0] * (-len(nibbles) % 8)
    words = (int("".join(f"{nibble:x}" for nibble in nibbles[i : i + 8]), 16) for i in range(0, len(nibbles), 8))
    return np.array(list(words), dtype="<u4").tobytes()


(folder / "out").mkdir()
for file in folder.glob("depth*.npy"):
    compressed = compress(np.load(file).ravel().tolist())
    np.save(folder / "out" / file.name, np.frombuffer(compressed, dtype=np.uint8))
