"""What is mapped from disk is what would be computed, of the same images, cameras, points and settings only."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import make_config
from synthetic_samples import write_samples

from ditr_train.data import point_images as module
from ditr_train.data.bag_samples import open_samples
from ditr_train.data.errors import DataError
from ditr_train.data.loading import load_scans
from ditr_train.data.point_images import point_images
from ditr_train.data.remembered_encoder import RememberedEncoder
from ditr_train.encoders.image_encoder import ImageEncoder


@pytest.fixture(params=["nearest", "bilinear"])
def setting(request, tmp_path):
    """A configuration, its encoder, and the exposures and points of a scan."""
    config = make_config(sampling=request.param)
    write_samples(tmp_path / "samples", 1, seed=90)
    names = ["x", "y", "z", "intensity", config.topics.label_field]
    frame = open_samples(tmp_path / "samples", config.topics, labels=True).frame(
        0, names, config.topics.label_field, config.topics.cameras, images=True
    )
    xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
    return config, ImageEncoder(config.image_encoder).eval(), frame.exposures, xyz


def forbidden(*_, **__):
    raise AssertionError("computed again")


def assert_same(found, wanted):
    for name in ("features", "patch", "weight"):
        value, expected = getattr(found, name), getattr(wanted, name)
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)


def test_nothing_is_done_twice(setting, tmp_path, monkeypatch):
    config, encoder, exposures, xyz = setting
    wanted = point_images(exposures, xyz, config.image_encoder, encoder)
    assert (wanted.weight > 0).any()
    first = point_images(exposures, xyz, config.image_encoder, RememberedEncoder(encoder, tmp_path / "kept"))
    assert_same(first, wanted)
    remembered = RememberedEncoder(encoder, tmp_path / "kept")
    for owner, name in ((module, "decode_image"), (module, "assign_patches"), (encoder, "forward")):
        monkeypatch.setattr(owner, name, forbidden)
    mapped = point_images(exposures, xyz, config.image_encoder, remembered)
    assert_same(mapped, wanted)
    assert all(isinstance(values, np.memmap) for values in (mapped.features, mapped.patch, mapped.weight))
    assert not list((tmp_path / "kept").rglob("*.part"))


def test_a_change_of_anything_is_another_file(setting, tmp_path):
    config, encoder, exposures, xyz = setting
    remembered = RememberedEncoder(encoder, tmp_path / "kept")

    def files():
        return len(list((tmp_path / "kept").rglob("*.npy")))

    point_images(exposures, xyz, config.image_encoder, remembered)
    assert files() == 2
    (exposure,) = exposures
    turned = exposure.view.lidar_to_camera.copy()
    turned[0, 3] += 0.01
    other_file = replace(exposure, image=replace(exposure.image, encoded=other_image(exposure)))
    others = [
        ((replace(exposure, view=replace(exposure.view, lidar_to_camera=turned)),), xyz, config.image_encoder, 1),
        ((replace(exposure, view=replace(exposure.view, k=exposure.view.k * 1.01)),), xyz, config.image_encoder, 1),
        (exposures, xyz + np.float32(0.01), config.image_encoder, 1),
        (exposures, xyz, replace(config.image_encoder, occlusion=not config.image_encoder.occlusion), 2),
        ((other_file,), xyz, config.image_encoder, 1),
    ]
    for changed, points, settings, added in others:
        before = files()
        found = point_images(changed, points, settings, remembered)
        assert files() == before + added
        assert_same(found, point_images(changed, points, settings, encoder))


def other_image(exposure):
    """The same pixels in another file: with a comment behind the end of the image."""
    return exposure.image.encoded + b"\0"


def test_scans_in_memory_count_what_is_not_mapped(tmp_path):
    config = make_config()
    write_samples(tmp_path / "samples", 1, seed=91)
    encoder = ImageEncoder(config.image_encoder).eval()
    (held,) = load_scans([tmp_path / "samples"], config, encoder, progress=False)
    (mapped,) = load_scans(
        [tmp_path / "samples"], config, RememberedEncoder(encoder, tmp_path / "kept"), progress=False
    )
    images = held.images
    of_images = images.features.nbytes + images.patch.nbytes + images.weight.nbytes
    assert held.held_bytes() - mapped.held_bytes() == of_images > 0


def test_a_damaged_file_is_named(setting, tmp_path):
    config, encoder, exposures, xyz = setting
    remembered = RememberedEncoder(encoder, tmp_path / "kept")
    point_images(exposures, xyz, config.image_encoder, remembered)
    for path in (tmp_path / "kept").rglob("*.npy"):
        whole = path.read_bytes()
        path.write_bytes(whole[:40])
        with pytest.raises(DataError, match=path.name):
            point_images(exposures, xyz, config.image_encoder, remembered)
        path.write_bytes(whole)
