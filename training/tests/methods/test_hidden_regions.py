"""What a student of masked token prediction reads of a scan: nothing of the regions that are hidden from it."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from conftest import make_config, replace
from hypothesis import given, settings
from synthetic_samples import write_samples

from ditr_train.config.training_config import MaskedTokenConfig
from ditr_train.data.loading import load_scans
from ditr_train.data.regions import NO_REGION, RegionTopics
from ditr_train.data.scans import make_sample
from ditr_train.methods.masked_tokens import MaskedStudent
from ditr_train.methods.region_samples import VISIBLE, choose_masked, hide_regions, make_region_sample
from ditr_train.model.device import CPU, tensors_on
from ditr_train.model.region_tokens import regions_of
from ditr_train.model.token_predictor import TokenPredictor, waves

CONFIG = replace(
    make_config(),
    masked_token_prediction=MaskedTokenConfig(steps=1, scans_per_step=1, learning_rate=0.01, groups=3),
)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Scans with the regions of the samples themselves, without image features."""
    bag = tmp_path_factory.mktemp("scans") / "a"
    write_samples(bag, 1, seed=3, with_labels=False, with_regions=True)
    return load_scans([bag], CONFIG, None, labels=False, regions=RegionTopics(), progress=False)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 40), st.floats(0.05, 0.95), st.integers(0, 1000))
def test_the_masked_share_of_the_regions(count, ratio, seed):
    masked = choose_masked(count, ratio, np.random.default_rng(seed))
    assert masked.shape == (count,)
    if count < 2:
        assert not masked.any()
    else:
        assert 1 <= masked.sum() <= count - 1
        assert abs(masked.sum() - ratio * count) <= 1


def hidden_sample(scan, masked=None):
    """The sample of stage 2 of a scan, in which 60 % of the regions are hidden, or those that are named."""
    sample = make_region_sample(scan, CONFIG, 4)
    if masked is None:
        masked = choose_masked(len(sample.inputs["region_place"]), 0.6, np.random.default_rng(1))
    return hide_regions(scan, sample, masked, lambda rest: make_sample(rest, CONFIG, fused=False))


def view_of(sample):
    """All that the student reads of a sample: what is left of the scan, and where the regions are."""
    masked = sample.inputs["masked_regions"]
    read = {name: values for name, values in sample.inputs.items() if name.startswith(VISIBLE)}
    return read | {"masked": masked, "visible_centers": sample.inputs["region_center"][~masked]}


def assert_same_view(one, other):
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def hidden_points(scan, sample):
    """[N] whether a point belongs to a hidden region."""
    voxel_region, masked = sample.inputs["voxel_region"], sample.inputs["masked_regions"]
    tokens = {
        int(scan.regions.region[sample.representative[v]])
        for v in range(len(voxel_region))
        if voxel_region[v] >= 0 and masked[voxel_region[v]]
    }
    return np.isin(scan.regions.region, list(tokens))


def changed_where(scan, points, rng):
    """Points of the scan moved to other places, with other intensities."""
    fields = dict(scan.fields)
    for axis, least, most in (("x", -15, 15), ("y", -15, 15), ("z", -3, 3)):
        fields[axis] = np.where(points, rng.uniform(least, most, len(points)), fields[axis]).astype(np.float32)
    fields["intensity"] = np.where(points, 7, fields["intensity"]).astype(np.float32)
    return replace(scan, fields=fields)


def test_nothing_of_a_hidden_region_is_in_what_the_student_reads(scans, rng):
    scan = scans[0]
    sample = hidden_sample(scan)
    hidden = hidden_points(scan, sample)
    assert 0.05 < hidden.mean() < 0.95
    # Corners of the scan are hidden: not even where the grid of voxels begins is told by them.
    spread = changed_where(scan, hidden, rng)
    assert spread.fields["x"].min() < scan.fields["x"].min() - 1
    other = hidden_sample(spread, sample.inputs["masked_regions"])
    assert not np.array_equal(other.inputs["voxel_region"], sample.inputs["voxel_region"])
    assert_same_view(view_of(sample), view_of(other))
    # The same regions with fewer points, if they are not so small that they would not be tokens any more.
    region = scan.regions.region
    small = np.isin(region, np.flatnonzero(np.bincount(region[region >= 0]) < 30))
    kept = np.flatnonzero(~hidden | small | (rng.uniform(size=len(hidden)) < 0.6))
    assert len(kept) < 0.95 * len(hidden)
    fewer = hidden_sample(scan.subset(kept), sample.inputs["masked_regions"])
    assert_same_view(view_of(sample), view_of(fewer))
    # All else is there.
    alone = make_sample(scan.subset(np.flatnonzero(~hidden)), CONFIG, fused=False)
    np.testing.assert_array_equal(sample.inputs["visible_feat"], alone.inputs["feat"])


def test_one_visible_bit_of_a_hidden_region_is_found(scans, rng):
    """The comparison above has teeth: it fails where a single point of a hidden region stays in the scan."""
    scan = scans[0]
    sample = hidden_sample(scan)
    hidden = hidden_points(scan, sample)
    voxel = sample.point_to_voxel
    # Of voxels in which no other point is.
    single = np.flatnonzero(hidden & (voxel >= 0) & (np.bincount(voxel[voxel >= 0])[voxel] == 1))
    for point in rng.choice(single, 5, replace=False):
        region = scan.regions.region.copy()
        region[point] = NO_REGION  # a point of no region is always visible
        leaking = replace(scan, regions=replace(scan.regions, region=region))
        with pytest.raises(AssertionError):
            assert_same_view(view_of(sample), view_of(hidden_sample(leaking, sample.inputs["masked_regions"])))


@pytest.mark.parametrize("position_encoding", ["rotary", "convolution", "residual"])
def test_the_student_reads_nothing_else(scans, position_encoding):
    config = replace(CONFIG, backbone=make_config(position_encoding).backbone)
    torch.manual_seed(0)
    student = MaskedStudent(config)
    sample = make_region_sample(scans[0], config, 4)
    masked = choose_masked(len(sample.inputs["region_place"]), 0.6, np.random.default_rng(1))
    sample = hide_regions(scans[0], sample, masked, lambda rest: make_sample(rest, config, fused=False))
    inputs = tensors_on(CPU, sample.inputs)
    read = (VISIBLE, "region_center", "masked_regions")
    poisoned = {
        name: value if name.startswith(read) else torch.full_like(value, torch.nan if value.is_floating_point() else -7)
        for name, value in inputs.items()
    }
    assert torch.isnan(poisoned["feat"]).all() and torch.isnan(poisoned["region_place"]).all()
    for training in (False, True):
        student.train(training)
        results = []
        for each in (inputs, poisoned):
            torch.manual_seed(1)
            with torch.no_grad():
                results.append(student(each, regions_of(each)))
        (tokens, scene), (same, same_scene) = results
        assert tokens.shape == (int(masked.sum()), student.backbone.out_channels) and scene.shape == (
            1,
            tokens.shape[1],
        )
        assert torch.equal(tokens, same) and torch.equal(scene, same_scene) and torch.isfinite(tokens).all()
    # What is left is looked at, and so are the positions of hidden regions.
    student.eval()
    with torch.no_grad():
        tokens, _ = student(inputs, regions_of(inputs))
        noise = inputs | {"visible_feat": inputs["visible_feat"] + 1}
        moved = inputs | {"region_center": inputs["region_center"] + torch.from_numpy(masked)[:, None] * 0.3}
        for other in (noise, moved):
            assert not torch.allclose(student(other, regions_of(other))[0], tokens, atol=1e-4)


def test_hidden_tokens_are_told_apart_by_their_position_alone():
    torch.manual_seed(0)
    predictor = TokenPredictor(5, 16, 2, 4).eval()
    seen, at, where = torch.randn(6, 5), 10 * torch.randn(6, 3), 10 * torch.randn(3, 3)
    where[1] = where[0]
    with torch.no_grad():
        tokens, scene = predictor(seen, at, where)
        torch.testing.assert_close(tokens[0], tokens[1])
        assert not torch.allclose(tokens[0], tokens[2], atol=1e-4)
        order = torch.tensor([3, 1, 5, 0, 2, 4])
        again, same_scene = predictor(seen[order], at[order], where)
    torch.testing.assert_close(again, tokens, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(same_scene, scene, atol=1e-5, rtol=1e-5)
    found = waves(torch.tensor([[0.25, 0.0, 64.0]]))[0]
    assert found.shape == (54,)
    # x: a quarter of 1 m, z: a quarter of 256 m.
    assert found[0] == pytest.approx(1, abs=1e-5) and found[26] == pytest.approx(1, abs=1e-5)
    assert found[9] == 0 and found[27 + 9] == 1
