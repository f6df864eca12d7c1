"""How boxes are found on the tokens of a backbone, and how that is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ditr_train.config.conversion import require
from ditr_train.config.training_config import OptimizationConfig


@dataclass(frozen=True)
class DetectionClass:
    """A class of boxes."""

    name: str
    color: tuple[int, int, int]
    of: tuple[str, ...] = ()
    """What it is called in bags and data sets; empty: as here. Boxes of any other name are left out."""
    overlap: float = 0.5
    """Of more than this share, for KITTI's measure: 0.7 of cars, 0.5 of pedestrians and cyclists."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.of or (self.name,)


@dataclass(frozen=True)
class DetectionConfig:
    """Set prediction in the manner of 3DETR (Misra et al., ICCV 2021, arXiv 2109.08141)."""

    classes: tuple[DetectionClass, ...]
    stage: int
    """Of the encoder, whose voxels are the tokens."""
    queries: int = 256
    """At most; each becomes one box, or none."""
    query_choice: Literal["farthest", "scored"] = "farthest"
    """Which tokens are queries: by farthest point sampling, as in 3DETR, or those that a linear layer takes for parts
    of objects, as in GroupFree3D (Liu et al., ICCV 2021, arXiv 2104.00678, section 3.2)."""
    channels: int = 128
    layers: int = 3
    heads: int = 4
    feedforward_channels: int = 256
    dropout: float = 0.1
    wavelengths: tuple[float, float] = (1.0, 64.0)
    """Metres: the shortest and the longest of the Fourier features of positions."""
    angle_bins: int = 12
    """Parts of the circle; 1 for boxes that lie along the axes, as ScanNet's."""
    smallest_points: int = 1
    """Boxes with fewer measured points are neither learned nor have to be found."""
    score_threshold: float = 0.3
    """Of what the node publishes."""
    overlap_threshold: float = 0.25
    """Of two boxes of a class that overlap by more the better one is kept."""

    def __post_init__(self) -> None:
        require(len(self.classes) > 0, "detection.classes: at least one class is needed")
        names = [name for entry in self.classes for name in entry.names]
        twice = next((name for name in names if names.count(name) > 1), None)
        require(twice is None, f"detection.classes: boxes called {twice} are of two classes")
        for name in ("queries", "layers", "angle_bins", "heads", "channels"):
            require(getattr(self, name) > 0, f"detection.{name}: {getattr(self, name)} is not above 0")
        require(
            self.channels % (2 * self.heads) == 0,
            f"detection.channels: {self.channels} is not a multiple of twice the {self.heads} heads",
        )
        shortest, longest = self.wavelengths
        require(0 < shortest <= longest, f"detection.wavelengths: {shortest} to {longest} is no range above 0")
        for name in ("score_threshold", "overlap_threshold"):
            require(0 <= getattr(self, name) <= 1, f"detection.{name}: {getattr(self, name)} is not from 0 to 1")

    def index_of(self, name: str) -> int | None:
        """Index of the class of a box that a bag or data set calls so."""
        return next((index for index, entry in enumerate(self.classes) if name in entry.names), None)


@dataclass(frozen=True)
class DetectionTrainingConfig(OptimizationConfig):
    """Training of a detector from a segmentation network or a pretraining; the augmentation is that of the training."""

    backbone: Literal["tuned", "frozen"] = "tuned"
    """Frozen, the segmentation stays what it was, and boxes are found on what it has learned."""
    backbone_learning_rate_scale: float = 1.0
    """Learning rate of the backbone and the classifier over that of the detection."""
    segmentation_weight: float = 0.0
    """Of the segmentation's loss, on scans whose points have labels: what keeps a tuned backbone a segmentation."""
    match_class: float = 1.0
    match_center: float = 1.0
    match_overlap: float = 2.0
    """Costs of matching queries with boxes: minus the probability of the class, the L1 distance of the centres in
    metres, minus the generalized overlap."""
    no_object_weight: float = 0.2
    """Of queries without a box in the cross-entropy."""
    class_weight: float = 1.0
    center_weight: float = 1.0
    """Of the L1 distance of the centres in metres."""
    size_weight: float = 1.0
    """Of the L1 distance of the logarithms of the sizes."""
    angle_class_weight: float = 0.1
    angle_residual_weight: float = 0.5
    overlap_weight: float = 1.0
    """Of 1 minus the generalized overlap."""
    token_weight: float = 1.0
    """Of the loss of the scores that queries are chosen by, where they are."""
    evaluation_score: float = 0.05
    """Boxes with a lower score are not evaluated: conf_thresh of 3DETR's evaluation."""
