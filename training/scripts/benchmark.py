"""How fast a step of training is, and how much memory it takes.

    python training/scripts/benchmark.py                 # everything, each measure in a process of its own
    python training/scripts/benchmark.py street-tiny     # one measure

Scans are ray-cast from a spinning LiDAR on a flat street with boxes, the same in every run, so no data is needed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from ditr_train.config.model_config import Config, load_config
from ditr_train.data.scans import LabeledScan, PointImageFeatures, make_sample
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.work_counter import WorkCounter
from ditr_train.methods.segmentation import Training
from ditr_train.model.device import CPU, tensors_on
from ditr_train.model.segmentor import Segmentor

CONFIGS = Path(__file__).parent.parent / "configs"
MEASURES = ("street-tiny", "litept-s", "ways", "calls", "work", "memory-31000", "memory-92000", "preparation")


def street_scan(config: Config, beams: int, columns: int, seed: int, *, images: bool = False) -> LabeledScan:
    """A scan of beams x columns rays over a flat street with 80 boxes; intensity and class by what is hit."""
    rng = np.random.default_rng(seed)
    elevation = np.deg2rad(np.linspace(-25, 8, beams))
    azimuth = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    elevation, azimuth = (grid.ravel() for grid in np.meshgrid(elevation, azimuth))
    rays = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], axis=1
    )
    height = -1.8
    with np.errstate(divide="ignore"):
        reach = np.where(rays[:, 2] < 0, height / rays[:, 2], np.inf)
    label = np.zeros(len(rays), np.int8)
    size = rng.uniform([1, 1, 1], [8, 8, 6], (80, 3))
    place = np.append(rng.uniform(-40, 40, (80, 2)), np.full((80, 1), height), axis=1)
    place[:, 0] += 6 * np.sign(place[:, 0]) + size[:, 0]
    for index in range(80):
        with np.errstate(divide="ignore", invalid="ignore"):
            sides = np.stack([place[index] / rays, (place[index] + size[index]) / rays])
        near, far = sides.min(axis=0).max(axis=1), sides.max(axis=0).min(axis=1)
        hit = (near < far) & (near > 0) & (near < reach)
        reach[hit] = near[hit]
        label[hit] = 1 + index % (len(config.classes) - 1)
    kept = reach < 75
    xyz = (rays[kept] * reach[kept, None] + rng.normal(scale=0.01, size=(kept.sum(), 3))).astype(np.float32)
    label = label[kept]
    names = [feature.name for feature in config.backbone.input_features]
    values = {name: rng.uniform(size=len(xyz)).astype(np.float32) for name in names}
    fields = values | {axis: xyz[:, i] for i, axis in enumerate("xyz")}
    return LabeledScan(f"street {seed}", fields, label, _images(config, xyz, rng) if images else None)


def _images(config: Config, xyz: np.ndarray, rng: np.random.Generator) -> PointImageFeatures:
    """Features as of one camera that looks ahead over 90 degrees."""
    assert config.image_encoder is not None
    patches = config.image_encoder.rows * config.image_encoder.columns
    features = rng.normal(size=(patches, config.image_encoder.feature_dimension)).astype(np.float32)
    seen = np.abs(np.arctan2(xyz[:, 1], xyz[:, 0])) < np.pi / 4
    patch = rng.integers(patches, size=(len(xyz), 1)).astype(np.int32)
    return PointImageFeatures(features, patch, seen[:, None].astype(np.float32))


def training_of(name: str, folder: Path) -> Training:
    """A training of a configuration on scans as its sensor would give them, one scan a step."""
    config = load_config(CONFIGS / f"{name}.yaml").without_pretraining()
    tiny = name == "street-tiny"
    scans = [
        street_scan(config, 16 if tiny else 32, 512 if tiny else 1084, seed, images=config.injection is not None)
        for seed in range(8)
    ]
    settings = replace(
        config.training,
        steps=100_000,
        scans_per_step=config.training.scans_per_step if tiny else 1,
        augmentation=replace(config.training.augmentation, mix=0),  # one scan
    )
    return Training(replace(config, training=settings), scans, RunFolder(folder))


def steps_per_second(name: str, steps: int) -> None:
    """Wall-clock and processor seconds of a training step."""
    with tempfile.TemporaryDirectory() as folder:
        training = training_of(name, Path(folder))
        used = time.process_time()
        wall = training.seconds_per_step(steps)
        used = (time.process_time() - used) / (steps + 1)
        print(f"{name}: {1 / wall:.2f} steps/s, {wall:.3f} s and {used:.3f} processor seconds a step", flush=True)


def ways(steps: int = 4, rounds: int = 3) -> None:
    """Processor seconds a scan of street-tiny in other ways: several scans in a pass, and half precision."""
    settings: dict[str, dict[str, Any]] = {
        "4 scans a step, one in a pass": {"scans_per_step": 4},
        "4 scans a step, 4 in a pass": {"scans_per_step": 4, "scans_per_pass": 4},
        "4 scans a step, one in a pass, bfloat16": {"scans_per_step": 4, "precision": "bfloat16"},
    }
    for _ in range(rounds):
        for name, changed in settings.items():
            with tempfile.TemporaryDirectory() as folder:
                usual = training_of("street-tiny", Path(folder))
                config = replace(usual.config, training=replace(usual.config.training, **changed))
                training = Training(config, usual.scans, RunFolder(Path(folder)))
                training.seconds_per_step(1)
                used = time.process_time()
                training.seconds_per_step(steps)
                used = (time.process_time() - used) / (steps + 1) / 4
                print(f"street-tiny, {name}: {used:.3f} processor seconds a scan", flush=True)


def large_scan(voxels: int) -> tuple[Segmentor, dict[str, torch.Tensor], torch.Tensor]:
    """PTv3 and the inputs and labels of a scan of so many voxels."""
    config = load_config(CONFIGS / "ptv3-semantic-kitti.yaml")
    scan = street_scan(config, 64, 3000, 1)
    representative = make_sample(scan, config, fused=False).representative
    if len(representative) < voxels:
        raise ValueError(f"the scan has {len(representative)} voxels, {voxels} are wanted")
    rng = np.random.default_rng(0)
    nearest = np.argsort(
        np.hypot(scan.fields["x"], scan.fields["y"])[representative] * rng.uniform(0.2, 1, len(representative))
    )
    # Voxels are counted from the smallest coordinates: with these points, what is left lies in the voxels that it had.
    corner = [representative[np.argmin(scan.fields[axis][representative])] for axis in "xyz"]
    kept = np.union1d(corner, representative[nearest[:voxels]])
    sample = make_sample(scan.subset(kept), config, fused=False)
    torch.manual_seed(0)
    return Segmentor(config).train(), tensors_on(CPU, sample.inputs), torch.from_numpy(sample.label)


def forward_backward(segmentor: Segmentor, inputs: dict[str, torch.Tensor], label: torch.Tensor) -> None:
    torch.nn.functional.cross_entropy(segmentor(inputs), label).backward()


def calls() -> None:
    """Operators that autograd runs in one forward and backward pass of PTv3, and what these run in turn; their number
    does not depend on the scan's size."""
    segmentor, inputs, label = large_scan(2_000)
    with WorkCounter() as counted:
        forward_backward(segmentor, inputs, label)
    segmentor.zero_grad()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        forward_backward(segmentor, inputs, label)
    nested = sum(event.count for event in profiled.key_averages() if event.key.startswith("aten::"))
    print(f"PTv3: {counted.operators} operators a scan, {nested} aten calls with those that they make", flush=True)


def work() -> None:
    """Floating point operations of PTv3's forward and backward pass, on as many voxels as are quickly counted."""
    segmentor, inputs, label = large_scan(8_000)
    with WorkCounter() as counted:
        forward_backward(segmentor, inputs, label)
    each = counted.flops / len(label) / 1e6
    print(f"PTv3 on {len(label)} voxels: {each:.1f} MFLOP a voxel, {counted.operators} operators", flush=True)


def memory(voxels: int) -> None:
    """The largest resident memory of a process that runs one forward and backward pass of PTv3."""
    segmentor, inputs, label = large_scan(voxels)
    before = _peak_memory()
    started, used = time.perf_counter(), time.process_time()
    forward_backward(segmentor, inputs, label)
    print(
        f"PTv3 on {len(label)} voxels: peak {_peak_memory():.2f} GB, {before:.2f} GB before; "
        f"{time.perf_counter() - started:.1f} s, {time.process_time() - used:.1f} processor seconds",
        flush=True,
    )


def _peak_memory() -> float:
    """GB; Linux alone says this."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e9


def preparation(scans: int = 24) -> None:
    """Augmented, voxelized scans a second, by 1 and by 2 processes; the start of the processes is left out."""
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            training = training_of("litept-s", Path(folder))
            training.workers = workers
            samples = training._prefetched()
            for _ in range(4 * workers):  # what is prepared before the first is asked for
                next(samples)
            started = time.perf_counter()
            for _ in range(scans):
                next(samples)
            wall = time.perf_counter() - started
            print(f"preparation, {workers} workers: {scans / wall:.2f} scans/s", flush=True)


def measure(name: str) -> None:
    """Runs one of MEASURES."""
    if name in ("street-tiny", "litept-s"):
        steps_per_second(name, 30 if name == "street-tiny" else 5)
    elif name == "ways":
        ways()
    elif name == "calls":
        calls()
    elif name == "work":
        work()
    elif name.startswith("memory-"):
        memory(int(name.removeprefix("memory-")))
    else:
        preparation()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)} (default: all)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if len(options.measures) == 1:
        measure(options.measures[0])
        return
    for name in options.measures or MEASURES:
        subprocess.run([sys.executable, __file__, name, "--threads", str(options.threads)], check=False)


if __name__ == "__main__":
    main()
