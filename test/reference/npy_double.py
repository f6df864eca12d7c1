"""Doubles values.npy: shows that NumPy and src/report/npy.ts understand each other."""

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
(folder / "out").mkdir()
np.save(folder / "out" / "doubled.npy", np.load(folder / "values.npy") * 2)
