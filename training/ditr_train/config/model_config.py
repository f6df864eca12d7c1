"""What a model is and how it is trained, read from YAML files that look like the papers' tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.config.conversion import ConfigError as ConfigError
from ditr_train.config.conversion import convert, require
from ditr_train.config.detection_config import DetectionConfig, DetectionTrainingConfig
from ditr_train.config.documents import read_configuration, with_set
from ditr_train.config.training_config import (
    DistillationConfig,
    EncoderTrainingConfig,
    MaskedTokenConfig,
    RegionDistillationConfig,
    TokensConfig,
    TrainingConfig,
)
from ditr_train.config.views_config import ViewsConfig
from ditr_train.config.vit_architecture import VIT_ARCHITECTURES

TIMM = "timm:"
"""What the architecture of an image encoder begins with that the library timm makes."""
PretrainingName = Literal["distillation", "region_distillation", "masked_token_prediction"]
"""Trainings without labels, as a Config names their settings."""


@dataclass(frozen=True)
class SemanticClass:
    """A class that the model predicts."""

    id: int
    """Value of the label field of a point; 0 is kept for unlabeled points."""
    name: str
    color: tuple[int, int, int]


@dataclass(frozen=True)
class InjectionConfig:
    """DITR: image features that are added to the skip connections."""

    feature_dimension: int
    """Channels of the image encoder's patch features."""
    levels: tuple[int, ...]
    """Stages that get image features."""
    place: Literal["skip", "unpooling"] = "skip"
    """Added to a stage's encoder output before the decoder sees it, or, as in the code that DITR's authors released,
    to the sum of skip connection and coarse features that the decoder makes."""
    normalization: Literal["layer", "none", "batch"] = "layer"
    """What is done to the pooled image features before the linear layer of each level, or, "batch", to what the
    linear layer makes of them: the latter with the place "unpooling", the former with "skip"."""

    def __post_init__(self) -> None:
        allowed = ("batch",) if self.place == "unpooling" else ("layer", "none")
        require(
            self.normalization in allowed,
            f"injection.normalization: {self.normalization} is not {' or '.join(allowed)}, "
            f"which go with the place {self.place}",
        )


@dataclass(frozen=True)
class ImageEncoderConfig:
    """What makes features of camera images: our own small vision transformer, a published one, or a graph."""

    input_height: int
    input_width: int
    """Pixels; both multiples of patch_size."""
    mean: tuple[float, float, float]
    """Of RGB in 0..1."""
    std: tuple[float, float, float]
    architecture: str = "vit"
    """vit (our own), a name of VIT_ARCHITECTURES, timm:NAME for any vision transformer of that library, or onnx for
    any graph from an image to patch features."""
    patch_size: int = 0
    feature_dimension: int = 0
    depth: int = 0
    heads: int = 0
    """These four are those of the architecture if it is one of VIT_ARCHITECTURES, and may then be left out; the last
    two mean nothing with timm and onnx."""
    resize: Literal["stretch", "letterbox"] = "stretch"
    sampling: Literal["nearest", "bilinear"] = "nearest"
    """Does a voxel take the features of the patch it falls in, or of the four nearest patches?"""
    occlusion: bool = True
    """Does a point behind a nearer one get no features?"""

    @property
    def rows(self) -> int:
        """Patches from top to bottom."""
        return self.input_height // self.patch_size

    @property
    def columns(self) -> int:
        """Patches from left to right."""
        return self.input_width // self.patch_size

    def __post_init__(self) -> None:
        if self.architecture in VIT_ARCHITECTURES:
            self._take_sizes(self.architecture)
        given = self.architecture == "onnx" or self.architecture.startswith(TIMM)
        require(
            given or self.architecture == "vit" or self.architecture in VIT_ARCHITECTURES,
            f"architecture: {self.architecture!r} is not one of vit, onnx, {TIMM}NAME, {', '.join(VIT_ARCHITECTURES)}",
        )
        for name in ("patch_size", "feature_dimension", *(() if given else ("depth", "heads"))):
            require(getattr(self, name) > 0, f"{name}: {getattr(self, name)} is not above 0")
        if self.architecture == "vit":
            require(self.patch_size == 16, f"patch_size: {self.patch_size} is not 16, four halvings of the stem")
        for name in ("input_height", "input_width"):
            size = getattr(self, name)
            require(size > 0 and size % self.patch_size == 0, f"{name}: {size} is not a multiple of {self.patch_size}")
        require(
            given or self.feature_dimension % self.heads == 0,
            f"feature_dimension: {self.feature_dimension} does not divide into {self.heads} heads",
        )

    def _take_sizes(self, name: str) -> None:
        published = VIT_ARCHITECTURES[name]
        for field_name, size in (
            ("patch_size", published.patch_size),
            ("feature_dimension", published.channels),
            ("depth", published.depth),
            ("heads", published.heads),
        ):
            given = getattr(self, field_name)
            require(given in (0, size), f"{field_name}: {given} is not {size}, that of {name}")
            object.__setattr__(self, field_name, size)


@dataclass(frozen=True)
class CameraTopics:
    """One camera of the samples."""

    image: str
    """Topic of its images."""
    semantic: str = ""
    """Of a bag that is given directly, the mono8 images of class ids that belong to the images, for training the image
    encoder; empty: `semantic` beside the images."""
    regions: str = ""
    """The same of region ids (mono16 or mono8, 0: none), for pretraining; empty: `regions` beside the images."""

    @staticmethod
    def from_former(settings: dict[str, Any]) -> dict[str, Any]:
        """Without those of runs that were made when bags were read here: `ditr samples` decides about all that now."""
        return {name: value for name, value in settings.items() if name not in ("camera_info", "offset", "tolerance")}


@dataclass(frozen=True)
class TopicsConfig:
    """What is taken of sample folders, and of bags that are given directly (`ditr samples` reads those)."""

    cloud: str = ""
    """Of a bag: topic of the clouds; empty: the one that there is."""
    label_field: str = "ground_truth"
    """Of a bag: field of the clouds with class ids; 0 is not learned from."""
    cameras: tuple[CameraTopics, ...] = ()
    """Cameras that are used, in this order; empty: all. A point that several see takes the features of the one near
    whose centre it is."""


@dataclass(frozen=True)
class Config:
    """A model and its training."""

    name: str
    description: str
    classes: tuple[SemanticClass, ...]
    backbone: BackboneConfig
    training: TrainingConfig
    injection: InjectionConfig | None = None
    image_encoder: ImageEncoderConfig | None = None
    encoder_training: EncoderTrainingConfig | None = None
    distillation: DistillationConfig | None = None
    region_distillation: RegionDistillationConfig | None = None
    masked_token_prediction: MaskedTokenConfig | None = None
    tokens: TokensConfig = field(default_factory=TokensConfig)
    detection: DetectionConfig | None = None
    detection_training: DetectionTrainingConfig | None = None
    test_time: ViewsConfig | None = None
    topics: TopicsConfig = field(default_factory=TopicsConfig)
    unlabeled_id: int = 0
    licence: str = ""
    """One line on what the weights may be used for, shown wherever a bundle is used; empty: nothing restricts it."""

    def for_pretraining(self, name: PretrainingName) -> Config:
        """The configuration of a run of one pretraining: of the backbone alone, nothing is injected."""
        config = self.without_pretraining()
        config = dataclasses.replace(config, injection=None, encoder_training=None, **{name: getattr(self, name)})
        return config if name == "distillation" else dataclasses.replace(config, tokens=self.tokens)

    def without_pretraining(self) -> Config:
        """The configuration of a run that learns from labels of points."""
        return dataclasses.replace(self.for_detection(), detection=None, detection_training=None)

    def for_detection(self) -> Config:
        """The configuration of a run that learns from boxes."""
        return dataclasses.replace(
            self, distillation=None, region_distillation=None, masked_token_prediction=None, tokens=TokensConfig()
        )

    def __post_init__(self) -> None:
        ids = [entry.id for entry in self.classes]
        require(len(set(ids)) == len(ids), f"classes: an id is used twice in {ids}")
        require(
            self.unlabeled_id not in ids,
            f"classes: {self.unlabeled_id} is the id of unlabeled points, not of a class",
        )
        for name in ("training", *get_args(PretrainingName), "detection_training"):
            settings = getattr(self, name)
            if settings is not None:
                share = settings.fixed_statistics
                require(0 <= share < 1, f"{name}.fixed_statistics: {share} is not at least 0 and less than 1")
                decay = settings.average_decay
                require(0 <= decay < 1, f"{name}.average_decay: {decay} is not at least 0 and less than 1")
                require(
                    decay == 0 or settings.statistics_scans == 0,
                    f"{name}.average_decay: {decay} goes with statistics_scans 0, for the statistics are averaged too",
                )
                together, step = settings.scans_per_pass, settings.scans_per_step
                require(
                    together > 0 and step % together == 0,
                    f"{name}.scans_per_pass: {together} does not divide scans_per_step, {step}",
                )
                require(
                    together == 1 or name in ("training", "distillation"),
                    f"{name}.scans_per_pass: regions or boxes of several scans cannot go through the network together",
                )
        if self.detection is not None:
            last, stage = self.backbone.stage_count - 1, self.detection.stage
            require(0 <= stage <= last, f"detection.stage: {stage} is not a stage of 0..{last}")
        if self.masked_token_prediction is not None:
            ratio = self.masked_token_prediction.mask_ratio
            require(0 < ratio < 1, f"masked_token_prediction.mask_ratio: {ratio} is not between 0 and 1")
            channels, heads = (
                self.masked_token_prediction.predictor_channels,
                self.masked_token_prediction.predictor_heads,
            )
            require(
                heads > 0 and channels > 0 and channels % heads == 0,
                f"masked_token_prediction.predictor_channels: {channels} does not divide into {heads} heads",
            )
        if self.distillation is not None:
            scales = self.distillation.scales
            require(
                len(scales) > 0 and min(scales) > 0 and all(max(scales) % scale == 0 for scale in scales),
                f"distillation.scales: the largest of {list(scales)} is not a multiple of each",
            )
        if self.encoder_training is not None:
            least, largest = self.encoder_training.zoom
            require(0 < least <= largest <= 1, f"encoder_training.zoom: {least} to {largest} is no range within 0..1")
        if self.injection is not None:
            require(
                self.injection.place == "skip" or self.backbone.blocks == "transformer",
                f"injection.place: {self.injection.place} is not skip, which goes with residual blocks",
            )
            # Nothing is unpooled to the last stage.
            last = self.backbone.stage_count - (2 if self.injection.place == "unpooling" else 1)
            for level in self.injection.levels:
                require(0 <= level <= last, f"injection.levels: {level} is not a stage of 0..{last}")
            if self.image_encoder is not None:
                require(
                    self.injection.feature_dimension == self.image_encoder.feature_dimension,
                    f"injection.feature_dimension: {self.injection.feature_dimension} is not the "
                    f"image encoder's {self.image_encoder.feature_dimension}",
                )


def load_config(path: Path, settings: Sequence[str] = ()) -> Config:
    """Reads a configuration, its base included, with `settings` such as `training.steps=100` in place of the file's.

    Raises ConfigError with one sentence that names the file and the setting.
    """
    try:
        return config_from_document(read_configuration(path, settings))
    except (OSError, yaml.YAMLError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from error


def reconfigured(config: Config, settings: Sequence[str]) -> Config:
    """The configuration with `settings` such as `training.steps=100` in place of its own. Raises ConfigError."""
    return config_from_document(with_set(config_to_document(config), settings))


def config_from_document(document: Any) -> Config:
    """Builds a configuration from what YAML or JSON gives."""
    config = convert(document, Config, "config")
    assert isinstance(config, Config)
    return config


def config_to_document(config: Config) -> dict[str, Any]:
    """The opposite of config_from_document."""
    return dataclasses.asdict(config)
