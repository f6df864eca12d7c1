"""Writes a bundle of random weights for the shipped street-tiny configuration, and the weights for PyTorch."""

import json
import sys
from pathlib import Path

import torch

from ditr_train.config.model_config import load_config
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.export.bundle import write_bundle
from ditr_train.model.segmentor import Segmentor

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
config = load_config(Path(options["config"]))
torch.manual_seed(options["seed"])
segmentor, encoder = Segmentor(config).eval(), ImageEncoder(config.image_encoder).eval()
# Fresh batch norms would be the identity and hide an error in their export.
for module in (*segmentor.modules(), *encoder.modules()):
    if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
        torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
        torch.nn.init.uniform_(module.running_var, 0.5, 2)
bundle = Path(options["bundle"])
write_bundle(bundle, config, image_free=segmentor, fused=segmentor, image_encoder=encoder, training={}, scores={})
torch.save({"segmentor": segmentor.state_dict(), "encoder": encoder.state_dict()}, bundle / "weights.pt")
