"""Small data sets in the layouts in which S3DIS, ScanNet200 and SUN RGB-D are published."""

import json

import numpy as np
from published_layouts import K, image_bytes, write_scannet

S3DIS_OBJECTS = {"ceiling_1": 1, "chair_1": 9, "chair_12": 9, "clutter_1": 13, "stairs_1": 13, "window_1": 6}
"""Class ids of the files of a room."""


def write_s3dis(folder, rooms, *, images=0, aligned=False, seed=0):
    """`rooms`: names by area. Returns x, y, z, red, green, blue [N, 6] and class ids [N] by (area, room).

    Cameras of 2D-3D-S stand at (-3, 0.5, 0.5) of the frame of their half of an area and look along x.
    """
    rng = np.random.default_rng(seed)
    truth = {}
    for area, names in rooms.items():
        for room in names:
            place = folder / area / room / "Annotations"
            place.mkdir(parents=True)
            values, ids = [], []
            for name, class_id in S3DIS_OBJECTS.items():
                count = int(rng.integers(3, 9))
                xyz, rgb = rng.uniform(-5, 5, (count, 3)).round(3), rng.integers(0, 256, (count, 3))
                lines = [
                    f"{x:.3f} {y:.3f} {z:.3f} {r} {g} {b}\n" for (x, y, z), (r, g, b) in zip(xyz, rgb, strict=True)
                ]
                (place / f"{name}.txt").write_text("".join(lines))
                values.append(np.hstack([xyz, rgb]))
                ids += [class_id] * count
            (folder / area / room / f"{room}.txt").write_text("not read\n")
            truth[area, room] = np.concatenate(values).astype(np.float32), np.array(ids)
            halves = ["area_5a", "area_5b"] if area == "Area_5" else [area.lower()]
            for half in halves if images else []:
                write_2d3ds(folder / half / "data", room, images, rng)
        if not aligned:
            (folder / area / f"{area}_alignmentAngle.txt").write_text("## Name Angle ##\n" + f"{names[0]} 90\n")
    return truth


def write_2d3ds(data, room, images, rng):
    for name in ("rgb", "pose"):
        (data / name).mkdir(parents=True, exist_ok=True)
    for image in range(images):
        stem = f"camera_{rng.integers(16**8):032x}_{room}_frame_{image}_domain"
        (data / "rgb" / f"{stem}_rgb.png").write_bytes(image_bytes("PNG", rng))
        # z forward along x, x right along -y, y down along -z.
        pose = {"camera_k_matrix": K.tolist(), "camera_rt_matrix": [[0, -1, 0, 0.5], [0, 0, -1, 0.5], [1, 0, 0, 3]]}
        (data / "pose" / f"{stem}_pose.json").write_text(json.dumps(pose | {"room": room}))


SCANNET200_OBJECTS = [("wall", [7]), ("office chair", [2, 900, 5]), ("books", [31]), ("rug", [2]), ("unknown", [900])]
"""Raw categories and segments; the rug shares a segment with the chair, the last one takes the other."""
SCANNET200_SEGMENTS = [7, 7, 2, 900, 31, 5, 4000, 2]
SCANNET200_CLASS_IDS = [1, 1, 0, 0, 22, 10, 0, 0]


def write_scannet200(folder, scenes, classes, *, split="train", **options):
    """Scenes of write_scannet; `classes` are the names of the 200 classes by their id."""
    write_scannet(folder, scenes, split=split, **options)
    rows = [(class_id, name.replace("-", " "), name.replace("-", " ")) for class_id, name in classes.items()]
    rows += [(22, "books", "book"), (1357, "rug", "rug"), (1163, "stick", "object")]
    table = "".join("\t".join(map(str, (*row, 1, 40))) + "\r\n" for row in rows)
    (folder / "scannetv2-labels.combined.tsv").write_text("id\traw_category\tcategory\tcount\tnyu40id\r\n" + table)
    for scene in scenes if split != "test" else []:
        place = folder / "scans" / scene
        groups = [{"id": i, "label": label, "segments": s} for i, (label, s) in enumerate(SCANNET200_OBJECTS)]
        (place / f"{scene}.aggregation.json").write_text(json.dumps({"sceneId": scene, "segGroups": groups}))
        segments = json.dumps({"sceneId": scene, "segIndices": SCANNET200_SEGMENTS})
        (place / f"{scene}_vh_clean_2.0.010000.segs.json").write_text(segments)
