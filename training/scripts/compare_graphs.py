"""How long the image-free graphs of bundles of one network take, in turn on the same scan.

    python training/scripts/compare_graphs.py training/configs/street-real.yaml BUNDLE BUNDLE --scan 0000000005.bin
    python training/scripts/compare_graphs.py training/configs/street-real.yaml BUNDLE BUNDLE   # a made-up room

ONNX Runtime on the CPU, without the tables, which the host makes. The room is ten times as large as one, so that the
voxels of a street's network lie on its surfaces as those of 2 cm do in a room.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from ditr_train.config.model_config import load_config
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.geometry.pair_tables import declared_inputs


def room(seed: int = 0) -> npt.NDArray[np.float32]:
    """[N, 4] points on floor, two walls and twelve boxes, x, y, z in metres and intensity."""
    rng = np.random.default_rng(seed)

    def surface(count: int, along: Any, across: Any, corner: Any) -> npt.NDArray[np.floating]:
        place = rng.uniform(size=(count, 1)) * along + rng.uniform(size=(count, 1)) * across
        return corner + place + rng.normal(scale=0.05, size=(count, 3))

    wide, deep, high = np.array([40.0, 0, 0]), np.array([0, 30.0, 0]), np.array([0, 0, 20.0])
    parts = [surface(150_000, wide, deep, [-20, -15, -2]), surface(60_000, wide, high, [-20, 15, -2])]
    parts.append(surface(60_000, deep, high, [20, -15, -2]))
    for _ in range(12):
        corner, size = rng.uniform([-18, -13, -2], [10, 8, 0]), rng.uniform(3, 8, 3)
        x, y, z = np.diag(size)
        parts += [surface(8000, x, y, corner + z), surface(8000, x, z, corner)]
    xyz = np.concatenate(parts)
    return np.append(xyz, np.zeros((len(xyz), 1)), axis=1).astype(np.float32)


def main() -> None:
    """Prints medians and minima, and the largest difference of a logit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, metavar="CONFIG")
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE")
    parser.add_argument("--scan", type=Path, metavar="BIN", help="KITTI's float32 x, y, z, intensity")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=12)
    given = parser.parse_args()
    points = room() if given.scan is None else np.fromfile(given.scan, np.float32).reshape(-1, 4)
    cloud = dict(zip(("x", "y", "z", "intensity"), points.T, strict=True))
    inputs = voxelize_scan(cloud, load_config(given.config).backbone).inputs
    for name, table in inputs.items():
        if "neighbors" in name:
            print(f"{name}: {len(table)} voxels, {(table < len(table)).sum(1).mean():.1f} of {table.shape[1]} occupied")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = given.threads
    graphs = [
        onnxruntime.InferenceSession(b / "image_free.onnx", options, ["CPUExecutionProvider"]) for b in given.bundles
    ]
    feeds = [declared_inputs(inputs, [entry.name for entry in graph.get_inputs()]) for graph in graphs]
    times: list[list[float]] = [[] for _ in graphs]
    for _ in range(given.runs):
        for graph, feed, measured in zip(graphs, feeds, times, strict=True):
            started = time.perf_counter()
            graph.run(["label", "confidence", "entropy"], feed)
            measured.append(1e3 * (time.perf_counter() - started))
    logits = [graph.run(["logits"], feed)[0] for graph, feed in zip(graphs, feeds, strict=True)]
    for bundle, measured, found in zip(given.bundles, times, logits, strict=True):
        difference = np.abs(found - logits[0]).max()
        took = f"median {statistics.median(measured):.1f} ms, best {min(measured):.1f} ms"
        print(f"{bundle}: {took}; logits differ by {difference:.1g}")


if __name__ == "__main__":
    main()
