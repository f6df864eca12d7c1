"""Model bundles: a folder of ONNX graphs with `bundle.json`, which the node reads, and a model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.config.detection_config import DetectionConfig
from ditr_train.config.model_config import Config, ImageEncoderConfig
from ditr_train.data.errors import DataError
from ditr_train.encoders.patch_encoder import PatchEncoder
from ditr_train.export.graph_file import copy_graph, declared_values, read_graph, weight_files, write_graph
from ditr_train.export.graphs import export_detection_head, export_image_encoder, export_segmentor
from ditr_train.export.half_precision import to_float16
from ditr_train.export.model_card import model_card
from ditr_train.export.pair_convolution import to_pairs
from ditr_train.model.detection_head import DetectionHead
from ditr_train.model.segmentor import Segmentor

FORMAT_VERSION = 1

Precision = Literal["float32", "float16"]
"""What a graph's weights are and most of its operators compute in; its inputs and outputs are float32 and int32."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

Convolution = Literal["table", "pairs"]
"""Whether a graph's convolutions multiply all columns of a neighbour table at once, or only the pairs that exist."""

CONVOLUTIONS: tuple[Convolution, ...] = get_args(Convolution)


def write_bundle(
    folder: Path,
    config: Config,
    *,
    image_free: Segmentor | None,
    fused: Segmentor | None,
    image_encoder: PatchEncoder | Path | None,
    training: Mapping[str, Any],
    scores: Mapping[str, Any],
    precision: Precision = "float32",
    detection: DetectionHead | None = None,
    convolution: Convolution = "table",
) -> None:
    """Exports the networks that are given, and describes them.

    The image encoder may be the file of a float32 graph, which is taken as it is. `training` says where the weights
    come from and `scores` what was measured; both go into `bundle.json` as they are and onto the card. The detection
    head is given where the configuration detects boxes; its graph stays float32 in any precision, for half of it has no
    centimetres at a hundred metres.
    Raises ValueError when there is no segmentor, or a fused one without its image encoder.
    """
    if image_free is None and fused is None:
        raise ValueError("a bundle needs an image-free or a fused network; neither was given")
    if fused is not None and (image_encoder is None or config.image_encoder is None):
        raise ValueError("a fused network needs the image encoder whose features it was trained with")
    if (detection is None) != (config.detection is None):
        raise ValueError("a configuration that detects boxes goes with a detection head")
    folder.mkdir(parents=True, exist_ok=True)
    graphs: dict[str, Any] = {}
    for name, segmentor in (("image_free", image_free), ("fused", fused)):
        if segmentor is None:
            continue
        path = folder / f"{name}.onnx"
        export_segmentor(segmentor, config, path, fused=name == "fused")
        _convert(path, path, precision, convolution)
        graphs[name] = _graph(path, precision)
    document = {
        "format_version": FORMAT_VERSION,
        "name": config.name,
        "description": config.description,
        **({"licence": config.licence} if config.licence else {}),
        "classes": [{"id": entry.id, "name": entry.name, "color": list(entry.color)} for entry in config.classes],
        "unlabeled_id": config.unlabeled_id,
        "backbone": describe_backbone(config.backbone),
    }
    if fused is not None:
        assert image_encoder is not None and config.image_encoder is not None
        path = folder / "image_encoder.onnx"
        if isinstance(image_encoder, Path):
            copy_graph(image_encoder, path)
        else:
            export_image_encoder(image_encoder, config.image_encoder, path)
        _convert(path, path, precision)
        graphs["image_encoder"] = _graph(path, precision)
        document["image_encoder"] = describe_image_encoder(config.image_encoder)
    if detection is not None and config.detection is not None:
        path = folder / "detection.onnx"
        export_detection_head(detection, config, path)
        graphs["detection"] = _graph(path, "float32")
        document["detection"] = describe_detection(config.detection)
    document |= {"graphs": graphs, "training": dict(training), "scores": dict(scores)}
    write_document(folder, document)


def convert_bundle(source: Path, folder: Path, precision: Precision, convolution: Convolution = "table") -> None:
    """Writes a float32 bundle in another precision, or with convolutions over pairs; scores and provenance stay those
    of the float32 one, but for its parity with what it was made from.

    Convolutions over pairs stay so. Raises DataError when `source` is not a float32 bundle, or is `folder` itself.
    """
    document = read_document(source)
    found = {graph["precision"] for graph in document["graphs"].values()}
    if found != {"float32"}:
        raise DataError(f"{source}: its graphs are {' and '.join(sorted(found))}; only float32 ones can be converted")
    if folder.resolve() == source.resolve():
        raise DataError(f"{folder}: a bundle cannot be converted in its own place; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in document["graphs"].items():
        path = folder / graph["file"]
        if name == "detection":
            copy_graph(source / graph["file"], path)
            continue
        _convert(source / graph["file"], path, precision, convolution)
        graph.pop("external_data", None)
        graph |= _graph(path, precision)
    document.get("scores", {}).pop("parity", None)
    write_document(folder, document)


def read_document(folder: Path) -> dict[str, Any]:
    """bundle.json of a bundle. Raises DataError when there is none."""
    path = folder / "bundle.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: {error}") from error
    assert isinstance(document, dict)
    return document


def write_document(folder: Path, document: Mapping[str, Any]) -> None:
    """Writes bundle.json of a bundle whose graphs are there, and its card."""
    (folder / "bundle.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(model_card(document, folder), encoding="utf-8")


def _convert(source: Path, target: Path, precision: Precision, convolution: Convolution = "table") -> None:
    if precision == "float32" and convolution == "table":
        copy_graph(source, target)
        return
    graph = read_graph(source)
    if convolution == "pairs":
        graph = to_pairs(graph)
    write_graph(to_float16(graph) if precision == "float16" else graph, target)


def describe_backbone(backbone: BackboneConfig) -> dict[str, Any]:
    """`backbone` of bundle.json."""
    return {
        "grid_size": backbone.grid_size,
        "point_range": list(backbone.point_range),
        **({"clamp": True} if backbone.clamp else {}),
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


def describe_detection(detection: DetectionConfig) -> dict[str, Any]:
    """`detection` of bundle.json."""
    return {
        "stage": detection.stage,
        "queries": detection.queries,
        "classes": [
            {"name": entry.name, "color": list(entry.color), **({"of": list(entry.of)} if entry.of else {})}
            for entry in detection.classes
        ],
        "smallest_points": detection.smallest_points,
        "score_threshold": detection.score_threshold,
        "overlap_threshold": detection.overlap_threshold,
    }


def _graph(path: Path, precision: Precision) -> dict[str, Any]:
    return {**_files(path), "precision": precision, **declared_values(path)}


def _files(path: Path) -> dict[str, Any]:
    """A graph's file, with those of its weights where there are some, and what their bytes hash to."""
    others = [{"file": data.name, "sha256": _sha256(data)} for data in weight_files(path)]
    return {"file": path.name, "sha256": _sha256(path)} | ({"external_data": others} if others else {})


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def provenance(**entries: Any) -> dict[str, Any]:
    """What produced a set of weights, besides the data: versions that change results."""
    return {"torch": torch.__version__, **entries}
