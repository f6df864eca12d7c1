"""The segmentation network of a finished run."""

from __future__ import annotations

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.engine.run_folder import RunFolder
from ditr_train.model.segmentor import Segmentor


def load_segmentor(run: RunFolder, config: Config, *, best: bool = False) -> Segmentor:
    """Raises ConfigError for a run without labels, DataError for one without weights."""
    weights = run.weights(best=best)
    if "head.weight" not in weights:
        raise ConfigError(
            f"{run.path} was trained without labels and knows no classes; fine-tune it first: "
            f"ditr-train train CONFIG --image-free --initialize {run.path}"
        )
    segmentor = Segmentor(config)
    segmentor.load_state_dict(weights)
    return segmentor.eval()
