"""What scans of a drive say of each other's points, against every pair of points."""

import numpy as np
import pytest
import yaml
from conftest import make_config
from PIL import Image
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.data.sample_folder import BOX, SCAN_WITH_POSE, SampleFolder
from ditr_train.data.semantic_maps import NOTHING
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.methods.gathered_targets import GatherSettings, PlacedTargets, gather
from ditr_train.methods.pseudo_labels import PointTargets

STILL = np.array([True, True, False])


def pose(turn, x, y):
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, 0.5], [0, 0, 0, 1.0]])


def drive(rng, name, scans, points=80):
    """Of one patch of the world, seen from other places; two thirds of the points are nothing to the images."""
    for index in range(scans):
        place = pose(0.4 * index, index, -index)
        world = rng.uniform(-1, 1, (points, 3))
        target = np.where(rng.uniform(size=points) < 2 / 3, NOTHING, rng.integers(3, size=points)).astype(np.int32)
        weight = np.where(target == NOTHING, 0, rng.uniform(0.5, 1, points)).astype(np.float32)
        yield PlacedTargets(
            f"{name}@{index}",
            name,
            (world - place[:3, 3]) @ place[:3, :3],
            None if index == 3 else place,
            PointTargets(target, weight),
        )


@pytest.mark.parametrize("reach", [0, 1, 2, 5])
def test_points_take_what_near_ones_of_near_scans_agree_on(rng, reach):
    settings = GatherSettings(reach, radius=0.3, agreement=0.6)
    scans = [*drive(rng, "a", 6), *drive(rng, "b", 3), *drive(rng, "c", 1)]
    found = list(gather(iter(scans), STILL, settings))
    assert [scan.name for scan, _ in found] == [scan.name for scan in scans]
    gathered = 0
    for scan, targets in found:
        own = scan.targets
        known = own.target != NOTHING
        assert (targets.target[known] == own.target[known]).all() and (targets.weight[known] == own.weight[known]).all()
        index = int(scan.name[2:])
        others = [
            other
            for other in scans
            if other.drive == scan.drive and other.pose is not None and 0 < abs(int(other.name[2:]) - index) <= reach
        ]
        for point in np.flatnonzero(~known):
            expected, confidence = NOTHING, 0.0
            if scan.pose is not None and others:
                near = []
                for other in others:
                    distance = np.linalg.norm(
                        (other.xyz @ other.pose[:3, :3].T + other.pose[:3, 3])
                        - (scan.pose[:3, :3] @ scan.xyz[point] + scan.pose[:3, 3]),
                        axis=1,
                    )
                    near += [
                        (distance[i], other.targets.target[i], other.targets.weight[i])
                        for i in np.flatnonzero(distance < settings.radius)
                        if other.targets.target[i] in (0, 1)
                    ]
                near = sorted(near)[:5]
                votes = [sum(weight for _, target, weight in near if target == kind) for kind in (0, 1)]
                if near and max(votes) / sum(votes) >= settings.agreement:
                    expected = int(np.argmax(votes))
                    confidence = max(votes) / sum(votes) * np.mean([weight for *_, weight in near])
                    gathered += 1
            assert targets.target[point] == expected
            assert targets.weight[point] == pytest.approx(confidence, abs=1e-6)
    assert (gathered > 50) == (reach > 0)


def test_the_command_gathers_over_the_poses_of_samples(tmp_path, capsys):
    write_samples(tmp_path / "drive", 3, seed=2, cameras=["/front"])
    scans = np.load(tmp_path / "drive/scans.npy")
    placed = np.zeros(len(scans), SCAN_WITH_POSE)
    for name in scans.dtype.names:
        placed[name] = scans[name]
    placed["boxes"] = -1
    placed["pose"] = np.eye(4)
    placed["pose"][2] = np.nan
    np.save(tmp_path / "drive/scans.npy", placed)
    header = tmp_path / "drive/samples.json"
    header.write_text(header.read_text().replace('"version": 1', '"version": 3, "boxes": 0, "box_classes": []'))
    np.save(tmp_path / "drive/boxes.npy", np.zeros(0, BOX))
    folder = SampleFolder(tmp_path / "drive")
    assert folder.pose(2) is None and (folder.pose(1) == np.eye(4)).all()
    frame = folder.frame(0, ["x", "y", "z"], "ground_truth", (), images=True)
    view = frame.exposures[0].view
    for index in range(3):
        stamp = folder.frame(index, ["x"], "ground_truth", (), images=True).exposures[0].image.stamp
        # Of the first image all is class-1, of the others nothing is said.
        Image.fromarray(np.full((view.height, view.width), 1 if index == 0 else 9, np.uint8)).save(
            tmp_path / f"{stamp}.png"
        )
    maps = {"ids": "{stamp}.png", "border": 0, "classes": {1: "class-1", 9: None}}
    (tmp_path / "maps.yaml").write_text(yaml.safe_dump(maps))
    write_config(tmp_path / "config.yaml")
    command = [
        "pseudo-label",
        str(tmp_path / "config.yaml"),
        "--bags",
        str(tmp_path / "drive"),
        "--maps",
        str(tmp_path),
    ]
    command += ["--classes", str(tmp_path / "maps.yaml"), "-o", str(tmp_path / "soft"), "--gather", "2"]
    assert main(command) != 0
    assert "`moving` names these classes" in capsys.readouterr().err
    (tmp_path / "maps.yaml").write_text(yaml.safe_dump(maps | {"moving": ["class-2"]}))
    assert main(command) == 0
    assert "1 of 3 scans have no pose and gather nothing" in capsys.readouterr().out
    soft = SoftLabelFolder.open(tmp_path / "soft")
    shares = []
    for index in range(3):
        points = int(scans["points"][index])
        candidates = soft.read(f"{folder.bag(index)}@{folder.stamp(index)}", points, make_config().classes)
        shares.append((candidates.weight > 0).mean())
    assert shares[0] > 0.2 and shares[1] > 0.1 and shares[2] == 0
