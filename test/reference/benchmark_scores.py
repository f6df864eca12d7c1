"""Scores of label files by the definitions of two benchmarks' own evaluations, in plain NumPy.

options.json: format, truth and predictions (lists of files, pairwise), learning_map (raw id -> class, 0 = ignored).
- semantickitti (semantic-kitti-api, np_ioueval.py): the confusion matrix has predictions in rows and truth in columns,
  the column of class 0 is cleared, and the mean is over classes 1.. with 1e-15 added to the unions.
- nuscenes-lidarseg (nuscenes-devkit, eval/lidarseg/utils.py): truth in rows; row and column of class 0 are cleared, and
  the mean leaves out classes with an empty union.
Writes iou [classes - 1] (NaN = empty union) and miou.
"""

import json
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
is_kitti = options["format"] == "semantickitti"
table = np.full(65536, -1)
for raw, learned in options["learning_map"].items():
    table[int(raw)] = learned
classes = table.max() + 1

confusion = np.zeros((classes, classes), dtype=np.int64)
for truth_file, predicted_file in zip(options["truth"], options["predictions"], strict=True):
    if is_kitti:
        truth = table[np.fromfile(truth_file, dtype="<u4") & 0xFFFF]
        predicted = table[np.fromfile(predicted_file, dtype="<u4") & 0xFFFF]
    else:
        truth = table[np.fromfile(truth_file, dtype=np.uint8)]
        predicted = np.fromfile(predicted_file, dtype=np.uint8)
        assert predicted.min() > 0, "predictions must name a class"
    np.add.at(confusion, (predicted, truth), 1)

confusion[:, 0] = 0
if not is_kitti:
    confusion[0, :] = 0
hits = np.diag(confusion)
union = confusion.sum(axis=0) + confusion.sum(axis=1) - hits
with np.errstate(invalid="ignore"):
    iou = hits / union
miou = (hits[1:] / (union[1:] + 1e-15)).mean() if is_kitti else np.nanmean(iou[1:])

(folder / "out").mkdir()
np.save(folder / "out" / "iou.npy", iou[1:].astype(np.float64))
np.save(folder / "out" / "miou.npy", np.array([miou], dtype=np.float64))
