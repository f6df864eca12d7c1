"""Small data sets in the layouts in which SemanticKITTI, nuScenes and ScanNet are published."""

import io
import json
import struct

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

WIDTH, HEIGHT = 48, 32
"""Of camera images."""


def image_bytes(format_, rng):
    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format_)
    return stream.getvalue()


def write_floats(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows))


def street_points(rng, count):
    """x, y, z around a sensor, and a fourth number 0..1."""
    return np.column_stack([rng.uniform(-12, 12, (count, 2)), rng.uniform(-2, 2, count), rng.uniform(0, 1, count)])


KITTI_RAW_IDS = (0, 10, 40, 252, 259, 81)
KITTI_CLASS_IDS = (0, 1, 9, 1, 5, 19)
K = np.array([[40.0, 0, 23.5], [0, 40.0, 15.5], [0, 0, 1]])


def write_semantic_kitti(folder, sequences, *, images=True, seed=0):
    """`sequences`: number of scans by sequence. Returns points [N, 4] and positions in KITTI_RAW_IDS [N] of each.

    The camera is 0.3 m left of and 0.1 m above the LiDAR, looks along x, and is 0.06 m from the reference camera.
    """
    rng = np.random.default_rng(seed)
    truth = {}
    for sequence, scans in sequences.items():
        place = folder / "sequences" / sequence
        for scan in range(scans):
            points = street_points(rng, 60 + scan).astype(np.float32)
            kinds = rng.integers(0, len(KITTI_RAW_IDS), len(points))
            write_floats(place / "velodyne" / f"{scan:06}.bin", points)
            (place / "labels").mkdir(exist_ok=True)
            instances = rng.integers(0, 1000, len(points))
            words = [instance << 16 | KITTI_RAW_IDS[kind] for instance, kind in zip(instances, kinds, strict=True)]
            (place / "labels" / f"{scan:06}.label").write_bytes(struct.pack(f"<{len(words)}I", *words))
            if images:
                (place / "image_2").mkdir(exist_ok=True)
                (place / "image_2" / f"{scan:06}.png").write_bytes(image_bytes("PNG", rng))
            truth[sequence, scan] = points, kinds
        (place / "times.txt").write_text("".join(f"{0.1037 * scan:.6e}\n" for scan in range(scans)))
        # x right, y down, z forward of the reference camera; 40 * 0.06 = 2.4 pixels of depth 1 to the left.
        (place / "calib.txt").write_text(
            "P0: 40 0 23.5 0 0 40 15.5 0 0 0 1 0\n"
            "P2: 40 0 23.5 2.4 0 40 15.5 0 0 0 1 0\n"
            "Tr: 0 -1 0 0.24 0 0 -1 0.1 1 0 0 0\n"
        )
    return truth


NUSCENES_TABLES = ("scene", "sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor", "lidarseg")
NUSCENES_CAMERAS = ("CAM_FRONT", "CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT")


def write_nuscenes(folder, scenes, *, version="v1.0-mini", labels=True, seed=0):
    """`scenes`: number of key frames by name. Returns what was recorded, by (scene, key frame).

    The vehicle drives and turns between the times of the sensors; there is a LiDAR sweep that is no key frame.
    """
    rng = np.random.default_rng(seed)
    tables = {name: [] for name in NUSCENES_TABLES}
    sensors = {}
    for number, channel in enumerate(("LIDAR_TOP", *NUSCENES_CAMERAS, "RADAR_FRONT")):
        modality = {"LI": "lidar", "CA": "camera", "RA": "radar"}[channel[:2]]
        tables["sensor"].append({"token": f"sensor-{channel}", "channel": channel, "modality": modality})
        if modality == "camera":
            # Optical axes spread about the vehicle: z forward, x right, y down.
            rotation = Rotation.from_euler("z", 60 * number, degrees=True) * Rotation.from_matrix(
                np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
            )
        else:
            rotation = Rotation.from_euler("xyz", rng.uniform(-0.1, 0.1, 3))
        translation = rng.uniform(-0.5, 0.5, 3)
        sensors[channel] = rotation, translation
        tables["calibrated_sensor"].append(
            {
                "token": f"calibrated-{channel}",
                "sensor_token": f"sensor-{channel}",
                "translation": translation.tolist(),
                "rotation": wxyz(rotation),
                "camera_intrinsic": K.tolist() if modality == "camera" else [],
            }
        )
    recorded = {}
    for scene, key_frames in scenes.items():
        tables["scene"].append({"token": f"token-{scene}", "name": scene, "nbr_samples": key_frames})
        for key_frame in range(key_frames):
            sample = f"{scene}-{key_frame}"
            tables["sample"].append({"token": sample, "scene_token": f"token-{scene}", "timestamp": 0})
            record = {"sensors": sensors, "vehicle": {}}
            for channel in (*sensors, "LIDAR_TOP sweep"):
                sweep = channel.endswith("sweep")
                sensor = channel.split()[0]
                token = f"{sample}-{channel.replace(' ', '-')}"
                stamp = 1_600_000_000_000_000 + 500_000 * key_frame + int(rng.integers(0, 40_000))
                vehicle = Rotation.from_euler("z", 0.4 * key_frame + rng.uniform(0, 0.1)), rng.uniform(-3, 3, 3) + 500
                pose = {"token": token, "rotation": wxyz(vehicle[0]), "translation": vehicle[1].tolist()}
                tables["ego_pose"].append(pose)
                ending = {"LI": "pcd.bin", "CA": "jpg", "RA": "pcd"}[sensor[:2]]
                file = f"{'sweeps' if sweep else 'samples'}/{sensor}/{token}.{ending}"
                camera = sensor in NUSCENES_CAMERAS
                tables["sample_data"].append(
                    {
                        "token": token,
                        "sample_token": sample,
                        "ego_pose_token": token,
                        "calibrated_sensor_token": f"calibrated-{sensor}",
                        "timestamp": stamp,
                        "fileformat": ending,
                        "is_key_frame": not sweep,
                        "height": HEIGHT if camera else 0,
                        "width": WIDTH if camera else 0,
                        "filename": file,
                        "prev": "",
                        "next": "",
                    }
                )
                if camera:
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    (folder / file).write_bytes(image_bytes("JPEG", rng))
                if not sweep:
                    record["vehicle"][sensor] = vehicle
                if channel == "LIDAR_TOP":
                    points = street_points(rng, 80)
                    record["points"] = np.column_stack(
                        [points[:, :3], np.round(255 * points[:, 3]), rng.integers(0, 32, 80)]
                    ).astype(np.float32)
                    record["stamp"] = stamp * 1000
                    write_floats(folder / file, record["points"])
                    record["raw"] = rng.integers(0, 32, 80)
                    if labels:
                        label_file = f"lidarseg/{version}/{token}_lidarseg.bin"
                        (folder / label_file).parent.mkdir(parents=True, exist_ok=True)
                        (folder / label_file).write_bytes(bytes(record["raw"].tolist()))
                        tables["lidarseg"].append(
                            {"token": f"labels-{token}", "sample_data_token": token, "filename": label_file}
                        )
            recorded[scene, key_frame] = record
    (folder / version).mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        if labels or name != "lidarseg":
            (folder / version / f"{name}.json").write_text(json.dumps(rows))
    return recorded


def wxyz(rotation):
    x, y, z, w = rotation.as_quat()
    return [w, x, y, z]


def ply_bytes(layout, elements):
    """`elements`: (name, properties, rows); a property is (name, type) or, of lists, (name, count type, type)."""
    codes = dict(zip(("char", "uchar", "short", "ushort", "int", "uint", "float", "double"), "bBhHiIfd", strict=True))
    lines = ["ply", f"format {layout} 1.0", "comment made by hand"]
    for name, properties, rows in elements:
        lines.append(f"element {name} {len(rows)}")
        lines += [f"property {'list ' if len(p) == 3 else ''}{' '.join(p[1:])} {p[0]}" for p in properties]
    body = b""
    order = ">" if layout == "binary_big_endian" else "<"
    for _, properties, rows in elements:
        for row in rows:
            values = []
            for entry, value in zip(properties, row, strict=True):
                if len(entry) == 3:
                    values.append((codes[entry[1]], len(value)))
                    values += [(codes[entry[2]], item) for item in value]
                else:
                    values.append((codes[entry[1]], value))
            if layout == "ascii":
                body += (" ".join(repr(value) for _, value in values) + "\n").encode()
            else:
                body += b"".join(struct.pack(order + code, value) for code, value in values)
    return "\n".join([*lines, "end_header", ""]).encode() + body


CUBE = [(x, y, z) for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)]
"""Vertices of a unit cube, and two triangles of each side, counterclockwise from outside."""
CUBE_TRIANGLES = [
    *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5)),  # x = 0, x = 1
    *((0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6)),  # y = 0, y = 1
    *((0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)),  # z = 0, z = 1
]
CUBE_LABELS = [0, 1, 2, 39, 50, 40, 16, 13]
CUBE_CLASS_IDS = [0, 1, 2, 39, 0, 0, 16, 0]


def write_scannet(folder, scenes, *, split="train", layout="binary_little_endian", images=0, seed=0):
    """Scenes that are a cube each, with cameras 3 m before its side x = 0; the pose of the second image is lost."""
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    (folder / f"scannetv2_{split}.txt").write_text("".join(f"{scene}\n" for scene in scenes))
    for scene in scenes:
        place = folder / ("scans_test" if split == "test" else "scans") / scene
        place.mkdir(parents=True)
        colors = rng.integers(0, 256, (8, 4)).tolist()
        vertices = [(*vertex, *color) for vertex, color in zip(CUBE, colors, strict=True)]
        xyz = [(axis, "float") for axis in "xyz"]
        rgba = [(name, "uchar") for name in ("red", "green", "blue", "alpha")]
        faces = ("face", [("vertex_indices", "uchar", "int")], [(triangle,) for triangle in CUBE_TRIANGLES])
        mesh = ply_bytes(layout, [("vertex", xyz + rgba, vertices), faces])
        (place / f"{scene}_vh_clean_2.ply").write_bytes(mesh)
        if split != "test":
            labelled = [(*vertex, label) for vertex, label in zip(vertices, CUBE_LABELS, strict=True)]
            labels = ply_bytes(layout, [("vertex", [*xyz, *rgba, ("label", "ushort")], labelled), faces])
            (place / f"{scene}_vh_clean_2.labels.ply").write_bytes(labels)
        if images:
            for name in ("color", "pose", "intrinsic"):
                (place / name).mkdir()
            intrinsic = np.eye(4)
            intrinsic[:3, :3] = K
            np.savetxt(place / "intrinsic" / "intrinsic_color.txt", intrinsic)
        for image in range(images):
            (place / "color" / f"{image}.jpg").write_bytes(image_bytes("JPEG", rng))
            # z forward along the mesh's x, x right along -y, y down along -z.
            pose = np.array([[0, 0, 1, -3], [-1, 0, 0, 0.5], [0, -1, 0, 0.5], [0, 0, 0, 1.0]])
            np.savetxt(place / "pose" / f"{image}.txt", np.full((4, 4), -np.inf) if image == 1 else pose)
