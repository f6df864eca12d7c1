"""What a network is taught of visible voxels, against plain definitions."""

import numpy as np
import pytest
import torch
from conftest import make_config, replace
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training import distillable

from ditr_train.config.model_config import ConfigError
from ditr_train.config.training_config import DistillationConfig
from ditr_train.data.scans import IGNORED, LabeledScan, PointImageFeatures
from ditr_train.export.graphs import random_cloud, random_image_inputs
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.methods.clustering import k_means
from ditr_train.methods.distillation import Distiller, distillation_scores
from ditr_train.methods.distillation_target import ClusterTarget, CosineTarget, range_and_height, seen_voxels
from ditr_train.methods.losses import lovasz_softmax
from ditr_train.model.tables import ImageFeatures

SETTINGS = DistillationConfig(steps=1, scans_per_step=1, learning_rate=1e-3, clusters=3, cluster_weight_power=0.5)
KINDS = np.eye(3, 16, dtype=np.float32) * 9


def test_clusters_are_those_that_are_there(rng):
    means = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(5, 16)).astype(np.float32)), dim=1)
    kind = torch.from_numpy(rng.integers(0, 5, 400))
    points = torch.nn.functional.normalize(means[kind] + 0.05 * torch.from_numpy(rng.normal(size=(400, 16))), dim=1)
    centers = k_means(points.float(), 5, seed=0)
    torch.testing.assert_close(centers.norm(dim=1), torch.ones(5))
    assert ((means @ centers.T).amax(1) > 0.99).all()
    torch.testing.assert_close(k_means(points.float(), 5, seed=0), centers)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_every_number_of_points_and_clusters_gives_unit_centers(points, clusters, seed):
    directions = torch.nn.functional.normalize(
        torch.randn(points, 4, generator=torch.Generator().manual_seed(seed)), dim=1
    )
    centers = k_means(directions[: max(1, points // 2)].repeat(2, 1), clusters, seed)
    assert centers.shape == (clusters, 4)
    torch.testing.assert_close(centers.norm(dim=1), torch.ones(clusters))


def scans_of_kinds(encoder, rng):
    """Two scans in which the feature of a point says of which of three kinds it is; most are of kind 0, and
    what is high up is of kind 2."""
    scans = []
    for count in (200, 300):
        patches = encoder.rows * encoder.columns
        kind = np.where(rng.uniform(size=patches) < 0.7, 0, 1)
        kind[1] = 2
        patch = rng.integers(0, patches, (count, 1)).astype(np.int32)
        seen = np.where(rng.uniform(size=(count, 1)) < 0.8, 1.0, 0.0).astype(np.float32)
        images = PointImageFeatures(
            KINDS[kind] + 1 + 0.01 * rng.normal(size=(patches, 16)).astype(np.float32), patch, seen
        )
        xyz = rng.uniform(-10, 10, (3, count)).astype(np.float32)
        xyz[2] = np.where(patch[:, 0] == 1, 5, -1) + xyz[2] / 100
        fields = dict(zip("xyz", xyz, strict=True))
        scans.append(LabeledScan("", fields, np.full(count, IGNORED, np.int8), images))
    return scans


def voxels_of(scan):
    return seen_voxels(
        ImageFeatures(*map(torch.from_numpy, (scan.images.features, scan.images.patch, scan.images.weight)))
    )


def score(target, predicted, voxels):
    tally = target.tally()
    tally.add(predicted, voxels)
    return tally.value()


def test_places_are_intervals_of_range_and_height(rng):
    encoder = make_config().image_encoder
    scans = scans_of_kinds(encoder, rng)
    target = CosineTarget(encoder.feature_dimension, replace(SETTINGS, cluster_weight_power=0))
    target.fit(scans, seed=0)
    scan = scans[0]
    place = target.place(range_and_height(scan))
    count = len(scan.fields["x"])
    distance = np.sqrt(scan.fields["x"] ** 2 + scan.fields["y"] ** 2)
    for point in rng.integers(0, count, 20):
        near = (target.edges[0].numpy() < distance[point]).sum()
        low = (target.edges[1].numpy() < scan.fields["z"][point]).sum()
        assert place[point] == 12 * near + low
    # Quantiles: every interval has its share.
    assert torch.bincount(place // 12, minlength=12).min() > 0.3 * count / 12


def test_a_cluster_is_a_label(rng):
    encoder = make_config().image_encoder
    scans = scans_of_kinds(encoder, rng)
    target = ClusterTarget(encoder.feature_dimension, SETTINGS)
    target.fit(scans, seed=0)
    voxels = voxels_of(scans[1])
    cluster = target.clusters.assign(voxels.features)
    kind = (voxels.features[:, :3] - 1).argmax(1)
    # The same partition under other names.
    assert len(set(zip(kind.tolist(), cluster.tolist(), strict=True))) == 3
    right = torch.nn.functional.one_hot(cluster, 3).float()
    assert score(target, right, voxels) == 1 and score(target, -right, voxels) == 0
    place = target.place(range_and_height(scans[1])[voxels.seen])
    guesses = target.guesses(place)
    # All voxels are said to be of the first kind, whose IoU is its share; the IoU of the others is 0.
    assert score(target, guesses["constant"], voxels) == pytest.approx(float((kind == 0).float().mean()) / 3)
    # In one interval of height both kinds meet.
    assert (guesses["place"].argmax(1) == cluster)[kind == 2].float().mean() > 0.8
    assert score(target, guesses["place"], voxels) > score(target, guesses["constant"], voxels)

    logits = torch.from_numpy(rng.normal(size=(len(cluster), 3)).astype(np.float32))
    every = torch.cat([target.clusters.assign(voxels_of(scan).features) for scan in scans])
    share = torch.bincount(every, minlength=3) / len(every)
    weight = share**-0.5 / (share**0.5).sum()
    loss = -(weight[cluster] * logits.log_softmax(1)[torch.arange(len(cluster)), cluster]).sum() / weight[cluster].sum()
    torch.testing.assert_close(target.loss(logits, voxels), loss + lovasz_softmax(logits.softmax(1), cluster))

    again = ClusterTarget(encoder.feature_dimension, SETTINGS)
    again.load_state_dict(target.state_dict())
    assert torch.equal(again.clusters.assign(voxels.features), cluster)


def test_the_cosine_is_that_of_the_features(rng):
    encoder = make_config().image_encoder
    scans = scans_of_kinds(encoder, rng)
    target = CosineTarget(encoder.feature_dimension, replace(SETTINGS, cluster_weight_power=0))
    target.fit(scans, seed=0)
    voxels = voxels_of(scans[0])
    predicted = torch.from_numpy(rng.normal(size=(len(voxels.features), 16)).astype(np.float32))
    features = voxels.features.numpy()
    norms = np.linalg.norm(predicted, axis=1) * np.linalg.norm(features, axis=1)
    expected = (predicted.numpy() * features).sum(1) / norms
    assert score(target, predicted, voxels) == pytest.approx(expected.mean(), abs=1e-5)
    assert target.loss(predicted, voxels).item() == pytest.approx(1 - expected.mean(), abs=1e-5)
    guesses = target.guesses(target.place(range_and_height(scans[0])[voxels.seen]))
    constant, place = (score(target, guesses[name], voxels) for name in ("constant", "place"))
    assert constant < place <= 1


def test_rare_kinds_of_features_weigh_more(rng):
    encoder = make_config().image_encoder
    scans = scans_of_kinds(encoder, rng)
    target = CosineTarget(encoder.feature_dimension, SETTINGS)
    target.fit(scans, seed=0)
    features = torch.cat([voxels_of(scan).features for scan in scans])
    share = torch.bincount(target.clusters.assign(features), minlength=3) / len(features)
    voxels = voxels_of(scans[0])
    predicted = torch.from_numpy(rng.normal(size=(len(voxels.features), 16)).astype(np.float32))
    weight = share[target.clusters.assign(voxels.features)] ** -0.5
    distance = 1 - torch.nn.functional.cosine_similarity(predicted, voxels.features)
    expected = (weight * distance).sum() / weight.sum()
    torch.testing.assert_close(target.loss(predicted, voxels), expected)
    assert abs(float(expected - distance.mean())) > 1e-3


def test_too_few_points_for_the_clusters_are_named(rng):
    encoder = make_config().image_encoder
    target = ClusterTarget(encoder.feature_dimension, replace(SETTINGS, clusters=1000))
    with pytest.raises(ConfigError, match=r"distillation\.clusters: 1000 clusters cannot be found in \d+ visible"):
        target.fit(scans_of_kinds(encoder, rng), seed=0)


@pytest.mark.parametrize("sampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("kind", ["cosine", "clusters"])
def test_scores_are_over_the_seen_voxels_of_all_scans(sampling, kind, rng):
    config = distillable(make_config(sampling=sampling))
    config = replace(config, distillation=replace(config.distillation, target=kind))
    torch.manual_seed(0)
    distiller = Distiller(config).eval()
    scans, wanted_of, predicted_of = [], [], []
    for points in (300, 500):
        cloud = random_cloud(config.backbone, points, rng)
        images = random_image_inputs(config, points, rng)
        images["voxel_patch"] %= 6  # those of the configuration's image
        features = PointImageFeatures(images["image_features"][:6], images["voxel_patch"], images["voxel_patch_weight"])
        scans.append(LabeledScan("", cloud, np.full(points, IGNORED, np.int8), features))
    distiller.distillation_target.fit(scans, seed=0)
    for scan in scans:
        voxelized = voxelize_scan(scan.fields, config.backbone)
        patch = scan.images.patch[voxelized.representative]
        weight = scan.images.weight[voxelized.representative]
        seen = weight.max(1) > 0
        wanted = torch.from_numpy(np.einsum("vjc,vj->vc", scan.images.features[patch], weight)[seen])
        inputs = {name: torch.from_numpy(value) for name, value in voxelized.inputs.items()}
        with torch.no_grad():
            predicted = distiller(inputs, torch.from_numpy(seen))
        wanted_of.append(wanted)
        predicted_of.append(predicted)
    wanted, predicted = torch.cat(wanted_of), torch.cat(predicted_of)
    measure = "cosine" if kind == "cosine" else "cluster_miou"
    if kind == "cosine":
        expected = torch.cosine_similarity(predicted, wanted, dim=1).mean().item()
    else:
        right, told = distiller.distillation_target.clusters.assign(wanted), predicted.argmax(1)
        ious = [((right == c) & (told == c)).sum() / ((right == c) | (told == c)).sum() for c in right.unique()]
        expected = float(torch.stack(ious).mean())
    found = distillation_scores(distiller, scans, config)
    assert found[measure] == pytest.approx(expected, abs=1e-5)
    assert found.keys() == {measure, f"constant_{measure}", f"place_{measure}", "scans"}
