"""Reads clouds that TypeScript wrote with rosbags and NumPy structured arrays.

In: `cloud_<k>.npy` and `labelled_<k>.npy` (CDR of PointCloud2, the second with fields appended),
`kept_<k>.npy` (the second filtered) and `keep_<k>.npy`. Asserts that the appended and the filtered clouds
hold the input's points. Out: per cloud `xyz_<k>` float32 [N, 3] and each field as `<name>_<k>` float64 [N].
"""

import sys
from pathlib import Path

import numpy as np
from rosbags.typesys import Stores, get_typestore

folder = Path(sys.argv[1])
store = get_typestore(Stores.ROS2_HUMBLE)
FORMATS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def read(path: Path) -> tuple[object, np.ndarray, np.ndarray]:
    """The message, its points as a structured array [N] and their bytes [N, point_step]."""
    cloud = store.deserialize_cdr(np.load(path).tobytes(), "sensor_msgs/msg/PointCloud2")
    rows = cloud.data.reshape(cloud.height, cloud.row_step)[:, : cloud.width * cloud.point_step]
    points = np.ascontiguousarray(rows).reshape(-1, cloud.point_step)
    order = ">" if cloud.is_bigendian else "<"
    dtype = np.dtype(
        {
            "names": [field.name for field in cloud.fields],
            "formats": [order + FORMATS[field.datatype] for field in cloud.fields],
            "offsets": [field.offset for field in cloud.fields],
            "itemsize": cloud.point_step,
        }
    )
    return cloud, points.view(dtype).reshape(-1), points


(folder / "out").mkdir()
for path in sorted(folder.glob("cloud_*.npy")):
    k = path.stem.split("_")[1]
    cloud, _, points = read(path)
    labelled, columns, labelled_points = read(folder / f"labelled_{k}.npy")
    kept, _, kept_points = read(folder / f"kept_{k}.npy")
    keep = np.load(folder / f"keep_{k}.npy") != 0
    assert (labelled.height, labelled.width) == (cloud.height, cloud.width)
    assert labelled.header == cloud.header and kept.header == cloud.header
    assert np.array_equal(labelled_points[:, : cloud.point_step], points)
    assert (kept.height, kept.width) == (1, np.count_nonzero(keep))
    assert np.array_equal(kept_points, labelled_points[keep])
    xyz = np.stack([columns[name] for name in "xyz"], axis=1).astype("<f4")
    np.save(folder / "out" / f"xyz_{k}.npy", xyz)
    for name in columns.dtype.names:
        np.save(folder / "out" / f"{name}_{k}.npy", columns[name].astype("<f8"))
