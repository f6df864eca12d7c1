"""How networks are trained: the parts of a configuration that change weights, not graphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ditr_train.config.conversion import require

StepPrecision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class AugmentationConfig:
    """What is done to a cloud before the network sees it; projection into images is computed before it."""

    center: bool = False
    """Does the middle of the cloud's box in x and y, and its lowest point, become the origin first, so that it turns
    about its middle and mixed clouds lie on each other? (Pointcept's CenterShift, for rooms.)"""
    rotation: float = 3.14159265
    """Largest turn about z, in radians, either way."""
    scale: tuple[float, float] = (0.9, 1.1)
    flip: float = 0.5
    """Probability of mirroring x, and of mirroring y."""
    jitter: float = 0.005
    """Standard deviation of noise on each coordinate in metres, cut off at four of them."""
    drop: float = 0.1
    """Largest share of the points that is left out."""
    sector: float = 6.2831853
    """Angle about z, in radians, of the sector of a scan that is kept; where images are used it points to
    what they show. Training on sectors sees more scans in the same time."""
    image_drop: float = 0.0
    """Probability that a scan is shown without its images."""
    image_flip: float = 0.0
    """Probability that a camera image is mirrored before it is encoded; its features are mirrored back, so that points
    take those of what they saw. As for colours, the image encoder then computes anew for each scan that is shown."""
    image_brightness: float = 0.0
    image_contrast: float = 0.0
    image_saturation: float = 0.0
    """How far the factor of each is from 1 at most, either way, for a camera image on its own (ColorJitter)."""
    image_hue: float = 0.0
    """Largest shift of the hues of an image, either way, as a share of the circle of colours; at most 0.5."""
    beam_drop: float = 0.0
    """Probability that only stripes of a scan's elevations are kept, as a sensor with fewer beams sees."""
    intensity_drop: float = 0.0
    """Probability that all intensities of a scan are 0."""
    intensity_power: float = 1.0
    """Largest power and factor of a scan's intensities, which also may be as far below 1; 1 leaves them."""
    lift: float = 0.0
    """Largest change of the sensor's height in metres, either way."""
    mix: float = 0.0
    """Probability that a scan is shown together with another one of the training set, each augmented on its own, as
    one cloud (Nekrasov et al., Mix3D, 3DV 2021): what things are is then told less by what surrounds them. The pass
    takes that much longer. Trainings on regions of images leave it out."""
    shuffle_orders: bool = False
    """Do the orders change places, in each stage for itself, so that no block gets used to one curve? (`shuffle_orders`
    of PTv3, arXiv 2312.10035, section 4.1; there at run time too, here not.)"""
    random_point: bool = False
    """Does a voxel show a random one of its points rather than the first in scan order, which it shows at run time?
    (Pointcept's GridSample.)"""

    def __post_init__(self) -> None:
        for name, most in (
            ("mix", 1),
            ("image_flip", 1),
            ("image_brightness", 1),
            ("image_contrast", 1),
            ("image_saturation", 1),
            ("image_hue", 0.5),
        ):
            value = getattr(self, name)
            require(0 <= value <= most, f"augmentation.{name}: {value} is not from 0 to {most}")

    @property
    def varies_images(self) -> bool:
        """Are images themselves changed?"""
        colours = self.image_brightness, self.image_contrast, self.image_saturation, self.image_hue
        return self.image_flip > 0 or max(colours) > 0


@dataclass(frozen=True)
class OptimizationConfig:
    """AdamW on a one-cycle schedule."""

    steps: int
    """Optimizer steps."""
    scans_per_step: int
    """Scans whose gradients are added up for one step."""
    learning_rate: float
    scans_per_pass: int = 1
    """Scans of a step that go through the network together, so that batch normalization and loss see them as one;
    attention and convolution stay within a scan. It divides scans_per_step."""
    weight_decay: float = 0.005
    warm_up: float = 0.05
    """Share of the steps in which the learning rate rises."""
    block_learning_rate_scale: float = 1.0
    """Learning rate of the blocks (attention, convolution, MLP) over that of stem, pooling, unpooling, injection and
    heads; 0.1 in Pointcept's `param_dicts` of PTv3 and LitePT."""
    final_learning_rate_scale: float = 0.001
    """What is left of the learning rate after the last step: 1 / (div_factor * final_div_factor) of OneCycleLR."""
    gradient_clip: float = 5.0
    """Largest norm of the gradient; 0: any."""
    seed: int = 0
    evaluate_every: int = 500
    """Steps between evaluations and checkpoints."""
    evaluate_scans: int = 0
    """Validation scans, evenly chosen and always the same, of the evaluations on the way; 0: all, as at the end."""
    average_decay: float = 0.0
    """Weight of what was in the moving average of the weights, which is then what is evaluated and exported, such as
    0.999; 0: there is none. It is no other way to take the statistics, so statistics_scans goes without it."""
    statistics_scans: int = 0
    """Scans, augmented as in training, that the statistics of batch normalization are taken anew from after the last
    step. The moving averages of training are about its last few scans: where these differ, as simulated and real ones
    do, a network is scored by chance (Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021). 0 leaves them."""
    fixed_statistics: float = 0.0
    """Share of the steps, the last ones, before which the statistics are taken instead and in which they are constants,
    as at run time. Before them each scan is normalized with its own statistics, which tell the network what street
    it is in; a network that relies on that is wrong wherever it runs."""
    recompute: bool = False
    """Are the blocks of the network computed anew in the backward pass (activation checkpointing)? A step takes longer
    and keeps less; the weights end the same."""
    precision: StepPrecision = "float32"
    """What the matrix products of a step are computed in. Weights and losses stay float32; with float16 the loss is
    scaled, so that small gradients do not vanish, and a step in which one overflows is left out."""

    @staticmethod
    def from_former(settings: dict[str, Any]) -> dict[str, Any]:
        """`autocast: true` of earlier configurations and runs is bfloat16."""
        if "autocast" not in settings:
            return settings
        kept = {name: value for name, value in settings.items() if name != "autocast"}
        return {"precision": "bfloat16", **kept} if settings["autocast"] else kept


@dataclass(frozen=True)
class TrainingConfig(OptimizationConfig):
    """Supervised training on labelled scans."""

    lovasz_weight: float = 1.0
    class_weight_power: float = 0.0
    """Cross-entropy weight of a class is its share of the points to minus this power."""
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


@dataclass(frozen=True)
class DistillationConfig(OptimizationConfig):
    """D-DITR: the 3D network learns to predict image features, on scans without labels. The augmentation is
    that of the training."""

    target: Literal["clusters", "cosine"] = "clusters"
    """What is predicted of a visible voxel: which cluster its image feature belongs to, or the feature, with the cosine
    as loss as in the paper (docs/distill-your-robot.md compares them)."""
    clusters: int = 64
    cluster_weight_power: float = 0.25
    """Weight in the loss of a voxel whose feature belongs to a cluster is the cluster's share of the visible points to
    minus this power. 0: all voxels count the same, as in the paper."""
    scales: tuple[int, ...] = (1,)
    """The image encoder sees each image whole at scale 1, and in s x s enlarged tiles at scale s; what is learned are
    the features of all scales. The largest is a multiple of each. At run time none of it is needed."""
    sector: float | None = None
    """Instead of that of the augmentation: points that no camera sees cost time and teach nothing."""


@dataclass(frozen=True)
class TokensConfig:
    """What of a scan is a token in SAM-guided masked token prediction (arXiv 2410.12158)."""

    kind: Literal["regions", "knn"] = "regions"
    """Regions of images and, of what these leave over, clusters; or nearest neighbours, as in older methods."""
    merge_iou: float = 0.5
    """Regions of two images are one token if they have at least this share (intersection over union) of their points
    in common, of the points that both images see, ..."""
    merge_points: int = 8
    """... and these are at least so many."""
    cluster_cell: float = 0.5
    """Edge in metres of the cells that make a cluster where they touch."""
    cluster_block: float = 4.0
    """Edge in metres of the cubes that no cluster reaches beyond."""
    knn_centers: int = 384
    """Tokens of nearest neighbours, and ..."""
    knn_voxels: int = 256
    """... the voxels of each at most."""

    def __post_init__(self) -> None:
        require(0 < self.merge_iou <= 1, f"tokens.merge_iou: {self.merge_iou} is not above 0 and at most 1")
        for name in ("merge_points", "cluster_cell", "knn_centers", "knn_voxels"):
            require(getattr(self, name) > 0, f"tokens.{name}: {getattr(self, name)} is not above 0")
        require(
            self.cluster_block >= self.cluster_cell,
            f"tokens.cluster_block: {self.cluster_block} is below cluster_cell, {self.cluster_cell}",
        )


@dataclass(frozen=True)
class RegionDistillationConfig(OptimizationConfig):
    """Stage 1 of SAM-guided masked token prediction (arXiv 2410.12158): tokens of image regions learn the regions'
    image features, on scans without labels. The augmentation is that of the training."""

    loss: Literal["smooth-l1", "cosine"] = "smooth-l1"
    """Between predicted and true features, standardized by channel; smooth L1 as in the code of the authors'
    earlier Bridge3D (docs/pretrain-with-regions.md)."""
    groups: int = 32
    """Groups of alike regions, found by k-means on their image features."""
    group_weight_power: float = 1.0
    """Weight of a region in the loss is the share of its group among the regions to minus this power: with 1 all
    groups count the same, with 0 all regions."""
    dense_weight: float = 1.0
    """Weight of the loss of single voxels that a camera sees, which learn the features of the image patches that they
    fall in; 0: regions alone."""
    smallest_region: int = 4
    """Regions of fewer voxels of a scan are left out."""
    sector: float | None = None
    """Instead of that of the augmentation: points that no camera sees cost time and teach nothing."""


@dataclass(frozen=True)
class MaskedTokenConfig(OptimizationConfig):
    """Stage 2: a student that does not see most of the regions predicts what the frozen network of stage 1, which
    sees all, says of them. Of a hidden region it knows the position alone."""

    predictor_channels: int = 96
    predictor_depth: int = 2
    predictor_heads: int = 4
    """Of the transformer that predicts hidden regions from the visible ones; it is not needed afterwards."""
    mask_ratio: float = 0.6
    """Share of the regions of a scan that the student does not see."""
    scene_weight: float = 1.0
    """Weight of the loss of the mean token of the scene beside that of the hidden tokens."""
    student: Literal["teacher", "fresh"] = "teacher"
    """Does the student start from the teacher's backbone, or from random weights?"""
    loss: Literal["smooth-l1", "cosine"] = "smooth-l1"
    groups: int = 32
    """Groups of alike tokens, each of which counts the same in the score; the loss has no weights."""
    smallest_region: int = 4
    sector: float | None = None


@dataclass(frozen=True)
class EncoderTrainingConfig:
    """Supervised training of the image encoder on labelled images."""

    steps: int
    images_per_step: int
    learning_rate: float
    weight_decay: float = 0.05
    warm_up: float = 0.1
    class_weight_power: float = 0.0
    """Cross-entropy weight of a class is its share of the cells to minus this power."""
    head: Literal["linear", "cosine"] = "linear"
    """Logits of a linear layer, or cosines to the classes: features for the cosine of a distillation."""
    zoom: tuple[float, float] = (0.6, 1.0)
    """Least and largest share of an image's width and height that is shown, enlarged to the encoder's input."""
    seed: int = 0
    evaluate_every: int = 500
