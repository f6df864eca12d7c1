"""Segmentation scores in plain NumPy, with the definitions of scikit-learn and of SemanticKITTI's np_ioueval.py.

predicted.npy, truth.npy: label ids; options.json: classes (count), truth_map and predicted_map (id -> class index,
-1 = ignored). Writes counts, iou, precision, recall (NaN = nothing to divide by), and means
[mIoU present, mIoU all, mean accuracy, overall accuracy].
"""

import json
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
classes = options["classes"]


def class_indexes(name):
    ids = np.load(folder / f"{name}.npy").astype(np.int64)
    table = {int(key): value for key, value in options[f"{name}_map"].items()}
    return np.array([table[i] for i in ids.tolist()], dtype=np.int64)


truth, predicted = class_indexes("truth"), class_indexes("predicted")
kept = truth >= 0
truth, predicted = truth[kept], predicted[kept]

counts = np.zeros((classes, classes + 1))
np.add.at(counts, (truth, np.where(predicted < 0, classes, predicted)), 1)

with np.errstate(invalid="ignore"):
    per_class = np.arange(classes)[:, None]
    is_truth, is_predicted = truth[None] == per_class, predicted[None] == per_class
    hits = (is_truth & is_predicted).sum(axis=1)
    iou = hits / (is_truth | is_predicted).sum(axis=1)
    precision = hits / is_predicted.sum(axis=1)
    recall = hits / is_truth.sum(axis=1)
    means = [np.nanmean(iou), (hits / ((is_truth | is_predicted).sum(axis=1) + 1e-15)).mean()]
    means += [np.nanmean(recall), (truth == predicted).mean()]

(folder / "out").mkdir()
for name, array in {"iou": iou, "precision": precision, "recall": recall, "means": means}.items():
    np.save(folder / "out" / f"{name}.npy", np.asarray(array, dtype=np.float64))
np.save(folder / "out" / "counts.npy", counts)
