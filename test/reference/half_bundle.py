"""Converts a bundle to float16, with weights of more than `largest_file` bytes beside their graphs."""

import json
import sys
from pathlib import Path

from ditr_train.export import graph_file
from ditr_train.export.bundle import convert_bundle

options = json.loads((Path(sys.argv[1]) / "options.json").read_text())
graph_file.LARGEST_FILE = options["largest_file"]
convert_bundle(Path(options["bundle"]), Path(options["half"]), "float16")
