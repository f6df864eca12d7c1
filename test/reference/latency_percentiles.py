"""Count, mean, maximum and nearest-rank percentiles (options.json: percents) of durations.npy in NumPy."""

import json
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
percents = json.loads((folder / "options.json").read_text())["percents"]
durations = np.load(folder / "durations.npy")
(folder / "out").mkdir()
np.save(folder / "out" / "percentiles.npy", np.percentile(durations, percents, method="inverted_cdf"))
np.save(folder / "out" / "moments.npy", np.array([durations.size, durations.mean(), durations.max()]))
