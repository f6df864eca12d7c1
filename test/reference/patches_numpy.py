"""voxel_patch and voxel_patch_weight from the NumPy implementation that training uses."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))

from ditr_train.geometry.projection import CameraView, PatchGrid, assign_patches

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
cameras = [
    CameraView(
        k=np.array([[c["fx"], c["skew"], c["cx"]], [0, c["fy"], c["cy"]], [0, 0, 1]], dtype=np.float64),
        d=tuple(c["coefficients"]),
        model=c["distortion"],
        width=c["width"],
        height=c["height"],
        lidar_to_camera=np.array(c["lidarToCamera"], dtype=np.float64).reshape(4, 4).T,
    )
    for c in options["cameras"]
]
patch, weight, seen = assign_patches(
    np.load(folder / "points.npy"),
    np.load(folder / "representative.npy"),
    cameras,
    PatchGrid(options["inputWidth"], options["inputHeight"], options["patchSize"], options["resize"]),
    options["sampling"],
    options["occlusion"],
)
(folder / "out").mkdir()
np.save(folder / "out" / "patch.npy", patch)
np.save(folder / "out" / "weight.npy", weight)
np.save(folder / "out" / "seen.npy", np.array([seen]))
