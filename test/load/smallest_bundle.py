"""`smallest_bundle.py FOLDER` writes a bundle of the smallest model there is, for loads that measure all but inference.

Random weights over voxels of a metre; its labels mean nothing.
"""

import sys
from pathlib import Path

import torch
import yaml

from ditr_train.config.model_config import load_config
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.export.bundle import write_bundle
from ditr_train.model.segmentor import Segmentor

CONFIGS = Path(__file__).parents[2] / "training" / "configs"

folder = Path(sys.argv[1])
document = yaml.safe_load((CONFIGS / "street-tiny.yaml").read_text())
document["name"] = "smallest"
document["description"] = "Random weights, coarse voxels and few channels; labels mean nothing"
document["classes"] = str(CONFIGS / document["classes"])
document["backbone"] |= {
    "grid_size": 1.0,
    "patch_size": 64,
    "encoder": {
        "depths": [1, 1],
        "channels": [12, 12],
        "heads": [1, 1],
        "convolution": [True, False],
        "attention": [False, True],
    },
    "decoder": {"channels": [12]},
}
document["injection"] |= {"feature_dimension": 12, "levels": [0]}
document["image_encoder"] |= {"input_height": 64, "input_width": 128, "feature_dimension": 12, "depth": 1, "heads": 1}
folder.mkdir(parents=True, exist_ok=True)
file = folder / "smallest.yaml"
file.write_text(yaml.safe_dump(document))
config = load_config(file)
torch.manual_seed(1)
segmentor, encoder = Segmentor(config).eval(), ImageEncoder(config.image_encoder).eval()
write_bundle(folder, config, image_free=segmentor, fused=segmentor, image_encoder=encoder, training={}, scores={})
