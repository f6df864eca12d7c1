"""Colour conversions and image files by OpenCV."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

folder = Path(sys.argv[1])
data = np.load(folder / "bytes.npy")
options = json.loads((folder / "options.json").read_text())
width, height = options["width"], options["height"]
packed = data[: height * width * 2].reshape(height, width, 2)
mosaic = data[: height * width].reshape(height, width)
results = {
    "uyvy": cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_UYVY),
    "yuyv": cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_YUYV),
    "nv21": cv2.cvtColor(data[: height * width * 3 // 2].reshape(-1, width), cv2.COLOR_YUV2RGB_NV21),
    "rggb": cv2.cvtColor(mosaic, cv2.COLOR_BayerRGGB2RGB),
    "bggr": cv2.cvtColor(mosaic, cv2.COLOR_BayerBGGR2RGB),
    "gbrg": cv2.cvtColor(mosaic, cv2.COLOR_BayerGBRG2RGB),
    "grbg": cv2.cvtColor(mosaic, cv2.COLOR_BayerGRBG2RGB),
}
smooth = cv2.resize(packed[:6, :9, [0, 1, 0]].copy(), (width, height), interpolation=cv2.INTER_CUBIC)
for name in ("jpeg", "png", "tiff", "webp"):
    file = cv2.imencode("." + name, smooth)[1]
    results[name] = file
    results[name + "_rgb"] = cv2.cvtColor(cv2.imdecode(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
(folder / "out").mkdir()
for name, array in results.items():
    np.save(folder / "out" / f"{name}.npy", array)
