"""Configurations small enough for seconds of training."""

import json

import yaml
from conftest import make_config, replace

from ditr_train.config.model_config import config_to_document
from ditr_train.config.training_config import DistillationConfig


def write_config(path, network=None, **training):
    """A configuration small enough for seconds of training, with `network` in place of make_config's where given."""
    document = config_to_document(network or make_config())
    document["image_encoder"] |= {"input_height": 64, "input_width": 96}
    loop = {"steps": 20, "scans_per_step": 1, "learning_rate": 0.01, "evaluate_every": 8}
    document["distillation"] = loop | {"clusters": 8}
    document["training"] |= loop | training
    document["training"]["augmentation"] |= {"rotation": 0.2, "flip": 0.0}
    path.write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    return path


def distillable(config):
    return replace(config, distillation=DistillationConfig(steps=1, scans_per_step=1, learning_rate=1e-3, clusters=8))
