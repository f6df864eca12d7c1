"""ONNX graphs of trained networks, with the names, dtypes and dynamic shapes of docs/graph-contract.md."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.config.model_config import Config, ImageEncoderConfig
from ditr_train.encoders.patch_encoder import PatchEncoder
from ditr_train.export.graph_file import write_graph
from ditr_train.geometry.graph_inputs import GraphInputs, voxelize_scan
from ditr_train.geometry.tokens import farthest_points
from ditr_train.model.detection_head import DetectionHead
from ditr_train.model.segmentor import Segmentor, graph_outputs
from ditr_train.model.tables import graph_input_names

OPSET = 20
"""The first with Gelu as one operator; LayerNormalization is one since 17."""

Shape = tuple[int | str, ...]


class _SegmentationGraph(nn.Module):
    """A segmentor with positional inputs, as the exporter wants them."""

    def __init__(self, segmentor: Segmentor, names: list[str], token_stage: int | None) -> None:
        super().__init__()
        self.segmentor = segmentor
        self.names = names
        self.token_stage = token_stage

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        inputs = dict(zip(self.names, values, strict=True))
        if self.token_stage is None:
            return graph_outputs(self.segmentor(inputs))
        logits, tokens = self.segmentor.with_tokens(inputs, self.token_stage)
        return (*graph_outputs(logits), tokens)


class _DetectionGraph(nn.Module):
    """A detection head, of which only what its last layer says comes out."""

    def __init__(self, head: DetectionHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, tokens: Tensor, positions: Tensor, queries: Tensor | None = None) -> tuple[Tensor, Tensor]:
        last = self.head(tokens, positions, queries).layers[-1]
        return last.boxes(), last.class_probabilities()


def input_shapes(config: Config, *, fused: bool) -> dict[str, Shape]:
    """Shape of each graph input; a name stands for a size that differs from scan to scan."""
    backbone = config.backbone
    shapes: dict[str, Shape] = {}
    for name in graph_input_names(backbone, config.injection if fused else None):
        kind, _, suffix = name.rpartition("_")
        v, orders = f"V{suffix}", len(backbone.orders)
        by_kind: dict[str, Shape] = {
            "neighbors": (v, 27),
            "coordinates": (v, 3),
            "order": (orders, f"P{suffix}", f"K{suffix}"),
            "inverse": (orders, v),
            "parent": (v,),
            "children": (f"V{int(suffix) + 1}" if suffix.isdigit() else "", 8),
        }
        if name == "feat":
            shapes[name] = ("V0", len(backbone.input_features))
        elif name == "stem_neighbors":
            shapes[name] = ("V0", 125)
        elif name == "image_features":
            assert config.injection is not None
            shapes[name] = ("P", config.injection.feature_dimension)
        elif name in ("voxel_patch", "voxel_patch_weight"):
            shapes[name] = ("V0", _patches_per_voxel(config))
        else:
            shapes[name] = by_kind[kind]
    return shapes


def _patches_per_voxel(config: Config) -> int:
    return 4 if config.image_encoder is not None and config.image_encoder.sampling == "bilinear" else 1


def example_inputs(config: Config, *, fused: bool, points: int = 6000, seed: int = 0) -> GraphInputs:
    """Inputs of a made-up scan in which no size is 0 or 1: what the exporter traces the graph with."""
    rng = np.random.default_rng(seed)
    cloud = random_cloud(config.backbone, points, rng)
    inputs = voxelize_scan(cloud, config.backbone).inputs
    return inputs | (random_image_inputs(config, len(inputs["feat"]), rng) if fused else {})


def random_cloud(
    backbone: BackboneConfig, points: int, rng: np.random.Generator, extent: float = 150.0
) -> dict[str, npt.NDArray[np.float32]]:
    """Points on a rough ground within `extent` voxels, with every input feature of the backbone."""
    center = np.add(backbone.point_range[:3], backbone.point_range[3:]) / 2
    size = np.array([extent, extent, extent / 10]) * backbone.grid_size
    xyz = (center + rng.uniform(-0.5, 0.5, (points, 3)) * size).astype(np.float32)
    fields = {axis: xyz[:, i] for i, axis in enumerate("xyz")}
    for feature in backbone.input_features:
        fields.setdefault(feature.name, rng.uniform(0, 1, points).astype(np.float32))
    return fields


def random_image_inputs(config: Config, voxels: int, rng: np.random.Generator) -> GraphInputs:
    """Image inputs in which a third of the voxels is seen."""
    assert config.injection is not None
    patches, per_voxel = 480, _patches_per_voxel(config)
    seen = rng.uniform(size=(voxels, 1)) < 1 / 3
    return {
        "image_features": rng.normal(size=(patches, config.injection.feature_dimension)).astype(np.float32),
        "voxel_patch": rng.integers(0, patches, (voxels, per_voxel), dtype=np.int32),
        "voxel_patch_weight": np.where(seen, 1 / per_voxel, 0.0).repeat(per_voxel, axis=1).astype(np.float32),
    }


def export_segmentor(segmentor: Segmentor, config: Config, path: Path, *, fused: bool) -> None:
    """Writes the fused or the image-free graph of a segmentor."""
    shapes = input_shapes(config, fused=fused)
    examples = example_inputs(config, fused=fused)
    stage = None if config.detection is None else config.detection.stage
    graph = _SegmentationGraph(segmentor, list(shapes), stage).eval()
    # One variable-length argument holds all inputs.
    dynamic = (tuple(_dynamic_dimensions(shape) for shape in shapes.values()),)
    tensors = tuple(torch.from_numpy(examples[name]) for name in shapes)
    write_graph(trace(graph, tensors, dynamic, shapes, output_shapes(config)), path)


def export_detection_head(head: DetectionHead, config: Config, path: Path) -> None:
    """Writes the detection graph, for any number of tokens. Raises ValueError where nothing is detected."""
    inputs, outputs = detection_shapes(config)
    examples = detection_example(config)
    dynamic = tuple(_dynamic_dimensions(shape) for shape in inputs.values())
    tensors = tuple(torch.from_numpy(examples[name]) for name in inputs)
    write_graph(trace(_DetectionGraph(head).eval(), tensors, dynamic, inputs, outputs), path)


def detection_shapes(config: Config) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Shapes of the detection graph's inputs and outputs. Raises ValueError where nothing is detected."""
    detection = config.detection
    if detection is None:
        raise ValueError("the configuration has no detection")
    v = f"V{detection.stage}"
    inputs: dict[str, Shape] = {
        "tokens": (v, config.backbone.encoder.channels[detection.stage]),
        "token_positions": (v, 3),
    }
    if detection.query_choice == "farthest":
        inputs["queries"] = ("Q",)
    return inputs, {"boxes": ("Q", 7), "class_probabilities": ("Q", len(detection.classes))}


def detection_example(config: Config, tokens: int = 500, seed: int = 0) -> GraphInputs:
    """Made-up inputs of the detection graph, in which no size is another one's."""
    assert config.detection is not None
    rng = np.random.default_rng(seed)
    inputs, _ = detection_shapes(config)
    positions = (rng.uniform(-40, 40, (tokens, 3)) * [1, 1, 0.05]).astype(np.float32)
    found: GraphInputs = {
        "tokens": rng.normal(size=(tokens, int(inputs["tokens"][1]))).astype(np.float32),
        "token_positions": positions,
    }
    if "queries" in inputs:
        found["queries"] = farthest_points(positions, min(config.detection.queries, tokens // 3))
    return found


def run_detection_head(head: DetectionHead, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Outputs of the detection graph, computed by PyTorch."""
    with torch.no_grad():
        boxes, probabilities = _DetectionGraph(head).eval()(*(torch.from_numpy(value) for value in inputs.values()))
    return {"boxes": boxes.numpy(), "class_probabilities": probabilities.numpy()}


def export_image_encoder(encoder: PatchEncoder, config: ImageEncoderConfig, path: Path) -> None:
    """Writes the image encoder's graph, for any number of images at once."""
    image = torch.zeros(2, 3, config.input_height, config.input_width)
    dynamic = ({0: torch.export.Dim.DYNAMIC},)
    write_graph(trace(encoder.eval(), (image,), dynamic, *image_encoder_shapes(config)), path)


def image_encoder_shapes(config: ImageEncoderConfig) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Shapes of the image encoder's inputs and outputs."""
    patches = config.rows * config.columns
    return (
        {"image": ("B", 3, config.input_height, config.input_width)},
        {"features": ("B", patches, config.feature_dimension)},
    )


def output_shapes(config: Config) -> dict[str, Shape]:
    """Shapes of a segmentation graph's outputs."""
    shapes: dict[str, Shape] = {
        "label": ("V0",),
        "confidence": ("V0",),
        "entropy": ("V0",),
        "logits": ("V0", len(config.classes)),
    }
    if config.detection is not None:
        stage = config.detection.stage
        shapes["tokens"] = (f"V{stage}", config.backbone.encoder.channels[stage])
    return shapes


def _dynamic_dimensions(shape: Shape) -> dict[int, Any]:
    return {axis: torch.export.Dim.DYNAMIC for axis, size in enumerate(shape) if isinstance(size, str)}


def trace(
    module: nn.Module,
    examples: tuple[Tensor, ...],
    dynamic_shapes: tuple[Any, ...],
    inputs: dict[str, Shape],
    outputs: dict[str, Shape],
) -> onnx.ModelProto:
    """The graph of what a module does with inputs like the examples, which has the contract's names and sizes.

    Raises RuntimeError when the exporter gives it other inputs or outputs.
    """
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter speaks of its own internals.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            examples,
            dynamo=True,
            dynamic_shapes=dynamic_shapes,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            optimize=True,
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    _name_dimensions(model.graph.input, inputs)
    _name_dimensions(model.graph.output, outputs)
    # Where each operator came from in Python is of no use to who runs the graph.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    return model


def _name_dimensions(values: Sequence[onnx.ValueInfoProto], shapes: dict[str, Shape]) -> None:
    """Puts the contract's names in place of the exporter's (s5, s27, ...)."""
    found = [value.name for value in values]
    if found != list(shapes):
        raise RuntimeError(f"the exporter wrote {found} instead of {list(shapes)}")
    for value, shape in zip(values, shapes.values(), strict=True):
        for dimension, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
            if isinstance(size, str):
                dimension.dim_param = size
            elif dimension.dim_value != size:
                raise RuntimeError(f"the exporter wrote {value.name} with a size that is not {size}: {dimension}")


def run_segmentor(segmentor: Segmentor, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Outputs of a graph, computed by PyTorch."""
    with torch.no_grad():
        outputs = graph_outputs(segmentor.eval()({name: torch.from_numpy(value) for name, value in inputs.items()}))
    return {name: value.numpy() for name, value in outputs._asdict().items()}
