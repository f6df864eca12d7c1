"""Regions of images: where they come from, which points lie in them, and what they have in common."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import yaml
from conftest import make_config, replace
from hypothesis import given, settings
from indoor_layouts import write_sun_rgbd
from PIL import Image
from published_layouts import write_nuscenes, write_scannet, write_semantic_kitti
from small_training import write_config
from synthetic_samples import FRONT, HEIGHT, WIDTH, regions, render, write_samples

from ditr_train.cli import main
from ditr_train.config.backbone_config import InputFeature
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage
from ditr_train.data.image_segmentation import segment_image
from ditr_train.data.images import patch_grid
from ditr_train.data.loading import load_scans
from ditr_train.data.regions import RegionFolder, RegionTopics, region_features
from ditr_train.data.sample_folder import SampleFolder
from ditr_train.data.source import scan_source
from ditr_train.geometry.projection import CameraView
from ditr_train.model.region_tokens import pool_regions


def camera_image(stamp=17):
    return CameraImage(stamp, b"", None, FRONT)


def view(turn=0.0, width=60, height=40):
    """A camera at the origin that looks along x, turned about z."""
    cosine, sine = np.cos(turn), np.sin(turn)
    to_camera = np.eye(4)
    to_camera[:3, :3] = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]]) @ [
        [cosine, sine, 0],
        [-sine, cosine, 0],
        [0, 0, 1],
    ]
    k = np.array([[30.0, 0, (width - 1) / 2], [0, 30.0, (height - 1) / 2], [0, 0, 1]])
    return CameraView(k, (), "none", width, height, to_camera)


def test_a_folder_gives_back_what_was_written(tmp_path, rng):
    folder = RegionFolder(tmp_path)
    ids = rng.integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
    folder.write("drive.mcap", camera_image(), ids)
    path = tmp_path / "drive" / "camera/front/image_raw/compressed" / "17.png"
    assert path.exists()
    np.testing.assert_array_equal(folder.ids("drive.mcap", camera_image()), ids)
    Image.fromarray((ids % 256).astype(np.uint8)).save(path)
    np.testing.assert_array_equal(folder.ids("drive.mcap", camera_image()), ids % 256)


def test_files_that_are_missing_or_hold_no_ids_are_refused(tmp_path):
    folder = RegionFolder(tmp_path)
    with pytest.raises(DataError, match=r"compressed/17\.png: missing, .* needs regions for each camera image"):
        folder.ids("drive.mcap", camera_image())
    path = folder.path("drive.mcap", camera_image())
    path.parent.mkdir(parents=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(path)
    with pytest.raises(DataError, match=r"17\.png: PNG in mode RGB is no PNG of region ids"):
        folder.ids("drive.mcap", camera_image())
    path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"17\.png: cannot identify"):
        folder.ids("drive.mcap", camera_image())


def test_regions_of_samples_are_those_of_the_bag(tmp_path):
    clouds = write_samples(tmp_path / "a", 2, seed=5, with_regions=True, with_labels=False)
    samples = SampleFolder(tmp_path / "a")
    for index, cloud in enumerate(clouds):
        frame = samples.frame(index, ["x", "y", "z"], "ground_truth", (), images=True, regions=True)
        ids = RegionTopics().ids(frame.bag, frame.exposures[0].image)
        np.testing.assert_array_equal(ids, regions(render(cloud)[1]))
        assert ids.dtype == np.uint16 and ids.max() == 2000
    write_samples(tmp_path / "b", 1, seed=5)
    frame = SampleFolder(tmp_path / "b").frame(0, ["x"], "ground_truth", (), images=True, regions=True)
    with pytest.raises(DataError, match=rf"the image of {FRONT} at \d+ has no region image: give --regions FOLDER"):
        RegionTopics().ids(frame.bag, frame.exposures[0].image)


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_features_of_a_region_are_the_mean_over_its_pixels(rng, resize):
    encoder = replace(make_config().image_encoder, resize=resize)
    ids = rng.integers(0, 4, (31, 47)).astype(np.uint16)
    kept = np.array([1, 3], np.uint16)
    features = rng.normal(size=(encoder.rows * encoder.columns, 16)).astype(np.float32)
    scale_x, scale_y, offset_x, offset_y = patch_grid(encoder).image_to_input(47, 31)
    found = {1: [], 3: []}
    for y in range(31):
        for x in range(47):
            if ids[y, x] in found:
                row = int((scale_y * y + offset_y + 0.5) // encoder.patch_size)
                column = int((scale_x * x + offset_x + 0.5) // encoder.patch_size)
                found[ids[y, x]].append(features[row * encoder.columns + column])
    expected = [np.mean(found[value], axis=0) for value in (1, 3)]
    np.testing.assert_allclose(region_features(ids, kept, features, encoder), expected, atol=1e-5)
    assert region_features(ids, kept[:0], features, encoder).shape == (0, 16)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_tokens_are_the_mean_over_the_voxels_of_a_region(seed):
    rng = np.random.default_rng(seed)
    voxels, count = int(rng.integers(1, 60)), int(rng.integers(1, 7))
    region = rng.integers(-1, count, voxels).astype(np.int32)
    features = rng.normal(size=(voxels, 3)).astype(np.float32)
    tokens = pool_regions(torch.from_numpy(features), torch.from_numpy(region), count).numpy()
    for token in range(count):
        members = [features[voxel] for voxel in range(voxels) if region[voxel] == token]
        np.testing.assert_allclose(tokens[token], np.mean(members, axis=0) if members else 0, atol=1e-5)


def test_even_areas_of_an_image_are_its_regions(rng):
    image = np.full((60, 80, 3), 90, np.uint8)
    image[10:30, 10:40] = (200, 40, 40)
    image[30:55, 50:75] = (40, 60, 200)
    image[5, 70:73] = (255, 255, 255)
    noisy = np.clip(image + rng.normal(scale=4, size=image.shape), 0, 255).astype(np.uint8)
    ids = segment_image(noisy, smallest=50)
    assert ids.dtype == np.uint16 and set(np.unique(ids)) == {0, 1, 2, 3}
    inner = {1: ids[58, 3], 3: ids[13:27, 13:37], 2: ids[33:52, 53:72]}
    for value, area in inner.items():
        assert (area == value).all()
    assert (ids == 0).mean() < 0.1
    assert segment_image(rng.integers(0, 256, (40, 40, 3)).astype(np.uint8), smallest=200).max() == 0


def test_the_command_divides_the_images_of_bags(tmp_path, capsys):
    write_config(tmp_path / "config.yaml")
    clouds = write_samples(tmp_path / "a", 2, seed=5, with_labels=False)
    arguments = ["regions", str(tmp_path / "config.yaml"), "--bags", str(tmp_path / "a"), "--smallest", "30"]
    assert main([*arguments, "-o", str(tmp_path / "regions")]) == 0
    assert capsys.readouterr().out.startswith("2 images, 4 regions each on average")
    config = make_config()
    scans = load_scans(
        [tmp_path / "a"], config, None, labels=False, regions=RegionFolder(tmp_path / "regions"), progress=False
    )
    for scan, cloud in zip(scans, clouds, strict=True):
        assert scan.images is None and scan.regions.features is None
        # Each box is in a region of its own.
        boxes = [scan.regions.region[cloud["ground_truth"] == kind] for kind in (1, 2, 3)]
        largest = [np.bincount(box[box >= 0]).argmax() for box in boxes]
        assert len(set(largest)) == 3
        assert all((box == value).mean() > 0.7 for box, value in zip(boxes, largest, strict=True))
        some = scan.subset(np.arange(0, 100))
        np.testing.assert_array_equal(some.regions.region, scan.regions.region[:100])
        np.testing.assert_array_equal(some.seen(), some.regions.region < scan.regions.seen)

    assert main([*arguments, "--images", "-o", str(tmp_path / "images")]) == 0
    images = sorted((tmp_path / "images" / "a" / FRONT[1:]).glob("*.jpg"))
    assert [path.stem for path in images] == [
        path.stem for path in sorted((tmp_path / "regions" / "a" / FRONT[1:]).glob("*.png"))
    ]
    assert Image.open(images[0]).size == (WIDTH, HEIGHT)
    document = yaml.safe_load((tmp_path / "config.yaml").read_text())
    document["topics"] = {"cameras": [{"image": "/other"}]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    assert main([*arguments, "-o", str(tmp_path / "none")]) == 2
    assert f"has images of {FRONT}, none of /other, which topics.cameras" in capsys.readouterr().err
    write_samples(tmp_path / "blind", 2, seed=5, cameras=())
    arguments[3] = str(tmp_path / "blind")
    assert main([*arguments, "-o", str(tmp_path / "none")]) == 2
    assert "blind: no scan has an image" in capsys.readouterr().err


DATASETS = {
    "semantic-kitti": (lambda folder: write_semantic_kitti(folder, {"08": 2}), "val", "sequences/08/image_2/000001"),
    "nuscenes": (lambda folder: write_nuscenes(folder, {"scene-0103": 1}), "mini_val", "samples/CAM_FRONT/"),
    "scannet": (lambda folder: write_scannet(folder, ["scene0000_00"], images=3), "train", "scene0000_00/color/2"),
    "sun-rgbd": (write_sun_rgbd, "test", "/image/0000103"),
}


@pytest.mark.parametrize("kind", DATASETS)
def test_images_of_data_sets_have_regions_too(tmp_path, rng, kind):
    write, split, image = DATASETS[kind]
    write(tmp_path / "data")
    source = f"{kind}:{tmp_path / 'data'}:{split}"
    command = ["regions", str(write_config(tmp_path / "config.yaml")), "--bags", source, "--smallest", "20"]
    assert main([*command, "--images", "-o", str(tmp_path / "images")]) == 0
    copies = sorted(path.relative_to(tmp_path / "images") for path in (tmp_path / "images").rglob("*.*g"))
    assert any(image in str(path) for path in copies) and {path.parts[0] for path in copies} == {kind}
    assert main([*command, "-o", str(tmp_path / "regions")]) == 0
    written = sorted((tmp_path / "regions").rglob("*.png"))
    assert [path.relative_to(tmp_path / "regions") for path in written] == [path.with_suffix(".png") for path in copies]
    for path in written:  # the images are noise, which has no even areas
        with Image.open(path) as opened:
            shape = opened.size[::-1]
        ids = np.repeat(np.arange(1, 5, dtype=np.uint16)[None], shape[0], 0).repeat(-(-shape[1] // 4), 1)[:, : shape[1]]
        Image.fromarray(ids).save(path)
    config = make_config()
    config = replace(
        config, backbone=replace(config.backbone, input_features=tuple(InputFeature(name) for name in ("x", "y", "z")))
    )
    folder = RegionFolder(tmp_path / "regions")
    scans = load_scans([scan_source(source)], config, None, labels=False, regions=folder, progress=False)
    found = {int(value) for scan in scans for value in np.unique(scan.regions.region)}
    assert {0, 1} <= found and all(scan.regions.features is None for scan in scans)
    with pytest.raises(DataError, match="data sets have no region images of their own: give --regions FOLDER"):
        load_scans([scan_source(source)], config, None, labels=False, regions=RegionTopics(), progress=False)[0]
