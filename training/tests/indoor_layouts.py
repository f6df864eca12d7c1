"""Small data sets in the layouts in which S3DIS, ScanNet200 and SUN RGB-D are published."""

import io
import json

import h5py
import numpy as np
import scipy.io
from PIL import Image
from published_layouts import HEIGHT, WIDTH, K, image_bytes, write_scannet
from scipy.spatial.transform import Rotation

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


SUN_RGBD_PLACES = ["kv2/kinect2data/000002_2014-resize", "xtion/sun3ddata/hall/hall/0000103-000003446248"]
SUN_RGBD_PLACES += ["kv1/NYUdata/NYU0001"]
"""The last one is of the test split."""


def write_sun_rgbd(folder, *, seed=0):
    """Returns millimetres [H, W], RGB [H, W, 3], class ids [H, W] and tilt of each place."""
    rng = np.random.default_rng(seed)
    toolbox = folder / "SUNRGBDtoolbox"
    for name in ("Metadata", "traintestSUNRGBD"):
        (toolbox / name).mkdir(parents=True)
    truth, meta = [], []
    for place in SUN_RGBD_PLACES:
        millimetres = rng.integers(500, 9000, (HEIGHT, WIDTH)).astype(np.uint16)
        millimetres[rng.random(millimetres.shape) < 0.3] = 0
        rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        labels = rng.integers(0, 38, (HEIGHT, WIDTH), dtype=np.uint8)
        tilt = Rotation.from_euler("xy", rng.uniform(-0.4, 0.4, 2))
        truth.append((millimetres, rgb, labels, tilt))
        here = folder / "SUNRGBD" / place
        # The bits are turned by three, as the sensors' format has them.
        turned = (millimetres << 3) | (millimetres >> 13)
        for name, pixels, kind in (("depth_bfx", turned, "png"), ("image", rgb, "png")):
            (here / name).mkdir(parents=True)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, kind.upper())
            (here / name / f"0000103.{'jpg' if name == 'image' else kind}").write_bytes(stream.getvalue())
        there = f"/n/fs/sun3d/data//SUNRGBD/{place}"
        meta.append((f"{there}/image/0000103.jpg", f"{there}/depth_bfx/0000103.png", K, tilt.as_matrix()))
    types = [(name, object) for name in ("rgbpath", "depthpath", "K", "Rtilt")]
    scipy.io.savemat(toolbox / "Metadata" / "SUNRGBDMeta.mat", {"SUNRGBDMeta": np.array(meta, types)[None]})
    paths = [f"/n/fs/sun3d/data/SUNRGBD/{place}" for place in SUN_RGBD_PLACES]
    splits = {"alltrain": np.array(paths[:2], object)[None], "alltest": np.array(paths[2:], object)[None]}
    scipy.io.savemat(toolbox / "traintestSUNRGBD" / "allsplit.mat", splits)
    with h5py.File(toolbox / "Metadata" / "SUNRGBD2Dseg.mat", "w") as file:
        references = file.create_group("SUNRGBD2Dseg").create_dataset("seglabel", (3, 1), h5py.ref_dtype)
        for i, (_, _, labels, _) in enumerate(truth):
            references[i, 0] = file.create_dataset(f"#refs#/{i}", data=labels.T).ref
    return truth
