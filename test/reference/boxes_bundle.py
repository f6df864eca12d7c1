"""Writes a small bundle of random weights that finds boxes, and what it finds in a scan.

The latter by the network in PyTorch, and by Python's rules for tokens and for which boxes there are.

`python test/reference/boxes_bundle.py test/models` writes the two bundles of the tests: `boxes`, fused and image-free,
with farthest points for queries, and `boxes-scored`, image-free alone, whose graph chooses its queries and whose points
are clamped.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from ditr_train.config.detection_config import DetectionConfig
from ditr_train.config.model_config import Config, load_config
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.export.bundle import write_bundle
from ditr_train.export.graphs import run_detection_head
from ditr_train.geometry.detections import select_detections
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.geometry.tokens import farthest_points, token_positions
from ditr_train.model.detection_head import DetectionHead
from ditr_train.model.segmentor import Segmentor

HERE = Path(__file__).parent


def scan_of(points: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Rough ground, and a few things on it, within 24 m; some points outside of the range."""
    xyz = rng.uniform(-24, 24, (points, 3)) * [1, 1, 0.02]
    for index, (x, y) in enumerate(rng.uniform(-15, 15, (12, 2))):
        part = slice(index * points // 20, (index + 1) * points // 20)
        xyz[part] = rng.normal([x, y, 0.8], [1.5, 0.7, 0.4], xyz[part].shape)
    xyz[::97, 0] += 60
    names = ("x", "y", "z", "intensity")
    columns = np.column_stack([xyz, rng.uniform(0, 1, points)]).astype(np.float32)
    return dict(zip(names, np.ascontiguousarray(columns.T), strict=True))


def random_weights(module: torch.nn.Module) -> None:
    """Fresh batch norms would be the identity and hide an error in their export."""
    for each in module.modules():
        if isinstance(each, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(each.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(each.running_var, 0.5, 2)


def head_inputs(config: Config, cloud: dict[str, np.ndarray], segmentor: Segmentor) -> dict[str, np.ndarray]:
    """Of the detection graph, image-free."""
    detection = config.detection
    assert isinstance(detection, DetectionConfig)
    scan = voxelize_scan(cloud, config.backbone)
    xyz = np.column_stack([cloud[axis] for axis in "xyz"])[scan.representative]
    if config.backbone.clamp:
        low, high = np.split(np.asarray(config.backbone.point_range, np.float32), 2)
        xyz = np.clip(xyz, low, high)
    positions = token_positions(xyz, scan.inputs, detection.stage)
    with torch.no_grad():
        tensors = {name: torch.from_numpy(value) for name, value in scan.inputs.items()}
        inputs = {"tokens": segmentor.tokens(tensors, detection.stage).numpy(), "token_positions": positions}
    if detection.query_choice == "farthest":
        inputs["queries"] = farthest_points(positions, detection.queries)
    return inputs


def spread(head: DetectionHead, segmentor: Segmentor, config: Config, cloud: dict[str, np.ndarray]) -> None:
    """Random weights say much the same of all queries: what makes a difference is made larger, so that there are boxes
    of both classes, some below the threshold and some that overlap."""
    inputs = [torch.from_numpy(value) for value in head_inputs(config, cloud, segmentor).values()]
    with torch.no_grad():
        last = head(*inputs, *([None] if len(inputs) == 2 else [])).layers[-1]
        for mlp, said, mean, deviation in (
            (head.class_head, last.class_logits, 0.0, 2.0),
            (head.size_head, last.log_size, 1.8, 0.4),
            (head.angle_head, torch.cat([last.angle_logits, last.angle_residual], dim=1), 0.0, 1.0),
        ):
            factor = deviation / said.std(dim=0)
            mlp[2].weight *= factor[:, None]
            mlp[2].bias.copy_(mean + (mlp[2].bias - said.mean(dim=0)) * factor)


def found(
    config: Config, cloud: dict[str, np.ndarray], segmentor: Segmentor, head: DetectionHead
) -> dict[str, np.ndarray]:
    """What Python says of the scan, image-free."""
    inputs = head_inputs(config, cloud, segmentor)
    proposals = run_detection_head(head, inputs)
    detection = config.detection
    assert detection is not None
    chosen = select_detections(
        proposals["boxes"],
        proposals["class_probabilities"],
        score_threshold=detection.score_threshold,
        overlap_threshold=detection.overlap_threshold,
    )
    return {
        **{name: value for name, value in inputs.items() if name != "tokens"},
        **proposals,
        "found_boxes": chosen.boxes,
        "found_classes": chosen.classes.astype(np.int32),
        "found_scores": chosen.scores,
    }


def main(folder: Path, changes: list[str], seed: int, *, fused: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = load_config(HERE / "boxes.yaml", changes)
    torch.manual_seed(seed)
    segmentor, encoder = Segmentor(config).eval(), ImageEncoder(config.image_encoder).eval()
    head = DetectionHead(config.backbone.encoder.channels[config.detection.stage], config.detection).eval()
    for module in (segmentor, encoder, head):
        random_weights(module)
    cloud = scan_of(2000, np.random.default_rng(seed))
    spread(head, segmentor, config, cloud)
    write_bundle(
        folder,
        config,
        image_free=segmentor,
        fused=segmentor if fused else None,
        image_encoder=encoder if fused else None,
        training={},
        scores={},
        detection=head,
    )
    arrays = found(config, cloud, segmentor, head)
    arrays["scan"] = np.column_stack([cloud[name] for name in ("x", "y", "z", "intensity")])
    expected = folder / "expected"
    expected.mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(expected / f"{name}.npy", array)


if __name__ == "__main__":
    models = Path(sys.argv[1])
    main(models / "boxes", [], 3, fused=True)
    scored = ["detection.query_choice=scored", "backbone.clamp=true", "detection.angle_bins=1"]
    main(models / "boxes-scored", scored, 8, fused=False)
