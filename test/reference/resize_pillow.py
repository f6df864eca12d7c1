"""Resizes as training does: Pillow's BILINEAR into the letterbox of ditr_train.geometry.projection."""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))

from ditr_train.geometry.projection import PatchGrid

folder = Path(sys.argv[1])
picture = np.load(folder / "picture.npy")
options = json.loads((folder / "options.json").read_text())
grid = PatchGrid(options["inputWidth"], options["inputHeight"], 14, options["resize"])
left, top, width, height = grid.placement(picture.shape[1], picture.shape[0])
result = np.zeros((3, grid.input_height, grid.input_width), dtype=np.float32)
resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
result[:, top : top + height, left : left + width] = np.asarray(resized).transpose(2, 0, 1)
(folder / "out").mkdir()
np.save(folder / "out" / "resized.npy", result)
