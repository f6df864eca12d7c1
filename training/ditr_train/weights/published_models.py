"""Networks that others publish, and what it takes to make them ours: the table of `ditr-train get`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PERMISSIVE = ("MIT", "Apache-2.0")
"""Licences that ask for no more than to be named; any other has to be accepted."""

Kind = Literal["segmentation", "distilled", "encoder"]
"""A bundle for the node; a backbone without classes, to be trained on; an image encoder to train with."""


@dataclass(frozen=True)
class HubFile:
    """A file of a repository of the Hugging Face hub."""

    repository: str
    path: str
    """Where it is by the page or the code that `PublishedModel.source` names; if it is not there, the one file of this
    name in its folder, or a folder of that, is taken."""
    licence: str
    revision: str = "main"
    sha256: str = ""
    """Empty where it is not known here; what the hub says is checked in any case."""
    size: int = 0
    """Bytes; 0 where it is not known here."""


@dataclass(frozen=True)
class PublishedModel:
    """A row of the table."""

    kind: Kind
    description: str
    file: HubFile
    configuration: str
    """Its file in configs/, and what is changed in it."""
    settings: tuple[str, ...] = ()
    encoder: str = ""
    """Row of the image encoder whose features it injects."""
    image_free: str = ""
    """Row of the same network without images, for scans without."""


def _litept(name: str) -> HubFile:
    # The README of github.com/prs-eth/LitePT (0797098) links these files; MIT is the licence of that repository.
    return HubFile("prs-eth/LitePT", f"{name}-semseg-litept-small-v1m1/model/model_best.pth", "MIT")


def _ptv3(name: str) -> HubFile:
    # The README of github.com/Pointcept/PointTransformerV3 (13dfa65) links the folders; MIT is that repository's.
    return HubFile("Pointcept/PointTransformerV3", f"{name}-semseg-pt-v3m1-0-base/model/model_best.pth", "MIT")


def _ditr(folder: str, file: str = "model_best.pth") -> HubFile:
    # The README of github.com/VisualComputingInstitute/ditr (07a5f36) links the folders; in them the trainer of
    # Pointcept writes model/<file>. AGPL-3.0 is the licence of that repository.
    return HubFile("rwthvision/ditr", f"nuscenes/{folder}/model/{file}", "AGPL-3.0")


def _encoder(
    name: str, architecture: str, repository: str, licence: str, channels: int, *extra: str, patch_size: int = 14
) -> tuple[str, PublishedModel]:
    height, width = (378, 672) if patch_size == 14 else (384, 672)
    return name, PublishedModel(
        "encoder",
        f"image encoder {architecture}",
        HubFile(repository, "model.safetensors", licence),
        "ditr-ptv3-nuscenes.yaml",
        (
            f"image_encoder.architecture={architecture}",
            f"image_encoder.input_height={height}",
            f"image_encoder.input_width={width}",
            f"injection.feature_dimension={channels}",
            *extra,
        ),
    )


_SIZES = {"s": ("small", 384), "b": ("base", 768), "l": ("large", 1024), "g": ("giant", 1536)}
_DINOV3_LICENCE = "DINOv3 License"
_HALF = ("image_encoder.mean=[0.5, 0.5, 0.5]", "image_encoder.std=[0.5, 0.5, 0.5]")
_V151 = ("backbone.later_convolutions=mlp",)
# Colours of -1..1: NormalizeColor of Pointcept's pointcept/datasets/transform.py before v1.6.0.
_V151_COLOURS = (
    "backbone.input_features=["
    + "".join(f"{{name: {name}, offset: 127.5, scale: 0.0078431373}}, " for name in ("red", "green", "blue"))
    + "{name: normal_x}, {name: normal_y}, {name: normal_z}]",
)

PUBLISHED_MODELS: Mapping[str, PublishedModel] = {
    "litept-nuscenes": PublishedModel(
        "segmentation", "LitePT-S, 82.2 mIoU on nuScenes by its authors", _litept("nuscenes"), "litept-s.yaml"
    ),
    "litept-waymo": PublishedModel(
        "segmentation", "LitePT-S, 73.1 mIoU on Waymo by its authors", _litept("waymo"), "litept-s-waymo.yaml"
    ),
    "litept-scannet": PublishedModel(
        "segmentation", "LitePT-S, 76.5 mIoU on ScanNet by its authors", _litept("scannet"), "litept-s-scannet.yaml"
    ),
    "ptv3-nuscenes": PublishedModel(
        "segmentation", "PTv3, 80.3 mIoU on nuScenes by its authors", _ptv3("nuscenes"), "ptv3-nuscenes.yaml", _V151
    ),
    "ptv3-scannet": PublishedModel(
        "segmentation",
        "PTv3, 77.6 mIoU on ScanNet by its authors",
        _ptv3("scannet"),
        "ptv3-scannet.yaml",
        _V151 + _V151_COLOURS,
    ),
    **{
        f"ditr-nuscenes-{letter}": PublishedModel(
            "segmentation",
            f"DITR with DINOv2 ViT-{capital}, {miou} mIoU on nuScenes by its authors",
            _ditr(f"semseg-ptv3_dino-{capital}"),
            "ditr-ptv3-nuscenes.yaml",
            (
                f"image_encoder.architecture=dinov2_vit{letter}14_reg",
                f"injection.feature_dimension={_SIZES[letter][1]}",
            ),
            encoder=f"dinov2-{letter}-reg",
            image_free="d-ditr-nuscenes",
        )
        for letter, capital, miou in (("s", "S", 82.8), ("b", "B", 83.0), ("l", "L", 83.1), ("g", "g", 84.2))
    },
    "d-ditr-nuscenes": PublishedModel(
        "segmentation",
        "D-DITR, distilled and fine-tuned, 80.9 mIoU on nuScenes by its authors",
        _ditr("semseg-ptv3_weight=distill-ptv3_nuscenes_dino-L"),
        "ptv3-nuscenes.yaml",
    ),
    "d-ditr-nuscenes-distilled": PublishedModel(
        "distilled",
        "D-DITR, distilled on nuScenes, to be fine-tuned",
        _ditr("distill-ptv3_nuscenes_dino-L", "model_last.pth"),
        "ptv3-nuscenes.yaml",
    ),
    **dict(
        _encoder(f"dinov2-{letter}", f"dinov2_vit{letter}14", f"facebook/dinov2-{size}", "Apache-2.0", channels)
        for letter, (size, channels) in _SIZES.items()
    ),
    **dict(
        _encoder(
            f"dinov2-{letter}-reg",
            f"dinov2_vit{letter}14_reg",
            f"facebook/dinov2-with-registers-{size}",
            "Apache-2.0",
            channels,
        )
        for letter, (size, channels) in _SIZES.items()
    ),
    **dict(
        _encoder(
            f"dinov3-{size}",
            f"dinov3_vit{size}",
            f"facebook/dinov3-vit{size}-pretrain-lvd1689m",
            _DINOV3_LICENCE,
            channels,
            patch_size=16,
        )
        for size, channels in (("s16", 384), ("s16plus", 384), ("b16", 768), ("l16", 1024), ("h16plus", 1280))
    ),
    **dict(
        (
            _encoder(
                "siglip2-so400m",
                "siglip2_so400m_patch14",
                "google/siglip2-so400m-patch14-384",
                "Apache-2.0",
                1152,
                *_HALF,
            ),
            _encoder(
                "siglip2-l",
                "siglip2_large_patch16",
                "google/siglip2-large-patch16-384",
                "Apache-2.0",
                1024,
                *_HALF,
                patch_size=16,
            ),
        )
    ),
}
"""By the names that `ditr-train get` takes."""
