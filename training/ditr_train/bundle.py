"""Model bundles: a folder of ONNX graphs with `bundle.json`, which the node reads, and a model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ditr_train.config import BackboneConfig, Config, ImageEncoderConfig
from ditr_train.export import (
    Shape,
    export_image_encoder,
    export_segmentor,
    image_encoder_shapes,
    input_shapes,
    output_shapes,
)
from ditr_train.model.patch_encoder import PatchEncoder
from ditr_train.model.segmentor import Segmentor
from ditr_train.model_card import model_card

FORMAT_VERSION = 1

_INT32_INPUTS = ("neighbors", "coordinates", "order", "inverse", "parent", "children", "voxel_patch")


def write_bundle(
    folder: Path,
    config: Config,
    *,
    image_free: Segmentor | None,
    fused: Segmentor | None,
    image_encoder: PatchEncoder | None,
    training: Mapping[str, Any],
    scores: Mapping[str, Any],
) -> None:
    """Exports the networks that are given, and describes them.

    `training` says where the weights come from and `scores` what was measured; both go into
    `bundle.json` as they are and onto the card.
    Raises ValueError when there is no segmentor, or a fused one without its image encoder.
    """
    if image_free is None and fused is None:
        raise ValueError("a bundle needs an image-free or a fused network; neither was given")
    if fused is not None and (image_encoder is None or config.image_encoder is None):
        raise ValueError("a fused network needs the image encoder whose features it was trained with")
    folder.mkdir(parents=True, exist_ok=True)
    graphs: dict[str, Any] = {}
    for name, segmentor in (("image_free", image_free), ("fused", fused)):
        if segmentor is None:
            continue
        path = folder / f"{name}.onnx"
        export_segmentor(segmentor, config, path, fused=name == "fused")
        graphs[name] = _graph(path, input_shapes(config, fused=name == "fused"), output_shapes(config))
    document = {
        "format_version": FORMAT_VERSION,
        "name": config.name,
        "description": config.description,
        "classes": [{"id": entry.id, "name": entry.name, "color": list(entry.color)} for entry in config.classes],
        "unlabeled_id": config.unlabeled_id,
        "backbone": describe_backbone(config.backbone),
    }
    if fused is not None:
        assert image_encoder is not None and config.image_encoder is not None
        path = folder / "image_encoder.onnx"
        export_image_encoder(image_encoder, config.image_encoder, path)
        graphs["image_encoder"] = _graph(path, *image_encoder_shapes(config.image_encoder))
        document["image_encoder"] = describe_image_encoder(config.image_encoder)
    document |= {"graphs": graphs, "training": dict(training), "scores": dict(scores)}
    (folder / "bundle.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    parameters = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in (
            ("image_free", image_free),
            ("fused", fused),
            ("image_encoder", image_encoder if fused is not None else None),
        )
        if network is not None
    }
    (folder / "MODEL_CARD.md").write_text(model_card(document, parameters, folder), encoding="utf-8")


def describe_backbone(backbone: BackboneConfig) -> dict[str, Any]:
    """`backbone` of bundle.json."""
    return {
        "grid_size": backbone.grid_size,
        "point_range": list(backbone.point_range),
        "input_features": [
            {"name": feature.name, "offset": feature.offset, "scale": feature.scale}
            for feature in backbone.input_features
        ],
        "orders": list(backbone.orders),
        "stem_kernel_size": backbone.stem_kernel_size,
        "stages": [
            {
                "convolution": backbone.stage_convolves(s),
                "attention": backbone.stage_attends(s),
                "position_encoding": backbone.position_encoding,
                "patch_size": backbone.patch_size,
            }
            for s in range(backbone.stage_count)
        ],
    }


def describe_image_encoder(encoder: ImageEncoderConfig) -> dict[str, Any]:
    """`image_encoder` of bundle.json."""
    return {
        "input_height": encoder.input_height,
        "input_width": encoder.input_width,
        "patch_size": encoder.patch_size,
        "mean": list(encoder.mean),
        "std": list(encoder.std),
        "feature_dimension": encoder.feature_dimension,
        "resize": encoder.resize,
        "sampling": encoder.sampling,
        "occlusion": encoder.occlusion,
    }


def _graph(path: Path, inputs: dict[str, Shape], outputs: dict[str, Shape]) -> dict[str, Any]:
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "precision": "float32",
        "inputs": [_value(name, shape) for name, shape in inputs.items()],
        "outputs": [_value(name, shape) for name, shape in outputs.items()],
    }


def _value(name: str, shape: Shape) -> dict[str, Any]:
    stem = name.rpartition("_")[0] if name[-1].isdigit() else name
    integer = stem in _INT32_INPUTS or name in ("stem_neighbors", "label")
    return {"name": name, "dtype": "int32" if integer else "float32", "shape": list(shape)}


def provenance(**entries: Any) -> dict[str, Any]:
    """What produced a set of weights, besides the data: versions that change results."""
    return {"torch": torch.__version__, **entries}
