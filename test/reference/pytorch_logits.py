"""Logits of the PyTorch network for graph inputs that TypeScript made."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from ditr_train.config.model_config import load_config
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.model.segmentor import Segmentor

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
config = load_config(Path(options["config"]))
weights = torch.load(Path(options["bundle"]) / "weights.pt")
segmentor, encoder = Segmentor(config).eval(), ImageEncoder(config.image_encoder).eval()
segmentor.load_state_dict(weights["segmentor"])
encoder.load_state_dict(weights["encoder"])
inputs = {file.stem: torch.from_numpy(np.load(file)) for file in folder.glob("*.npy")}
with torch.inference_mode():
    if "image" in inputs:
        inputs["image_features"] = encoder(inputs.pop("image")).flatten(0, 1)
    logits = segmentor(inputs)
(folder / "out").mkdir()
np.save(folder / "out" / "logits.npy", logits.numpy())
