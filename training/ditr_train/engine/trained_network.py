"""The networks of a finished run."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.engine.run_folder import RunFolder
from ditr_train.model.detector import Detector
from ditr_train.model.segmentor import Segmentor

_SEGMENTOR = "segmentor."


def load_segmentor(run: RunFolder, config: Config, *, best: bool = False) -> Segmentor:
    """The segmentation network of a run, that of a detector too. Raises ConfigError for a run without labels, DataError
    for one without weights."""
    weights = segmentor_weights(run.weights(best=best))
    if "head.weight" not in weights:
        raise ConfigError(
            f"{run.path} was trained without labels and knows no classes; fine-tune it first: "
            f"ditr-train train CONFIG --image-free --initialize {run.path}"
        )
    segmentor = Segmentor(config)
    segmentor.load_state_dict(weights)
    return segmentor.eval()


def load_detector(run: RunFolder, config: Config, *, best: bool = False) -> Detector:
    """Raises ConfigError for a run that detects nothing, DataError for one without weights."""
    if config.detection is None:
        raise ConfigError(f"{run.path} detects no boxes; ditr-train train-detection CONFIG --initialize {run.path}")
    detector = Detector(config)
    detector.load_state_dict(run.weights(best=best))
    return detector.eval()


def segmentor_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of the weights of a run those of its segmentation network; all, where it detects nothing."""
    own = {name.removeprefix(_SEGMENTOR): value for name, value in weights.items() if name.startswith(_SEGMENTOR)}
    return own or dict(weights)
