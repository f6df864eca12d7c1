"""Sample folders: what is in them, which cameras are taken, and what is refused."""

import json
import shlex

import numpy as np
import pytest
from conftest import make_config, replace
from synthetic_samples import FLOOR, FRONT, START, write_samples

from ditr_train.config.model_config import CameraTopics, TopicsConfig, config_from_document, config_to_document
from ditr_train.data import bag_samples, loading
from ditr_train.data.bag_samples import open_samples
from ditr_train.data.errors import DataError
from ditr_train.data.images import decode_rgb
from ditr_train.data.loading import load_scans
from ditr_train.data.sample_folder import SampleFolder
from ditr_train.data.stored_scans import StoredScans, scan_names
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "intensity", "ground_truth"]
LEFT, REAR = "/camera/left/image", "/camera/rear/image"


def frames_of(folder, cameras=()):
    samples = SampleFolder(folder)
    return [samples.frame(i, FIELDS, "ground_truth", cameras, images=True) for i in range(len(samples))]


def test_fields_labels_stamps_and_images(tmp_path):
    clouds = write_samples(tmp_path / "a", 3, seed=1, image_every=2)
    frames = frames_of(tmp_path / "a")
    assert [frame.stamp for frame in frames] == [START + i * 10**8 for i in range(3)]
    for frame, cloud in zip(frames, clouds, strict=True):
        for name in FIELDS:
            np.testing.assert_array_equal(frame.fields[name], cloud[name])
    assert [[e.image.stamp - frame.stamp for e in frame.exposures] for frame in frames] == [[10**7], [], [10**7]]
    assert {frame.bag for frame in frames} == {"a.mcap"}
    assert decode_rgb(frames[0].exposures[0].image.encoded).size == (96, 64)


def test_the_projection_meets_the_semantic_image(tmp_path):
    write_samples(tmp_path / "a", 2, seed=2)
    images = [image for _, image in SampleFolder(tmp_path / "a").images(())]
    for frame, image in zip(frames_of(tmp_path / "a"), images, strict=True):
        assert image.semantic is not None and image.topic == FRONT
        xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
        u, v, _, visible = project(xyz, frame.exposures[0].view)
        assert 0.05 < visible.mean() < 0.6
        boxes = visible & (frame.fields["ground_truth"] < FLOOR)
        seen = image.semantic[np.rint(v[boxes]).astype(int), np.rint(u[boxes]).astype(int)]
        assert (seen == frame.fields["ground_truth"][boxes]).mean() > 0.99


def test_cameras_that_are_named_are_taken_in_their_order(tmp_path):
    write_samples(tmp_path / "a", 1, seed=1, cameras=(FRONT, LEFT, REAR))

    def topics(*cameras):
        (frame,) = frames_of(tmp_path / "a", tuple(map(CameraTopics, cameras)))
        return [exposure.image.topic for exposure in frame.exposures]

    assert topics() == [FRONT, LEFT, REAR]
    assert topics(REAR, "/camera/none/image", FRONT) == [REAR, FRONT]
    named = TopicsConfig(cameras=(CameraTopics("/other"), CameraTopics("/another")))
    with pytest.raises(DataError, match=rf"has images of {FRONT}, .*, none of /other, /another, which topics\.cameras"):
        open_samples(tmp_path / "a", named)


def test_settings_of_runs_that_read_bags_themselves_are_passed_over():
    document = json.loads(json.dumps(config_to_document(make_config())))
    camera = {"image": FRONT, "semantic": "/s", "camera_info": "/c", "offset": 0.05, "tolerance": 0.01}
    document["topics"] = {"cloud": "/lidar/points", "label_field": "id", "cameras": [camera]}
    topics = config_from_document(document).topics
    assert topics == TopicsConfig("/lidar/points", "id", (CameraTopics(FRONT, "/s"),))


def test_what_does_not_fit_in_memory_is_read_when_it_is_needed(tmp_path, monkeypatch):
    write_samples(tmp_path / "a", 4, seed=1)
    config = make_config()
    held = load_scans([tmp_path / "a"], config, None, progress=False)
    assert isinstance(held, list)
    monkeypatch.setattr(loading, "HELD_BYTES", held[0].held_bytes() + 1)
    scans = load_scans([tmp_path / "a"], config, None, progress=False)
    assert isinstance(scans, StoredScans) and scan_names(scans) == [scan.name for scan in held]
    assert scan_names(scans)[0] == f"a.mcap@{START}"
    for some, other in zip(scans, held, strict=True):
        np.testing.assert_array_equal(some.label, other.label)
        np.testing.assert_array_equal(some.fields["x"], other.fields["x"])
    # The first two are held, the others are not.
    np.load(tmp_path / "a" / "labels.npy", mmap_mode="r+")[:] = 0
    assert (scans[1].label >= 0).all() and (scans[2].label < 0).all()


def test_samples_without_labels_serve_where_none_are_needed(tmp_path):
    write_samples(tmp_path / "a", 1, seed=1, with_labels=False)
    assert (load_scans([tmp_path / "a"], make_config(), None, labels=False, progress=False)[0].label < 0).all()
    with pytest.raises(DataError, match=r"the cloud of a\.mcap at \d+ had no labels in a field ground_truth"):
        load_scans([tmp_path / "a"], make_config(), None, progress=False)


def test_fields_and_classes_that_samples_do_not_have_are_refused(tmp_path):
    write_samples(tmp_path / "a", 1, seed=1)
    with pytest.raises(DataError, match=r"samples have no field red; they have x, y, z, intensity"):
        SampleFolder(tmp_path / "a").frame(0, ["red"], "ground_truth", (), images=False)
    header = json.loads((tmp_path / "a" / "samples.json").read_text())
    header["bags"][0]["classes"] = [{"id": 0, "name": "unlabeled"}, {"id": 2, "name": "car"}]
    (tmp_path / "a" / "samples.json").write_text(json.dumps(header))
    with pytest.raises(DataError, match=r"the configuration's class 2 is class-2, that of a\.mcap is car"):
        load_scans([tmp_path / "a"], make_config(), None, progress=False)


def write_header(folder, **fields):
    (folder / "samples.json").write_text(json.dumps({"format": "ditr-samples"} | fields))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda a: (a / "samples.json").unlink(), "no samples, there is no samples.json"),
        (lambda a: (a / "samples.json").write_text("{"), "samples.json: Expecting"),
        (
            lambda a: (a / "samples.json").write_text('{"format": "ditr-samples", "version": 4}'),
            "make the samples again",
        ),
        (lambda a: write_header(a, version=1), "KeyError"),
        (lambda a: (a / "points.npy").unlink(), "points.npy: .*No such file"),
        (lambda a: (a / "points.npy").write_bytes(b"\x93NUMPY"), "points.npy: "),
        (lambda a: np.save(a / "labels.npy", np.zeros(3, "<u2")), r"labels.npy is uint16 \(3,\), not uint16"),
        (lambda a: np.save(a / "scans.npy", np.zeros(1)), "scans.npy is float64"),
    ],
)
def test_folders_that_are_not_whole_are_named(tmp_path, damage, message):
    write_samples(tmp_path / "a", 1, seed=1)
    damage(tmp_path / "a")
    with pytest.raises(DataError, match=message):
        SampleFolder(tmp_path / "a")


def test_rows_that_lead_outside_are_refused(tmp_path):
    write_samples(tmp_path / "a", 1, seed=1)
    for name, column, message in (("scans", "points", r"scan 0 has the points"), ("views", "picture", "lies outside")):
        rows = np.load(tmp_path / "a" / f"{name}.npy")
        changed = rows.copy()
        changed[column] += 10**9
        np.save(tmp_path / "a" / f"{name}.npy", changed)
        with pytest.raises(DataError, match=message):
            frames_of(tmp_path / "a")
        np.save(tmp_path / "a" / f"{name}.npy", rows)
    assert len(frames_of(tmp_path / "a")) == 1


def test_a_bag_without_the_node_is_refused_with_the_command(tmp_path, monkeypatch):
    (tmp_path / "a.mcap").write_bytes(b"a bag")
    monkeypatch.setattr(bag_samples.shutil, "which", lambda name: None)
    with pytest.raises(DataError, match=r"a\.mcap: bags are read by `ditr`, .* `ditr samples .*a\.mcap -o FOLDER`"):
        open_samples(tmp_path / "a.mcap", TopicsConfig())
    with pytest.raises(DataError, match=r"nowhere\.mcap: there is no such bag or sample folder"):
        open_samples(tmp_path / "nowhere.mcap", TopicsConfig())


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("ditr: a.mcap: it holds no cloud\nMend it so.\n", "a.mcap: it holds no cloud"),
        ("error: unknown command 'samples'\n(ditr --help lists what is allowed)\n", "unknown command 'samples'"),
        ("Killed\n", "Killed"),
        ("", "exit code 7"),
    ],
)
def test_why_the_node_gave_no_samples_is_said(tmp_path, monkeypatch, printed, reason):
    program = tmp_path / "app" / "cli" / "ditr"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nprintf '%s' {shlex.quote(printed)} >&2\nexit 7\n")
    program.chmod(0o755)
    (tmp_path / "a.mcap").touch()
    monkeypatch.setenv("DITR_SAMPLES", str(tmp_path / "kept"))
    monkeypatch.setattr(bag_samples, "_command", lambda: [str(program)])
    with pytest.raises(DataError) as caught:
        open_samples(tmp_path / "a.mcap", TopicsConfig())
    assert str(caught.value) == f"{tmp_path / 'a.mcap'}: {reason}"


def test_what_the_node_is_asked_for():
    topics = TopicsConfig("/points", "id", (CameraTopics("/a"), CameraTopics("/b", "/b_ids", "/b_regions")))
    asked = ["--cloud", "/points", "--label-field", "id", "--camera", "/a", "/b"]
    asked += ["--semantic", "/b=/b_ids", "--regions", "/b=/b_regions"]
    assert bag_samples._options(topics, labels=True) == asked
    assert "--label-field" not in bag_samples._options(topics, labels=False)
    assert bag_samples._options(TopicsConfig(), labels=True) == []
    assert replace(topics, cameras=()) != topics
