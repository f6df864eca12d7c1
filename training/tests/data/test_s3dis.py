"""The reader of S3DIS, on files of its published layout."""

import warnings

import numpy as np
import pytest
from indoor_layouts import write_s3dis

from ditr_train.data.errors import DataError
from ditr_train.data.s3dis import S3dis
from ditr_train.data.scene_images import MOST_IMAGES
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "red", "green", "blue", "label"]


def test_points_colours_and_classes_of_the_objects_of_a_room(tmp_path):
    truth = write_s3dis(tmp_path, {"Area_1": ["office_1", "hallway_2"], "Area_3": ["WC_1"]})
    dataset = S3dis(tmp_path, "Area_3,Area_1")
    assert [dataset.frame_name(i) for i in range(3)] == [
        "s3dis/Area_3/WC_1",
        "s3dis/Area_1/hallway_2",
        "s3dis/Area_1/office_1",
    ]
    for i in range(3):
        values, ids = truth[tuple(dataset.frame_name(i).split("/")[1:])]
        frame = dataset.frame(i, FIELDS, "label", images=True)
        np.testing.assert_array_equal(np.stack([frame.fields[name] for name in FIELDS[:6]], 1), values)
        np.testing.assert_array_equal(frame.fields["label"], ids)
        assert frame.exposures == () and frame.stamp == 0 and not dataset.has_images(i)
        assert frame.fields["x"].dtype == np.float32


def test_splits(tmp_path):
    write_s3dis(tmp_path, {f"Area_{number}": ["office_1", "office_2"][: 1 + number % 2] for number in range(1, 7)})
    assert [len(S3dis(tmp_path, split)) for split in ("train", "test", "Area_5", "Area_2,Area_4")] == [7, 2, 2, 2]
    assert S3dis(tmp_path, "train").frame_name(6) == "s3dis/Area_6/office_1"
    for split in ("val", "area_5", "Area_7", "Area_1,", ""):
        with pytest.raises(DataError, match=r"s3dis: the split '.*' is none of train, test, and '.*' is no area"):
            S3dis(tmp_path, split)
    with pytest.raises(DataError, match="Area_1/Area_5: no room with a folder Annotations there, which s3dis:test"):
        S3dis(tmp_path / "Area_1", "test")


def test_a_point_is_seen_where_the_pose_says_in_both_halves_of_area_5(tmp_path):
    write_s3dis(tmp_path, {"Area_5": ["office_1", "office_11"]}, images=2)
    dataset = S3dis(tmp_path, "test")
    assert dataset.has_images(0) and dataset.has_images(1)
    exposures = dataset.exposures(0)
    assert len(exposures) == 4
    in_5b = np.array([(0, 0, 0), (1, 1, 1.0)])
    # The second half is turned by a right angle: x_b = 6.22617759 - y, y_b = x + 4.09703582.
    points = {2: np.stack([in_5b[:, 1] - 4.09703582, 6.22617759 - in_5b[:, 0], in_5b[:, 2]], 1), 0: in_5b}
    for place, xyz in points.items():
        u, v, depth, visible = project(xyz, exposures[place].view)
        np.testing.assert_allclose(u, [23.5 + 40 * 0.5 / 3, 23.5 - 40 * 0.5 / 4])
        np.testing.assert_allclose(v, [15.5 + 40 * 0.5 / 3, 15.5 - 40 * 0.5 / 4])
        np.testing.assert_allclose(depth, [3, 4])
        assert visible.all()


def test_images_are_chosen_evenly_and_not_shown_on_turned_rooms(tmp_path):
    write_s3dis(tmp_path / "a", {"Area_2": ["auditorium_1"]}, images=2 * MOST_IMAGES)
    assert len(S3dis(tmp_path / "a", "Area_2").exposures(0)) == MOST_IMAGES
    write_s3dis(tmp_path / "b", {"Area_2": ["auditorium_1"]}, images=1, aligned=True)
    with pytest.raises(DataError, match=r"Area_2_alignmentAngle\.txt: No such file; .* not to its Aligned_Version"):
        S3dis(tmp_path / "b", "Area_2").exposures(0)


@pytest.mark.parametrize("damage", [b"185\x00187 200", b"185 187\x1020"])
def test_the_point_of_a_damaged_line_is_left_out_with_one_warning(tmp_path, damage):
    """As the published Area_5/hallway_6/Annotations/ceiling_1.txt has it."""
    values, ids = write_s3dis(tmp_path, {"Area_5": ["hallway_6"]})["Area_5", "hallway_6"]
    path = tmp_path / "Area_5" / "hallway_6" / "Annotations" / "ceiling_1.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"22.348 6.692 3.048 " + damage + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match=r"ceiling_1\.txt, line 2: b'22\.348 .*' is damaged, this point is left out"):
        frame = S3dis(tmp_path, "test").frame(0, FIELDS, "label", images=False)
    kept = np.arange(len(ids)) != 1
    np.testing.assert_array_equal(np.stack([frame.fields[name] for name in FIELDS[:6]], 1), values[kept])
    np.testing.assert_array_equal(frame.fields["label"], ids[kept])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 2 3 4 5 6\n1 2 3 4 5\n", r"chair_1\.txt: .*changed from 6 to 5"),
        (b"1 2 3 4 5\n", r"chair_1\.txt: 5 numbers in a line, not x, y, z, red, green, blue"),
        (b"1 2 3 4 5 6\n1 2 3 4 5 six\n", r"chair_1\.txt: could not convert string 'six'"),
        (b"\x001 2\n1 2\x01\n", r"chair_1\.txt: 2 lines are no text, the first is line 1, .* extract the file anew"),
        (b"\xff\xfe\n\x80", r"chair_1\.txt: 2 lines are no text"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, content, message):
    write_s3dis(tmp_path, {"Area_1": ["office_1"]})
    (tmp_path / "Area_1" / "office_1" / "Annotations" / "chair_1.txt").write_bytes(content)
    with pytest.raises(DataError, match=message), warnings.catch_warnings():
        warnings.simplefilter("error")
        S3dis(tmp_path, "Area_1").frame(0, FIELDS, "label", images=False)


def test_empty_objects_and_rooms(tmp_path):
    _, ids = write_s3dis(tmp_path, {"Area_1": ["office_1"]})["Area_1", "office_1"]
    annotations = tmp_path / "Area_1" / "office_1" / "Annotations"
    (annotations / "beam_1.txt").write_text("\n")
    assert len(S3dis(tmp_path, "Area_1").frame(0, FIELDS, "label", images=False).fields["label"]) == len(ids)
    for path in annotations.iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"office_1/Annotations: no \.txt file of an object there"):
        S3dis(tmp_path, "Area_1").frame(0, FIELDS, "label", images=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "_pose.json: .*No such file"),
        ("{", "_pose.json: Expecting property name"),
        ('{"camera_k_matrix": [[1, 2, 3]]}', "_pose.json: cannot reshape"),
        ('{"camera_k_matrix": [1,2,3,4,5,6,7,8,9]}', "_pose.json: it has no 'camera_rt_matrix'"),
    ],
)
def test_a_malformed_pose_is_named(tmp_path, content, message):
    write_s3dis(tmp_path, {"Area_1": ["office_1"]}, images=1)
    (pose,) = (tmp_path / "area_1" / "data" / "pose").iterdir()
    pose.unlink() if content is None else pose.write_text(content)
    with pytest.raises(DataError, match=message):
        S3dis(tmp_path, "Area_1").exposures(0)
