"""Features on disk are those that would be computed, and of nothing else."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import make_config
from synthetic_samples import write_samples

from ditr_train.data import remembered_encoder
from ditr_train.data.errors import DataError
from ditr_train.data.loading import load_scans
from ditr_train.data.remembered_encoder import RememberedEncoder, encode, encoder_digest
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.encoders.multi_scale_encoder import MultiScaleEncoder


class Counting(torch.nn.Module):
    """Means of patches, times a weight; counts what it encodes."""

    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(weight))
        self.calls = []

    def forward(self, image):
        self.calls.append(len(image))
        return self.weight * torch.nn.functional.avg_pool2d(image, 16).flatten(2).transpose(1, 2)


def test_an_image_is_encoded_once(tmp_path):
    encoder = Counting()
    remembered = RememberedEncoder(encoder, tmp_path / "features")
    first, second = torch.rand(2, 2, 3, 32, 48)
    with torch.no_grad():
        found = [remembered(image).clone() for image in (first, second, first, first[:1], first)]
        torch.testing.assert_close(found[2], encoder(first), atol=0, rtol=0)
    assert encoder.calls == [2, 2, 1, 2]  # the last is ours
    torch.testing.assert_close(found[0], found[4], atol=0, rtol=0)
    assert not list((tmp_path / "features").rglob("*.part"))
    # It is mapped, and what is written to it stays in memory.
    mapped = remembered(first)
    mapped += 1
    torch.testing.assert_close(remembered(first), found[0], atol=0, rtol=0)


def test_other_weights_other_settings_and_other_pixels_have_other_features(tmp_path):
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        values = {RememberedEncoder(Counting(weight), tmp_path)(image).mean().item() for weight in (1.0, 2.0)}
    assert len(values) == 2
    encoder = Counting()
    digests = {encoder_digest(MultiScaleEncoder(encoder, scales, 2, 2)) for scales in ((1, 2), (2,), (1,))}
    assert len(digests) == 3
    before = encoder_digest(encoder)
    assert encoder_digest(encoder.train()) == encoder_digest(encoder.eval()) == before
    with torch.no_grad():
        encoder.weight.mul_(1.0000001)
    assert encoder_digest(encoder) != before


def test_scans_of_a_bag_have_the_same_features(tmp_path):
    config = make_config()
    write_samples(tmp_path / "bag", 2, seed=3)
    assert config.image_encoder is not None
    encoder = ImageEncoder(config.image_encoder).eval()
    wanted = load_scans([tmp_path / "bag"], config, encoder, progress=False)
    remembered = RememberedEncoder(encoder, tmp_path / "features")
    for _ in range(2):
        found = load_scans([tmp_path / "bag"], config, remembered, progress=False)
        for scan, expected in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(scan.images.features, expected.images.features)
    assert len(list((tmp_path / "features").rglob("*.npy"))) == 4  # and where the points of each scan lie in them


def test_a_worker_process_does_not_encode_on_a_cuda_device(tmp_path, monkeypatch):
    """It would end with CUDA's own message, after minutes of reading."""
    encoder = Counting()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        known = RememberedEncoder(encoder, tmp_path)
        wanted = encode(known, image)
        on_cuda = [SimpleNamespace(device=torch.device("cuda"))]
        monkeypatch.setattr(encoder, "parameters", lambda: iter(on_cuda))
        monkeypatch.setattr(remembered_encoder, "get_worker_info", lambda: SimpleNamespace(id=0))
        torch.testing.assert_close(encode(known, image), wanted)
        with pytest.raises(DataError, match=r"--features FOLDER and without --workers"):
            encode(known, image + 1)


def test_a_damaged_file_is_named(tmp_path):
    remembered = RememberedEncoder(Counting(), tmp_path)
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        remembered(image)
        (path,) = tmp_path.rglob("*.npy")
        path.write_bytes(b"")
        with pytest.raises(DataError, match=path.name):
            remembered(image)
