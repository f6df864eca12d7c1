"""Folders of the layout and the size of SemanticKITTI and nuScenes, to estimate trainings without the data sets.

    python training/scripts/stand_in_data.py semantic-kitti FOLDER
    python training/scripts/stand_in_data.py nuscenes FOLDER

Eight scans, ray-cast as in benchmark.py with the sensor's beams, stand for all, and one image of noise for all images:
the same number of scans, points and pixels to read, nothing to learn.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from benchmark import CONFIGS, street_scan
from PIL import Image

from ditr_train.config.model_config import load_config
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.nuscenes import NUSCENES
from ditr_train.data.scans import LabeledScan
from ditr_train.data.semantic_kitti import SEMANTIC_KITTI

_SCANS = 8
_KITTI = (4541, 1101, 4661, 801, 271, 2761, 1101, 1101, 4071, 1591, 1201)
"""Scans of the sequences 00 to 10 (semantic-kitti.org)."""
_NUSCENES = {"scene-0001": 28_130, "scene-0003": 6_019}
"""A scene of the training split and one of the validation split, with all key frames of each."""
_CAMERAS = ("CAM_FRONT", "CAM_FRONT_LEFT", "CAM_BACK_LEFT", "CAM_BACK", "CAM_BACK_RIGHT", "CAM_FRONT_RIGHT")
_WIDTH, _HEIGHT, _FOCAL = 1600, 900, 1266.0


def semantic_kitti(folder: Path) -> None:
    """Scans of 64 beams, about 120,000 points; links for all but the first ones."""
    config = load_config(CONFIGS / "ptv3-semantic-kitti.yaml")
    scans = [street_scan(config, 64, 2200, seed) for seed in range(_SCANS)]
    for index, scan in enumerate(scans):
        points = np.stack([scan.fields[name] for name in ("x", "y", "z", "intensity")], axis=1)
        _write(folder / "scans" / f"{index}.bin", points.astype("<f4"))
        _write(folder / "scans" / f"{index}.label", _raw_ids(scan, SEMANTIC_KITTI).astype("<u4"))
    for sequence, count in enumerate(_KITTI):
        place = folder / "sequences" / f"{sequence:02}"
        for kind, ending in (("velodyne", "bin"), ("labels", "label")):
            (place / kind).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                target = Path("../../../scans") / f"{number % _SCANS}.{ending}"
                (place / kind / f"{number:06}.{ending}").symlink_to(target)


def nuscenes(folder: Path) -> None:
    """Scans of 32 beams, about 34,000 points, and six cameras; the tables name the same files again and again."""
    config = load_config(CONFIGS / "ptv3-nuscenes.yaml")
    for index in range(_SCANS):
        scan = street_scan(config, 32, 1084, index)
        columns = [scan.fields["x"], scan.fields["y"], scan.fields["z"], 255 * scan.fields["intensity"]]
        points = np.stack([*columns, np.zeros_like(columns[0])], axis=1)
        _write(folder / "samples" / "LIDAR_TOP" / f"{index}.pcd.bin", points.astype("<f4"))
        _write(folder / "lidarseg" / f"{index}_lidarseg.bin", _raw_ids(scan, NUSCENES).astype("u1"))
    noise = np.random.default_rng(0).integers(0, 256, (_HEIGHT // 20, _WIDTH // 20, 3), dtype=np.uint8)
    (folder / "samples" / "CAM").mkdir(parents=True)
    Image.fromarray(noise).resize((_WIDTH, _HEIGHT)).save(folder / "samples" / "CAM" / "0.jpg")
    identity = {"translation": [0.0, 0.0, 0.0], "rotation": [1.0, 0.0, 0.0, 0.0]}
    tables: dict[str, list[dict[str, object]]] = {
        "scene": [{"token": scene, "name": scene} for scene in _NUSCENES],
        "sensor": [{"token": "LIDAR_TOP", "channel": "LIDAR_TOP", "modality": "lidar"}],
        "calibrated_sensor": [{"token": "LIDAR_TOP", "sensor_token": "LIDAR_TOP", "camera_intrinsic": [], **identity}],
        "ego_pose": [{"token": "still", **identity}],
        "sample": [],
        "sample_data": [],
        "lidarseg": [],
    }
    for number, camera in enumerate(_CAMERAS):
        tables["sensor"].append({"token": camera, "channel": camera, "modality": "camera"})
        # Optical axis (z) turned about the LiDAR's z by 60 degrees from camera to camera; x right, y down.
        half = np.pi / 4 - np.pi * number / 6
        rotation = np.array([np.cos(half), -np.cos(half), np.sin(half), -np.sin(half)]) / np.sqrt(2)
        k = [[_FOCAL, 0, _WIDTH / 2], [0, _FOCAL, _HEIGHT / 2], [0, 0, 1]]
        entry = {"token": camera, "sensor_token": camera, "camera_intrinsic": k, "translation": [0.0, 0.0, 0.0]}
        tables["calibrated_sensor"].append(entry | {"rotation": rotation.tolist()})
    for scene, count in _NUSCENES.items():
        for number in range(count):
            sample, index = f"{scene}/{number}", number % _SCANS
            tables["sample"].append({"token": sample, "scene_token": scene})
            for sensor in ("LIDAR_TOP", *_CAMERAS):
                lidar = sensor == "LIDAR_TOP"
                tables["sample_data"].append(
                    {
                        "token": f"{sample}/{sensor}",
                        "sample_token": sample,
                        "ego_pose_token": "still",
                        "calibrated_sensor_token": sensor,
                        "timestamp": 500_000 * number,
                        "is_key_frame": True,
                        "filename": f"samples/LIDAR_TOP/{index}.pcd.bin" if lidar else "samples/CAM/0.jpg",
                        "width": 0 if lidar else _WIDTH,
                        "height": 0 if lidar else _HEIGHT,
                    }
                )
            label = {"sample_data_token": f"{sample}/LIDAR_TOP", "filename": f"lidarseg/{index}_lidarseg.bin"}
            tables["lidarseg"].append(label)
    (folder / "v1.0-trainval").mkdir()
    for name, rows in tables.items():
        (folder / "v1.0-trainval" / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")


def _raw_ids(scan: LabeledScan, learning_map: LearningMap) -> np.ndarray:
    """The smallest raw id of each point's class."""
    smallest = {learning_map.raw[raw]: raw for raw in sorted(learning_map.raw, reverse=True)}
    return np.array([smallest[1 + index] for index in range(len(learning_map.classes))])[scan.label]


def _write(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(values.tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_set", choices=("semantic-kitti", "nuscenes"))
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    (semantic_kitti if options.data_set == "semantic-kitti" else nuscenes)(options.folder)


if __name__ == "__main__":
    main()
