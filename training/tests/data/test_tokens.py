"""Tokens of a scan: masks that are one over several images, clusters of what is left, nearest neighbours."""

import hypothesis.strategies as st
import numpy as np
import pytest
from conftest import make_config, replace
from hypothesis import given, settings

from ditr_train.config.model_config import ConfigError
from ditr_train.config.training_config import TokensConfig
from ditr_train.data.errors import DataError
from ditr_train.data.images import patch_grid
from ditr_train.data.mask_tokens import UNSEEN, linked, mask_tokens
from ditr_train.data.point_tokens import clusters, nearest_neighbor_tokens
from ditr_train.data.regions import NO_REGION, PointRegions, region_features
from ditr_train.data.scan_tokens import tokens_of_neighbors, tokens_of_regions, with_neighbor_tokens
from ditr_train.data.scans import LabeledScan, PointImageFeatures
from ditr_train.data.stored_scans import StoredScan, StoredScans
from ditr_train.geometry.projection import CameraView, assign_pixels, project, visible_pixels
from ditr_train.geometry.scan_geometry import voxelize
from ditr_train.geometry.tokens import farthest_points


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


def groups(numbers):
    """What belongs together, whatever the numbers; those below 0 belong nowhere."""
    return {frozenset(np.flatnonzero(numbers == n).tolist()) for n in np.unique(numbers) if n >= 0}


def test_masks_that_share_their_points_are_one():
    # Image A sees points 0 to 9, B sees 5 to 14, C sees 10 to 19.
    a, b, c = np.full((3, 20), UNSEEN)
    a[:10] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]  # noqa: RUF100
    b[5:15] = [2, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    c[10:20] = [4, 4, 4, 4, 4, 4, 5, 5, 5, NO_REGION]
    # Of the points that A and B both see, 5 to 9: masks 0 and 2 have 5 to 8 (IoU 1), 1 and 3 have point 9 (1).
    # Of 10 to 14, which B and C see: masks 3 and 4 have all (1).
    assert groups(linked([a, b, c], 6, 0.5, 1)) == {frozenset({0, 2}), frozenset({1, 3, 4}), frozenset({5})}
    assert groups(linked([a, b, c], 6, 0.5, 2)) == {
        frozenset({0, 2}),
        frozenset({1}),
        frozenset({3, 4}),
        frozenset({5}),
    }
    assert groups(linked([a, b, c], 6, 0.5, 5)) == {frozenset({n}) for n in (0, 1, 2, 5)} | {frozenset({3, 4})}
    # Half of what either has in common is enough, less is not: masks 0 and 2 share 3 of 5 points.
    b[5:10] = [2, 2, 2, 3, 3]
    a[5:10] = [0, 0, 0, 0, 0]
    assert frozenset({0, 2}) in groups(linked([a, b], 4, 0.6, 1))
    assert frozenset({0, 2}) not in groups(linked([a, b], 4, 0.61, 1))
    assert linked([], 0, 0.5, 1).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_merging_is_that_of_sets_and_a_union_find(seed):
    """Independent: sets of points, and a search for what is connected."""
    rng = np.random.default_rng(seed)
    points, of_views, first = 30, [], 0
    for _ in range(int(rng.integers(1, 5))):
        masks = int(rng.integers(1, 4))
        mask = rng.integers(-2, masks, points)
        of_views.append(np.where(mask >= 0, mask + first, mask).astype(np.int64))
        first += masks
    iou, least = float(rng.uniform(0.05, 0.8)), int(rng.integers(1, 5))
    parent = list(range(first))

    def root(n):
        return n if parent[n] == n else root(parent[n])

    for i, one in enumerate(of_views):
        for other in of_views[i + 1 :]:
            both = {p for p in range(points) if one[p] != UNSEEN and other[p] != UNSEEN}
            for m in set(one[one >= 0].tolist()):
                for n in set(other[other >= 0].tolist()):
                    a = {p for p in both if one[p] == m}
                    b = {p for p in both if other[p] == n}
                    if len(a & b) >= least and len(a & b) >= iou * len(a | b):
                        parent[root(m)] = root(n)
    assert groups(linked(of_views, first, iou, least)) == groups(np.array([root(n) for n in range(first)]))


def test_points_take_the_mask_of_the_image_near_whose_center_they_are(rng):
    views = [view(), view(0.5, width=64)]
    ids = [rng.integers(0, 5, (v.height, v.width)).astype(np.uint16) * 1000 for v in views]
    xyz = rng.uniform([1, -6, -3], [9, 6, 3], (400, 3))
    found = mask_tokens(xyz, views, ids, True, TokensConfig(merge_points=401))
    camera, row, column = assign_pixels(xyz, views, True)
    masks = {token: (int(i), int(m)) for i, m, token in zip(found.image, found.mask, found.token, strict=True)}
    assert len(masks) == len(found.token) == 8  # none is merged
    elsewhere = 0
    for point in range(len(xyz)):
        value = ids[camera[point]][row[point], column[point]] if camera[point] >= 0 else 0
        if value:
            assert masks[int(found.region[point])] == (camera[point], value)
            continue
        # The other image may have a mask there.
        for number, other in enumerate(views):
            points, rows, columns, _ = visible_pixels(xyz, other, True)
            at = np.flatnonzero(points == point)
            if number != camera[point] and len(at) and ids[number][rows[at[0]], columns[at[0]]]:
                assert masks[int(found.region[point])][0] == number
                elsewhere += 1
                break
        else:
            assert found.region[point] == NO_REGION
    assert elsewhere > 0 and set(camera.tolist()) == {-1, 0, 1}


def test_visible_pixels_are_those_of_the_projection(rng):
    camera = view(0.2)
    xyz = rng.uniform([-2, -6, -3], [9, 6, 3], (200, 3))
    points, row, column, distance = visible_pixels(xyz, camera, False)
    u, v, _, visible = project(xyz, camera)
    np.testing.assert_array_equal(points, np.flatnonzero(visible))
    np.testing.assert_array_equal(column, np.round(u[points]))
    np.testing.assert_array_equal(row, np.round(v[points]))
    expected = ((u[points] - 29.5) / 60) ** 2 + ((v[points] - 19.5) / 40) ** 2
    np.testing.assert_allclose(distance, expected)


def test_images_of_another_size_are_refused():
    with pytest.raises(DataError, match=r"region ids is 30 x 40, its camera's images are 60 x 40"):
        mask_tokens(np.zeros((1, 3)), [view()], [np.zeros((40, 30), np.uint16)], False, TokensConfig())


def test_an_object_that_two_cameras_see_is_one_token_with_the_features_of_both(rng):
    """Two cameras at one place see the same wall in two parts; what each sees of a part is a mask of its own."""
    config = make_config()
    encoder = config.image_encoder
    views = [view(-0.2), view(0.2)]
    xyz = np.column_stack([np.full(900, 6.0), rng.uniform(0.4, 5, 900), rng.uniform(-3, 3, 900)]).astype(np.float32)
    xyz[::2, 1] *= -1
    left = xyz[:, 1] > 0
    ids = []
    for number, camera in enumerate(views):
        # The column of y = 0 divides the image: masks are told by which side of it a pixel is on.
        u, _, _, _ = project(np.array([[6.0, 0, 0]]), camera)
        side = np.arange(60) < u[0]
        ids.append(np.broadcast_to(np.where(side, 7 + number, 3), (40, 60)).astype(np.uint16))
    features = rng.normal(size=(2 * encoder.rows * encoder.columns, 16)).astype(np.float32)
    tokens = tokens_of_regions(xyz, views, ids, config, features)
    assert tokens.seen == 2 and tokens.features.shape == (2, 16)
    seen = tokens.in_seen()
    assert seen.mean() > 0.7
    for side in (left, ~left):
        assert len(set(tokens.region[seen & side].tolist())) == 1
    patches = np.split(features, 2)
    for side, of_images in ((left, (7, 8)), (~left, (3, 3))):
        token = tokens.region[seen & side][0]
        total, pixels = np.zeros(16), 0
        for image, value, some in zip(ids, of_images, patches, strict=True):
            area = int((image == value).sum())
            total += area * region_features(image, np.array([value], np.uint16), some, encoder)[0]
            pixels += area
        np.testing.assert_allclose(tokens.features[token], total / pixels, atol=1e-5)
    # What no camera sees is left to clusters, whose numbers follow.
    assert (tokens.region[~seen] >= 2).all() and patch_grid(encoder).columns == encoder.columns
    # Not merged, each part is a token of the image near whose centre its points are, with the features of that one.
    alone = tokens_of_regions(xyz, views, ids, replace(config, tokens=TokensConfig(merge_points=1000)), features)
    assert alone.seen == 2
    for side, number, value in ((left, 1, 8), (~left, 0, 3)):
        expected = region_features(ids[number], np.array([value], np.uint16), patches[number], encoder)[0]
        token = np.bincount(alone.region[seen & side]).argmax()
        np.testing.assert_allclose(alone.features[token], expected, atol=1e-5)
    assert tokens_of_regions(xyz, views, ids, config, None).features is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_clusters_are_touching_cells_of_a_block(seed):
    rng = np.random.default_rng(seed)
    backbone = make_config().backbone
    config = TokensConfig(cluster_cell=0.5, cluster_block=2.0)
    xyz = rng.uniform([-4, -4, -1], [4, 4, 1], (int(rng.integers(1, 60)), 3)).astype(np.float32)
    xyz[rng.uniform(size=len(xyz)) < 0.1, 0] = 50  # out of range
    found = clusters(xyz, backbone, config)
    inside = np.abs(xyz[:, 0]) < 20
    np.testing.assert_array_equal(found >= 0, inside)
    if not inside.any():
        return
    cell = np.floor((xyz[inside].astype(float) - xyz[inside].astype(float).min(axis=0)) / 0.5).astype(int)
    number = np.arange(len(cell))
    for _ in range(len(cell)):
        for i in range(len(cell)):
            touching = (np.abs(cell - cell[i]).max(axis=1) <= 1) & (cell // 4 == cell[i] // 4).all(axis=1)
            number[touching] = number[touching].min()
    for _ in range(len(cell)):
        number = number[number]
    assert groups(found[inside]) == groups(number)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nearest_neighbors_are_found_one_by_one(seed):
    rng = np.random.default_rng(seed)
    backbone = make_config().backbone
    config = TokensConfig(kind="knn", knn_centers=int(rng.integers(1, 9)), knn_voxels=int(rng.integers(1, 9)))
    xyz = rng.uniform([-4, -4, -1], [4, 4, 1], (int(rng.integers(1, 50)), 3)).astype(np.float32)
    found = nearest_neighbor_tokens(xyz, backbone, config)
    point_to_voxel, representative, _ = voxelize(xyz, backbone.grid_size, backbone.point_range)
    voxels = xyz[representative].astype(float)
    centers = [0]
    while len(centers) < min(config.knn_centers, len(voxels)):
        nearest = [min(np.linalg.norm(v - voxels[c]) for c in centers) for v in voxels]
        centers.append(int(np.argmax(nearest)))
    assert farthest_points(voxels, config.knn_centers).tolist() == centers
    claimed = {}
    for number, center in enumerate(centers):
        distance = np.linalg.norm(voxels - voxels[center], axis=1)
        for voxel in np.argsort(distance)[: config.knn_voxels]:
            claimed.setdefault(int(voxel), []).append((distance[voxel], number))
    expected = [min(claimed[v])[1] if v in claimed else NO_REGION for v in range(len(voxels))]
    assert found.tolist() == [expected[v] for v in point_to_voxel]


def images_of(count, seen, rng):
    """Image features of points, of which the first `seen` are seen."""
    weight = np.zeros((count, 4), np.float32)
    weight[:seen] = rng.dirichlet(np.ones(4), seen)
    return PointImageFeatures(
        rng.normal(size=(6, 5)).astype(np.float32), rng.integers(0, 6, (count, 4)).astype(np.int32), weight
    )


def test_neighbor_tokens_have_the_mean_feature_of_the_points_that_a_camera_sees(rng):
    config = replace(make_config(), tokens=TokensConfig(kind="knn", knn_centers=12, knn_voxels=10))
    xyz = rng.uniform([-4, -4, -1], [4, 4, 1], (150, 3)).astype(np.float32)
    xyz = xyz[np.argsort(xyz[:, 0])]
    images = images_of(150, 60, rng)
    found = tokens_of_neighbors(xyz, config, images)
    assert 0 < found.seen < 12 and found.features.shape == (found.seen, 5)
    assert groups(found.region) == groups(nearest_neighbor_tokens(xyz, config.backbone, config.tokens))
    for token in range(12):
        points = [p for p in np.flatnonzero(found.region == token) if p < 60]
        assert (len(points) > 0) == (token < found.seen)
        if points:
            mean = np.mean([images.weight[p] @ images.features[images.patch[p]] for p in points], axis=0)
            np.testing.assert_allclose(found.features[token], mean, atol=1e-5)
    assert tokens_of_neighbors(xyz, config, None).seen == 12


def test_scans_get_other_tokens_when_they_are_read(rng):
    config = replace(make_config(), tokens=TokensConfig(kind="knn", knn_centers=4))
    xyz = rng.uniform([-4, -4, -1], [4, 4, 1], (40, 3)).astype(np.float32)
    fields = dict(zip("xyz", xyz.T, strict=True))
    label, region = np.zeros(40, np.int32), PointRegions(np.zeros(40, np.int32), None, 1)
    scan = LabeledScan("a", fields, label, images_of(40, 20, rng), region)
    blind = replace(scan, regions=None)
    stored = StoredScans([scan, StoredScan("b", True, lambda images: scan)])
    expected = tokens_of_neighbors(xyz, config, scan.images).region
    for scans in (with_neighbor_tokens([scan, scan], config), with_neighbor_tokens(stored, config)):
        assert [each.regions.region.tolist() for each in scans] == [expected.tolist()] * 2
    assert with_neighbor_tokens([blind], config)[0] is blind


@pytest.mark.parametrize(
    ("name", "value"), [("merge_iou", 0), ("merge_points", 0), ("cluster_block", 0.1), ("knn_centers", 0)]
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ConfigError, match=rf"tokens\.{name}: {value} is"):
        TokensConfig(**{name: value})
