"""Reading bags: fields, times, transforms, projection and labels."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import make_config
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial.transform import Rotation
from synthetic_bag import FLOOR, write_bag

from ditr_train.config.model_config import CameraTopics, TopicsConfig
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.augmentation import augment
from ditr_train.data.bag import read_frames, read_images
from ditr_train.data.errors import DataError
from ditr_train.data.images import decode_image, patch_grid, resize_labels
from ditr_train.data.loading import load_scans
from ditr_train.data.point_cloud import cloud_fields
from ditr_train.data.raw_image import encode_raw
from ditr_train.data.scans import IGNORED, LabeledScan, class_indices, make_sample
from ditr_train.data.static_transforms import StaticTransforms
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.geometry.projection import project

FRONT = "/camera/front/image_raw/compressed"
FIELDS = ["x", "y", "z", "intensity", "ground_truth"]


@pytest.mark.parametrize(
    ("encoding", "order"),
    [("rgb8", (0, 1, 2)), ("bgr8", (2, 1, 0)), ("rgba8", (0, 1, 2, 3)), ("bgra8", (2, 1, 0, 3)), ("mono8", (1,))],
)
def test_raw_images_keep_their_colours(encoding, order, rng):
    pixels = rng.integers(0, 256, (5, 7, 4), dtype=np.uint8)
    rows = np.zeros((5, 7 * len(order) + 6), np.uint8)  # with padding
    rows[:, : 7 * len(order)] = pixels[:, :, list(order)].reshape(5, -1)
    message = SimpleNamespace(encoding=encoding, width=7, height=5, step=rows.shape[1], data=rows.tobytes())
    decoded = np.asarray(Image.open(io.BytesIO(encode_raw(message, "/camera"))))
    expected = pixels[:, :, :3] if encoding != "mono8" else pixels[:, :, [1, 1, 1]]
    np.testing.assert_array_equal(decoded, expected)
    with pytest.raises(DataError, match=r"/camera: 7 x 5 pixels of \w+ in rows of \d+ bytes do not fit \d+ bytes"):
        encode_raw(SimpleNamespace(**vars(message) | {"data": rows.tobytes()[:-1]}), "/camera")
    with pytest.raises(DataError, match="'bayer_rggb8' are not read here, only rgb8"):
        encode_raw(SimpleNamespace(**vars(message) | {"encoding": "bayer_rggb8"}), "/camera")


def test_a_bag_with_raw_images_reads_as_one_with_compressed_ones(tmp_path):
    write_bag(tmp_path / "raw.mcap", 2, seed=1, raw_images=True)
    write_bag(tmp_path / "compressed.mcap", 2, seed=1)
    topics = TopicsConfig()
    pairs = zip(*(read_images(tmp_path / f"{name}.mcap", topics) for name in ("raw", "compressed")), strict=True)
    for raw, compressed in pairs:
        assert raw.stamp == compressed.stamp
        difference = np.subtract(*(Image.open(io.BytesIO(image.encoded)) for image in (raw, compressed)), dtype=float)
        assert np.abs(difference).mean() < 3  # JPEG


def test_fields_stamps_and_images_of_a_bag(tmp_path):
    clouds = write_bag(tmp_path / "a.mcap", 3, seed=1, image_every=2)
    frames = list(read_frames(tmp_path / "a.mcap", TopicsConfig(), FIELDS))
    assert [frame.stamp for frame in frames] == [1_700_000_000_000_000_000 + i * 10**8 for i in range(3)]
    for frame, cloud in zip(frames, clouds, strict=True):
        for name in FIELDS:
            assert frame.fields[name].dtype == cloud[name].dtype
            np.testing.assert_array_equal(frame.fields[name], cloud[name])
    # The second cloud is 90 ms from the nearest image, more than the tolerance.
    assert [image_delays(frame) for frame in frames] == [[10**7], [], [10**7]]
    shifted = CameraTopics(FRONT, offset=-0.09, tolerance=0.0)
    frames = list(read_frames(tmp_path / "a.mcap", TopicsConfig(cameras=(shifted,)), FIELDS))
    assert [image_delays(frame) for frame in frames] == [[], [-9 * 10**7], []]


def image_delays(frame):
    return [exposure.image.stamp - frame.stamp for exposure in frame.exposures]


def test_every_camera_of_a_bag_is_read_and_one_without_images_left_out(tmp_path):
    write_bag(tmp_path / "a.mcap", 3, seed=1, image_every=2)
    cameras = (CameraTopics("/camera/none/image_raw"), CameraTopics(FRONT), CameraTopics(FRONT, offset=0.09))
    topics = TopicsConfig(cameras=cameras)
    frames = list(read_frames(tmp_path / "a.mcap", topics, FIELDS))
    assert [image_delays(frame) for frame in frames] == [[10**7], [11 * 10**7], [10**7]]
    assert len(read_images(tmp_path / "a.mcap", topics)) == 4
    assert CameraTopics("/a/image").camera_info == "/a/camera_info"
    assert CameraTopics("/a/image/compressed", camera_info="/b").camera_info == "/b"
    assert CameraTopics("image/compressed").semantic == "/semantic"


def test_the_projection_meets_the_semantic_image(tmp_path):
    write_bag(tmp_path / "a.mcap", 2, seed=2)
    images = read_images(tmp_path / "a.mcap", TopicsConfig())
    for frame, image in zip(read_frames(tmp_path / "a.mcap", TopicsConfig(), FIELDS), images, strict=True):
        assert image.semantic is not None
        xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
        u, v, _, visible = project(xyz, frame.exposures[0].view)
        assert 0.05 < visible.mean() < 0.6
        boxes = visible & (frame.fields["ground_truth"] < FLOOR)
        seen = image.semantic[np.rint(v[boxes]).astype(int), np.rint(u[boxes]).astype(int)]
        assert (seen == frame.fields["ground_truth"][boxes]).mean() > 0.99


def test_a_bag_without_transforms_says_which_frames_are_not_connected(tmp_path):
    write_bag(tmp_path / "a.mcap", 1, seed=3, with_transforms=False)
    with pytest.raises(DataError, match=r"no static transforms connect lidar .* with camera_front_optical_frame"):
        list(read_frames(tmp_path / "a.mcap", TopicsConfig(), FIELDS))


def test_a_missing_topic_and_a_broken_file_are_named(tmp_path):
    write_bag(tmp_path / "a.mcap", 1, seed=3)
    with pytest.raises(DataError, match=r"a\.mcap: no messages on /other; the bag has /camera/front/camera_info"):
        list(read_frames(tmp_path / "a.mcap", TopicsConfig(cloud="/other"), FIELDS))
    (tmp_path / "b.mcap").write_bytes(b"not a bag")
    with pytest.raises(DataError, match=r"b\.mcap"):
        list(read_frames(tmp_path / "b.mcap", TopicsConfig(), FIELDS))
    with pytest.raises(DataError, match=r"c\.mcap"):
        list(read_frames(tmp_path / "c.mcap", TopicsConfig(), FIELDS))


def test_static_transforms_compose_along_the_tree():
    rng = np.random.default_rng(0)
    tree, poses = StaticTransforms(), {"root": np.eye(4)}
    for child, parent in (("base", "root"), ("mast", "base"), ("lidar", "mast"), ("camera", "base")):
        rotation, t = Rotation.random(random_state=rng), rng.normal(size=3)
        q = rotation.as_quat()
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = rotation.as_matrix(), t
        poses[child] = poses[parent] @ local
        stamped = SimpleNamespace(
            header=SimpleNamespace(frame_id=f"/{parent}"),
            child_frame_id=child,
            transform=SimpleNamespace(
                rotation=SimpleNamespace(**dict(zip("xyzw", q, strict=True))),
                translation=SimpleNamespace(**dict(zip("xyz", t, strict=True))),
            ),
        )
        tree.add(SimpleNamespace(transforms=[stamped]))
    point = np.array([1.0, 2.0, 3.0, 1.0])
    in_root = poses["lidar"] @ point
    np.testing.assert_allclose(poses["camera"] @ tree.lookup("camera", "lidar") @ point, in_root, atol=1e-12)


@given(st.integers(1, 4), st.integers(0, 6), st.integers(0, 5), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_fields_of_any_layout(height, width, padding, big_endian, seed):
    rng = np.random.default_rng(seed)
    order = ">" if big_endian else "<"
    kinds = [(7, "f4"), (8, "f8"), (2, "u1"), (3, "i2"), (6, "u4")]
    fields, offset = [], 0
    for index in rng.permutation(len(kinds)):
        offset += int(rng.integers(0, 3))
        datatype, code = kinds[index]
        fields.append((SimpleNamespace(name=code, offset=offset, datatype=datatype, count=1), np.dtype(order + code)))
        offset += np.dtype(code).itemsize
    step = offset + padding
    data = rng.integers(0, 256, (height, width * step + padding), dtype=np.uint8)
    message = SimpleNamespace(
        height=height,
        width=width,
        fields=[field for field, _ in fields],
        is_bigendian=big_endian,
        point_step=step,
        row_step=width * step + padding,
        data=data.tobytes(),
    )
    result = cloud_fields(message, [field.name for field, _ in fields])
    for field, datatype in fields:
        expected = [
            data[r, c * step + field.offset :][: datatype.itemsize].tobytes()
            for r in range(height)
            for c in range(width)
        ]
        assert result[field.name].dtype.isnative
        assert result[field.name].astype(datatype).tobytes() == b"".join(expected)


def test_a_field_beyond_the_point_is_refused():
    field = SimpleNamespace(name="x", offset=2, datatype=7, count=1)
    message = SimpleNamespace(
        height=1, width=1, fields=[field], is_bigendian=False, point_step=4, row_step=4, data=bytes(4)
    )
    with pytest.raises(DataError, match="field x ends at byte 6 of a point of 4 bytes"):
        cloud_fields(message, ["x"])
    message.point_step = message.row_step = 8
    with pytest.raises(DataError, match="need more than the 4 bytes"):
        cloud_fields(message, ["x"])


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_labels_are_resized_like_their_image(resize):
    config = make_config().image_encoder
    assert config is not None
    config = replace(config, resize=resize, input_height=64, input_width=96)
    ids = np.zeros((120, 90), np.uint8)
    ids[30:75, 20:70] = 3
    pixels = np.repeat((ids[:, :, None] > 0) * np.uint8(255), 3, axis=2)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    image = decode_image(encoded.getvalue(), config)
    cells = resize_labels(ids, config, 4)
    centers = image[2::4, 2::4, 0][: len(cells), : cells.shape[1]] > 127
    left, top, width, height = patch_grid(config).placement(90, 120)
    inside = np.zeros_like(centers)
    inside[top // 4 : (top + height) // 4, -(-left // 4) : (left + width) // 4] = True
    assert ((cells == 3) == centers)[inside].mean() > 0.95
    assert np.count_nonzero(cells[~inside]) == 0


def test_class_ids_become_indices():
    config = make_config()
    ids = np.array([0, 1, 5, 6, 255], np.uint8)
    np.testing.assert_array_equal(class_indices(ids, config), [IGNORED, 0, 4, IGNORED, IGNORED])


def test_samples_carry_the_features_of_their_points(tmp_path):
    write_bag(tmp_path / "a.mcap", 1, seed=4)
    config = make_config()
    assert config.image_encoder is not None
    torch.manual_seed(0)
    (scan,) = load_scans([tmp_path / "a.mcap"], config, ImageEncoder(config.image_encoder), progress=False)
    assert scan.images is not None and scan.images.features.shape == (6, 16)
    moved = augment(scan, AugmentationConfig(), np.random.default_rng(0), fused=True)
    assert moved.images is not None and len(moved.label) == len(moved.images.patch) < len(scan.label)
    sample = make_sample(moved, config, fused=True)
    # Whatever the augmentation, a point keeps label and patch: intensity is its name here.
    original = {intensity: i for i, intensity in enumerate(scan.fields["intensity"])}
    points = [original[intensity] for intensity in sample.inputs["feat"][:, 3]]
    np.testing.assert_array_equal(sample.label, scan.label[points])
    np.testing.assert_array_equal(sample.inputs["voxel_patch"], scan.images.patch[points])
    np.testing.assert_array_equal(sample.inputs["voxel_patch_weight"], scan.images.weight[points])
    assert "image_features" not in make_sample(moved, config, fused=False).inputs


def test_augmentation_keeps_distances_up_to_its_scale(rng):
    fields = {axis: rng.normal(size=50).astype(np.float32) for axis in "xyz"}
    scan = LabeledScan("", fields, np.zeros(50, np.int8), None)
    settings_ = AugmentationConfig(drop=0.0, jitter=0.0, scale=(1.1, 1.1))
    moved = augment(scan, settings_, rng, fused=False)
    before, after = (np.stack([s.fields[a] for a in "xyz"], 1) for s in (scan, moved))
    np.testing.assert_allclose(
        np.linalg.norm(after[:, None] - after, axis=2),
        1.1 * np.linalg.norm(before[:, None] - before, axis=2),
        atol=1e-5,
    )
    np.testing.assert_allclose(after[:, 2], 1.1 * before[:, 2], atol=1e-6)


def test_a_sector_is_turned_to_what_the_camera_sees(tmp_path, rng):
    write_bag(tmp_path / "a.mcap", 1, seed=5)
    config = make_config()
    assert config.image_encoder is not None
    (scan,) = load_scans([tmp_path / "a.mcap"], config, ImageEncoder(config.image_encoder), progress=False)
    only_sector = AugmentationConfig(rotation=0, scale=(1, 1), flip=0, jitter=0, drop=0, sector=1.0)
    for _ in range(10):
        azimuths = {}
        for fused in (True, False):
            fields = augment(scan, only_sector, rng, fused=fused).fields
            azimuths[fused] = np.unwrap(np.sort(np.arctan2(fields["y"], fields["x"])))
            assert 0 < len(fields["x"]) < 0.5 * len(scan.label)
        # The camera looks along x.
        assert np.abs(azimuths[True]).max() < 1.0 + np.arctan(48 / 60)
