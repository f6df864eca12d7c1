"""Average precisions of boxes by Python's evaluation, and overlaps of all pairs of a scan's boxes."""

import json
import sys
from pathlib import Path

import numpy as np

from ditr_train.config.model_config import load_config
from ditr_train.data.boxes import Boxes
from ditr_train.evaluation.detection import average_precisions
from ditr_train.geometry.boxes import overlaps
from ditr_train.geometry.detections import Detections

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
config = load_config(Path(__file__).parent / "boxes.yaml", options["changes"])
found, there = np.load(folder / "found.npy"), np.load(folder / "there.npy")
# Rows: scan, class, score or points, then the box.
results = []
for scan in range(options["scans"]):
    ours, theirs = found[found[:, 0] == scan], there[there[:, 0] == scan]
    results.append(
        (
            Detections(ours[:, 3:].astype(np.float32), ours[:, 1].astype(np.int64), ours[:, 2].astype(np.float32)),
            Boxes(theirs[:, 3:], theirs[:, 1].astype(np.int64), theirs[:, 2].astype(np.int64)),
        )
    )
scores = average_precisions(results, config)
rows = [[row["boxes"], row["ap25"], row["ap50"]] for row in scores["classes"].values()]
(folder / "out").mkdir()
np.save(folder / "out" / "classes.npy", np.array(rows, np.float64))
np.save(folder / "out" / "means.npy", np.array([scores["ap25"], scores["ap50"]], np.float64))
np.save(folder / "out" / "overlaps.npy", overlaps(found[:, 3:], there[:, 3:]))
