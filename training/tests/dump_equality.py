"""Does training see what the node's model is given? Samples of a bag against `ditr run --dump` of it."""

import json
import subprocess
from pathlib import Path

import numpy as np
from conftest import CONFIGS
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from ditr_train.config.model_config import load_config
from ditr_train.data.images import decode_image, normalize, patch_grid
from ditr_train.data.sample_folder import SampleFolder
from ditr_train.geometry.graph_inputs import geometry_config, voxelize_scan
from ditr_train.geometry.pair_tables import declared_inputs
from ditr_train.geometry.projection import assign_patches
from ditr_train.geometry.scan_geometry import build_scan_geometry

REPOSITORY = Path(__file__).parents[2]
COMMAND = REPOSITORY / "dist" / "cli" / "main.js"
FIELDS = ["x", "y", "z", "intensity"]
LABEL = "ground_truth"


def ditr(*arguments):
    return subprocess.run(
        ["node", str(COMMAND), *map(str, arguments)], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )


def compare_with_dump(bag, options, scratch):
    """Scans of a bag that were compared, and those of them that are fused; (0, 0) where `ditr run` labels nothing.

    Voxels, features, tables, patches and weights must be equal, labels too where the cloud has some; the pixels of the
    images as equal as two image libraries resize (docs/graph-contract.md, "Resizing").
    """
    output, dump, samples = scratch / "labelled.mcap", scratch / "dump", scratch / "samples"
    model = ["--model", REPOSITORY / "models" / "street-tiny", "--provider", "cpu"]
    ran = ditr("run", bag, "-o", output, "--dump", dump, *model, *options)
    stamps = sorted(int(folder.name) for folder in dump.iterdir()) if dump.exists() else []
    made = ditr("samples", bag, "-o", samples, *options)
    if not stamps:
        assert ran.returncode in (1, 3), ran.stderr
        return 0, 0
    assert ran.returncode in (0, 3), ran.stderr
    scans = [stamp for stamp in stamps if len(np.load(dump / str(stamp) / "voxels.npy")) > 0]
    if not scans:
        return 0, 0
    assert made.returncode == ran.returncode, made.stderr
    folder = SampleFolder(samples)
    config = load_config(CONFIGS / "street-tiny.yaml")
    labels = dict(_labels(output))
    rows = {folder.stamp(index): index for index in range(len(folder))}
    fused = 0
    for stamp in scans:
        index = rows[stamp]
        names = [*FIELDS, *([LABEL] if folder.labelled(index) else [])]
        frame = folder.frame(index, names, LABEL, (), images=True)
        fused += _compare_scan(frame, dump / str(stamp), config)
        assert folder.labelled(index) == (labels[stamp] is not None)
        if labels[stamp] is not None:
            np.testing.assert_array_equal(frame.fields[LABEL], labels[stamp])
    return len(scans), fused


def _compare_scan(frame, dump, config):
    """Was the scan fused?"""
    voxelized = voxelize_scan({name: frame.fields[name] for name in FIELDS}, config.backbone)
    xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
    geometry = build_scan_geometry(xyz, geometry_config(config.backbone))
    np.testing.assert_array_equal(geometry.stages[0].coordinates, np.load(dump / "voxels.npy"))
    given = {path.stem: np.load(path) for path in (dump / "inputs").glob("*.npy")}
    images = {name: given.pop(name, None) for name in ("voxel_patch", "voxel_patch_weight", "image")}
    given.pop("image_features", None)  # made of the images by the model
    assert "feat" in given and "parent_0" in given
    for name, made in declared_inputs(voxelized.inputs, given).items():
        np.testing.assert_array_equal(made, given[name], err_msg=name)
    if images["voxel_patch"] is None:
        return False
    encoder = config.image_encoder
    patch, weight, _ = assign_patches(
        xyz,
        voxelized.representative,
        [exposure.view for exposure in frame.exposures],
        patch_grid(encoder),
        encoder.sampling,
        encoder.occlusion,
    )
    np.testing.assert_array_equal(patch, images["voxel_patch"])
    np.testing.assert_array_equal(weight, images["voxel_patch_weight"])
    assert len(images["image"]) == len(frame.exposures)
    grey_level = 1 / (255 * np.array(encoder.std))
    for exposure, expected in zip(frame.exposures, images["image"], strict=True):
        # libvips puts what it enlarges half a pixel of the result further.
        if exposure.view.width >= encoder.input_width and exposure.view.height >= encoder.input_height:
            pixels = normalize(decode_image(exposure.image.encoded, encoder)[None], encoder)[0]
            difference = np.abs(pixels - expected).mean(axis=(1, 2)) / grey_level
            assert (difference < 0.25).all(), difference
    return True


def _labels(output):
    """By stamp, the class ids of the points that were measured; None where the cloud has none."""
    with output.open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        for *_, cloud in reader.iter_decoded_messages(topics=["/ditr_perception/points_labelled"]):
            stamp = cloud.header.stamp.sec * 10**9 + cloud.header.stamp.nanosec
            kinds = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
            order = ">" if cloud.is_bigendian else "<"
            fields = {field.name: field for field in cloud.fields}
            layout = np.dtype(
                {
                    "names": list(fields),
                    "formats": [order + kinds[field.datatype] for field in fields.values()],
                    "offsets": [field.offset for field in fields.values()],
                    "itemsize": cloud.point_step,
                }
            )
            rows = np.frombuffer(cloud.data, np.uint8).reshape(cloud.height, cloud.row_step)
            packed = np.ascontiguousarray(rows[:, : cloud.width * cloud.point_step])
            points = packed.reshape(-1, cloud.point_step).view(layout)[:, 0]
            xyz = np.stack([points[axis].astype(np.float64) for axis in "xyz"], axis=1)
            measured = np.isfinite(xyz).all(axis=1) & (xyz != 0).any(axis=1)
            yield stamp, points[LABEL][measured] if LABEL in fields else None


def main(cases):
    """python tests/dump_equality.py CASES: compares every bag below the folder with what the commands make of it."""
    import tempfile

    bags = sorted(path for path in Path(cases).rglob("*") if path.suffix in (".mcap", ".db3", ".bag"))
    for bag in bags:
        with tempfile.TemporaryDirectory() as scratch:
            scans, fused = compare_with_dump(bag, [], Path(scratch))
        print(json.dumps({"bag": str(bag.relative_to(cases)), "compared": scans, "fused": fused}), flush=True)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
