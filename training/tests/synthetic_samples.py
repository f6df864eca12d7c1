"""A small sample folder as `ditr samples` writes it: a floor, a wall and boxes that only their colour tells apart.

Written by the layout of docs/training-samples.md alone; tests/commands/test_node_samples.py reads the node's own.
"""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT, FOCAL = 96, 64, 60.0
CAMERA_AHEAD = 0.3
"""Metres from the LiDAR to the camera, along the LiDAR's x axis; both look the same way."""
CLASS_COLORS = {1: (200, 40, 40), 2: (40, 200, 40), 3: (60, 60, 200)}
FLOOR, WALL = 4, 5


def floor_and_boxes(rng: np.random.Generator, count: int = 1200) -> dict[str, np.ndarray]:
    """x forward, y left, z up; boxes of classes 1 to 3 stand in the view of the camera on a floor."""
    parts, labels = [rng.uniform([-12, -12, -1.5], [12, 12, -1.45], (count, 3))], [np.full(count, FLOOR)]
    parts.append(rng.uniform([11.9, -12, -1.5], [12, 12, 3], (count // 2, 3)))
    labels.append(np.full(count // 2, WALL))
    for kind, y in zip(rng.permutation(list(CLASS_COLORS)), (-2.2, 0.0, 2.2), strict=True):
        parts.append(rng.uniform([6, y - 0.8, -1.5], [6.2, y + 0.8, 1.2], (count // 6, 3)))
        labels.append(np.full(count // 6, kind))
    xyz = np.concatenate(parts).astype(np.float32)
    order = rng.permutation(len(xyz))
    return {
        "x": xyz[order, 0],
        "y": xyz[order, 1],
        "z": xyz[order, 2],
        "intensity": rng.uniform(size=len(xyz)).astype(np.float32),
        "ground_truth": np.concatenate(labels)[order].astype(np.uint8),
    }


def render(cloud: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What a camera at the LiDAR sees: colours [H, W, 3] and class ids [H, W]."""
    colors = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    for kind, color in CLASS_COLORS.items():
        of_kind = cloud["ground_truth"] == kind
        depth = cloud["x"][of_kind] - CAMERA_AHEAD
        u = FOCAL * -cloud["y"][of_kind] / depth + (WIDTH - 1) / 2
        v = FOCAL * -cloud["z"][of_kind] / depth + (HEIGHT - 1) / 2
        area = (
            slice(max(0, round(v.min())), round(v.max()) + 1),
            slice(max(0, round(u.min())), round(u.max()) + 1),
        )
        colors[area], ids[area] = color, kind
    return colors, ids


def regions(ids: np.ndarray) -> np.ndarray:
    """Region ids of a rendered image that need 16 bits: one for each box, one above the horizon, one below."""
    above = np.arange(HEIGHT)[:, None] < HEIGHT / 2
    return np.where(ids > 0, np.uint16(300) + ids, np.where(above, 1000, 2000)).astype(np.uint16)


START = 1_700_000_000_000_000_000
FRONT = "/camera/front/image_raw/compressed"
SCAN = [(name, "<i8") for name in ("bag", "stamp", "first_point", "points", "not_measured", "labelled")]
SCAN += [("first_view", "<i8"), ("views", "<i8")]
VIEW = [(name, "<i8") for name in ("camera", "stamp", "width", "height")]
VIEW += [(name, "<i8", (2,)) for name in ("picture", "semantic", "regions")]
VIEW += [("distortion", "<i8"), ("k", "<f8", (3, 3)), ("coefficients", "<f8", (14,))]
VIEW += [("cloud_to_camera", "<f8", (4, 4))]
MODELS = ["none", "plumb_bob", "rational_polynomial", "thin_prism", "equidistant"]


def write_samples(
    folder: Path,
    scans: int,
    seed: int,
    *,
    image_every: int = 1,
    image_delay: float = 0.01,
    with_labels: bool = True,
    with_regions: bool = False,
    cameras: tuple[str, ...] = (FRONT,),
    box_every: int = 0,
) -> list[dict[str, np.ndarray]]:
    """Writes the samples of one bag, named after the folder, and returns its clouds. All cameras see the same. With
    `box_every` they are of version 2, and every such scan has boxes."""
    rng = np.random.default_rng(seed)
    clouds, scan_rows, view_rows, pictures = [], [], [], b""

    def keep(encoded: bytes) -> tuple[int, int]:
        nonlocal pictures
        place = len(pictures), len(encoded)
        pictures += encoded
        return place

    for index in range(scans):
        stamp = START + index * 100_000_000
        cloud = floor_and_boxes(rng)
        views = len(cameras) if index % image_every == 0 else 0
        first_point = sum(len(other["x"]) for other in clouds)
        clouds.append(cloud)
        scan_rows.append((0, stamp, first_point, len(cloud["x"]), 0, int(with_labels), len(view_rows), views))
        colors, ids = render(cloud)
        for camera in range(views):
            k = [[FOCAL, 0, (WIDTH - 1) / 2], [0, FOCAL, (HEIGHT - 1) / 2], [0, 0, 1]]
            # x right, y down, z forward.
            to_camera = [[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, -CAMERA_AHEAD], [0, 0, 0, 1]]
            files = (
                keep(encoded(colors, "JPEG", quality=95)),
                keep(encoded(ids, "PNG")) if with_labels else (0, 0),
                keep(encoded(regions(ids), "PNG")) if with_regions else (0, 0),
            )
            taken = stamp + int(image_delay * 1e9)
            view_rows.append((camera, taken, WIDTH, HEIGHT, *files, 0, k, [0.0] * 14, to_camera))
    folder.mkdir(parents=True, exist_ok=True)
    labels = [cloud["ground_truth"].astype("<u2") * np.uint16(with_labels) for cloud in clouds]
    columns = [np.stack([cloud[name] for name in ("x", "y", "z", "intensity")], axis=1) for cloud in clouds]
    arrays = {
        "points": np.concatenate(columns).astype("<f4"),
        "labels": np.concatenate(labels),
        "scans": np.array(scan_rows, SCAN),
        "views": np.array(view_rows, VIEW),
        "pictures": np.frombuffer(pictures, np.uint8),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    bag = {"name": f"{folder.name}.mcap", "path": f"/drives/{folder.name}.mcap", "label_field": "ground_truth"}
    version = {"version": 1}
    if box_every:
        version = {"version": 2} | _write_boxes(folder, clouds, arrays["scans"], box_every)
    header = {
        "format": "ditr-samples",
        **version,
        "fields": ["x", "y", "z", "intensity"],
        "bags": [bag | {"cloud_topics": ["/lidar/points"], "frame": "lidar", "options": {}}],
        "cameras": [{"name": f"camera-{i}", "image_topic": topic} for i, topic in enumerate(cameras)],
        "distortion_models": MODELS,
        "scans": scans,
        "labelled_scans": scans * with_labels,
        "points": len(arrays["points"]),
        "views": len(view_rows),
        "picture_bytes": len(pictures),
    }
    (folder / "samples.json").write_text(json.dumps(header))
    return clouds


BOX_CLASSES = ["red-box", "green-box", "blue-box"]
BOX = [("class", "<i8"), ("points", "<i8"), ("center", "<f8", (3,)), ("size", "<f8", (3,)), ("yaw", "<f8")]


def _write_boxes(folder: Path, clouds: list[dict], scans: np.ndarray, every: int) -> dict:
    """boxes.npy, scans.npy with the columns that say whose they are, and what the header says of them. The boxes are
    those of floor_and_boxes, as long as they are wide."""
    rows, places = [], []
    for index, cloud in enumerate(clouds):
        annotated = index % every == 0
        places.append((len(rows), len(CLASS_COLORS) if annotated else -1))
        for kind in CLASS_COLORS if annotated else ():
            of_kind = cloud["ground_truth"] == kind
            y = np.round(np.median(cloud["y"][of_kind]) / 2.2) * 2.2
            rows.append((kind - 1, of_kind.sum(), (6.1, y, -0.15), (1.6, 0.2, 2.7), np.pi / 2))
    table = np.zeros(len(scans), [*SCAN, ("first_box", "<i8"), ("boxes", "<i8")])
    for name, _ in SCAN:
        table[name] = scans[name]
    table["first_box"], table["boxes"] = np.array(places).T
    np.save(folder / "scans.npy", table)
    np.save(folder / "boxes.npy", np.array(rows, BOX))
    return {"boxes": len(rows), "box_classes": BOX_CLASSES, "boxed_scans": sum(count >= 0 for _, count in places)}


def encoded(pixels: np.ndarray, kind: str, **options: int) -> bytes:
    """An image file of the pixels."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()
