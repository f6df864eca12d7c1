"""What a card says of weights that were pretrained without labels."""

from __future__ import annotations

from typing import Any

from ditr_train.config.model_config import Config
from ditr_train.config.training_config import DistillationConfig, OptimizationConfig
from ditr_train.engine.run_folder import RunFolder


def is_pretrained(config: Config) -> bool:
    """Is it the configuration of a run without labels?"""
    return _settings(config) is not None


def describe_pretraining(run: RunFolder, config: Config) -> dict[str, Any]:
    """Of a run for whose configuration `is_pretrained` holds."""
    settings = _settings(config)
    assert settings is not None
    description: dict[str, Any] = _what(config) | {
        "steps": settings.steps,
        "scans_per_step": settings.scans_per_step,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
    }
    if run.has("data.json"):
        description["data"] = run.read_json("data.json")
    if run.has("scores.json"):
        description["scores"] = run.read_json("scores.json")
    return description


def _settings(config: Config) -> OptimizationConfig | None:
    return config.distillation or config.region_distillation or config.masked_token_prediction


def _what(config: Config) -> dict[str, str]:
    if config.distillation is not None:
        return {
            "kind": "distillation of image features (D-DITR), without labels",
            "target": _target(config.distillation),
        }
    if config.region_distillation is not None:
        return {
            "kind": "stage 1 of SAM-guided masked token prediction, without labels",
            "target": "image features of image regions",
        }
    assert config.masked_token_prediction is not None
    share = f"{config.masked_token_prediction.mask_ratio:.0%}"
    return {
        "kind": "stage 2 of SAM-guided masked token prediction, without labels",
        "target": f"tokens of {share} of the image regions, hidden, as the network of stage 1 sees them",
    }


def _target(settings: DistillationConfig) -> str:
    seen = "" if settings.scales == (1,) else f" at scales {', '.join(map(str, settings.scales))} of an image"
    if settings.target == "clusters":
        return f"{settings.clusters} clusters of image features{seen}"
    power = settings.cluster_weight_power
    weights = f", voxels weighed by the share of their kind to the power of {-power:g}" if power else ""
    return f"image features{seen}, cosine similarity{weights}"
