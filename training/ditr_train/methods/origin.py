"""The network that a training starts from: that of a run or of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from ditr_train.config.model_config import Config
from ditr_train.data.scans import LabeledScan
from ditr_train.engine.initialization import Initialization, initialize
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import segmentor_weights
from ditr_train.export.bundle_weights import read_image_free, unfold
from ditr_train.methods.frozen_encoder import is_bundle

_CALIBRATION_SCANS = 8


def initialize_from(
    network: nn.Module, origin: Path, scans: Sequence[LabeledScan], config: Config, *, keep_head: bool
) -> Initialization:
    """Copies the backbone of a run, or of the image-free graph of a bundle, and the classifier if it is to be kept and
    means the same classes. Some of `scans` set the normalizations that a bundle's exporter merged into linear layers.

    Raises ConfigError or DataError when there is none, or another than the configuration describes.
    """
    if not is_bundle(origin):
        run = RunFolder(origin)
        same = run.config().classes == config.classes
        weights = segmentor_weights(run.weights())
        return initialize(network, weights, origin=str(origin), keep_head=keep_head and same)
    bundled = read_image_free(origin, config)
    unfold(bundled, scans[:: max(1, len(scans) // _CALIBRATION_SCANS)][:_CALIBRATION_SCANS], config)
    return initialize(network, bundled.segmentor.state_dict(), origin=str(origin), keep_head=keep_head)
