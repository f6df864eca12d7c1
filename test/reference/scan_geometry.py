"""Builds the tables of each cloud_<i>.npy with the geometry of the training package, as <i>.<table>.npy."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))
from ditr_train.geometry.pair_tables import pair_names, pair_tables
from ditr_train.geometry.scan_geometry import GeometryConfig, StageConfig, build_scan_geometry

folder = Path(sys.argv[1])
out = folder / "out"
out.mkdir()
for case, config in enumerate(json.loads((folder / "options.json").read_text())):
    scan = build_scan_geometry(
        np.load(folder / f"cloud_{case}.npy"),
        GeometryConfig(
            grid_size=config["gridSize"],
            point_range=config["pointRange"],
            orders=config["orders"],
            stem_kernel_size=config["stemKernelSize"],
            clamp=config.get("clamp", False),
            stages=[StageConfig(stage["convolution"], stage["patchSize"]) for stage in config["stages"]],
        ),
    )
    tables = {
        "point_to_voxel": scan.point_to_voxel,
        "representative": scan.representative,
        "stem_neighbors": scan.stem_neighbors,
    }
    for index, stage in enumerate(scan.stages):
        for name in ("coordinates", "neighbors", "order", "inverse", "parent", "children"):
            tables[f"{name}_{index}"] = getattr(stage, name)
    if config.get("pairs"):
        for name, table in list(tables.items()):
            if "neighbors" in name and table is not None:
                tables |= dict(zip(pair_names(name), vars(pair_tables(table)).values(), strict=True))
    for name, table in tables.items():
        if table is not None:
            np.save(out / f"{case}.{name}.npy", table)
