"""What a model card says about how a network came to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ditr_train.config.model_config import Config
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.frozen_encoder import is_bundle
from ditr_train.methods.pretraining_description import describe_pretraining, is_pretrained


def describe_run(run: RunFolder, config: Config) -> dict[str, Any]:
    """Of the network of a run: its training, its data, its image encoder."""
    if run.has("origin.json"):  # weights that others published
        origin: dict[str, Any] = run.read_json("origin.json")
        return origin
    if is_pretrained(config):
        return describe_pretraining(run, config)
    settings = config.training if config.detection_training is None else config.detection_training
    description: dict[str, Any] = {
        "steps": settings.steps,
        "scans_per_step": settings.scans_per_step,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
    }
    if config.detection is not None and config.detection_training is not None:
        weight = config.detection_training.segmentation_weight
        kept = f"tuned, with {weight:g} times the loss of the segmentation" if weight else "tuned for boxes alone"
        description["boxes"] = (
            f"set prediction in the manner of 3DETR on the tokens of stage {config.detection.stage}; the backbone was "
            f"{'kept as it was' if config.detection_training.backbone == 'frozen' else kept}"
        )
    if config.injection is not None:
        image_drop = config.training.augmentation.image_drop
        description["modes"] = (
            "one set of weights serves both graphs: a voxel without image features takes exactly the image-free "
            f"path, and {image_drop:.0%} of the training scans are shown without images"
        )
    if run.has("data.json"):
        description["data"] = run.read_json("data.json")
    if run.has("encoder.json"):
        encoder = run.read_json("encoder.json")
        description["image_encoder"] = {"data": encoder["data"]}
        if encoder["scores"]:  # an encoder whose weights others published has none
            description["image_encoder"] |= {
                "validation_miou": encoder["scores"]["miou"],
                "validation_images": encoder["scores"]["images"],
            }
    return description


def describe_origin(origin: Path) -> Any:
    """Of the weights that another training starts from: those of a run, or a bundle by its name."""
    if is_bundle(origin):
        return origin.name
    run = RunFolder(origin)
    return describe_run(run, run.config())
