"""What is scored was neither trained nor validated on: in the commands of the README, and by a warning elsewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from ditr_train.commands.held_out import warn_of_seen, warn_of_trained
from ditr_train.data.source import scan_source
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.seen_scans import share_scans

README = Path(__file__).parents[2] / "README.md"

_STUBS = r"""
python() { :; }
ditr-train() { echo "$@" >>calls; }
npx() { while [ "$1" != -o ]; do shift; done; mkdir -p "$(dirname "$2")"; touch "$2"; }
"""
_DRIVES = r"""#!/bin/sh
mkdir -p "$1"; for seed in $(seq "$2" "$3"); do touch "$1/street-$(printf %04d "$seed").mcap"; done
"""


@pytest.fixture
def calls(tmp_path):
    """Arguments of the ditr-train commands of the first two listings, as a shell expands them."""
    for name, text in {"training/scripts/simulate-street-drives.sh": _DRIVES, ".venv/bin/pip": "#!/bin/sh\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    listings = re.findall(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)[:2]
    subprocess.run(["bash", "-euc", _STUBS + "".join(listings)], cwd=tmp_path, check=True)
    return [line.split() for line in (tmp_path / "calls").read_text().splitlines()]


def streets(call: list[str], option: str) -> set[int]:
    """Seeds of the bags of an option; a pattern that stands for none fails."""
    if option not in call:
        return set()
    found: list[int] = []
    for word in call[call.index(option) + 1 :]:
        if word.startswith("-"):
            break
        if word.endswith(".mcap"):
            assert "*" not in word and "[" not in word, f"{word} names no street that the README simulates"
            found.append(int(Path(word).stem.removeprefix("street-")))
    return set(found)


def test_the_documented_commands_hold_out_what_they_score(calls):
    trained, validated, tested = set(), set(), set()
    for call in calls:
        if call[0] in ("train", "train-encoder"):
            trained |= streets(call, "--bags")
            validated |= streets(call, "--validation")
        elif call[0] == "evaluate":
            tested |= streets(call, "--bags")
    assert len(trained) > 100 and len(validated) > 3 and len(tested) == 10
    assert not trained & validated and not trained & tested and not validated & tested


def test_training_warns_of_files_that_it_trains_and_validates_on(capsys):
    bags = [scan_source(text) for text in ("a.mcap", "b.mcap", "semantic-kitti:/data:00/0-15")]
    warn_of_trained(bags, [scan_source(text) for text in ("other/a.mcap", "semantic-kitti:/data:00/16-20")])
    assert capsys.readouterr().err == ""
    warn_of_trained(bags, [scan_source("b.mcap")])
    assert "warning: b.mcap: trained on too" in capsys.readouterr().err
    warn_of_trained(bags, [scan_source("semantic-kitti:/data:00/15-20")])
    assert "warning: semantic-kitti:00/15-20: trained on too" in capsys.readouterr().err


def test_evaluation_warns_of_what_a_run_or_its_origin_saw(tmp_path, capsys):
    run = RunFolder(tmp_path)
    first = {"data": {"bags": ["a.mcap"], "validation_bags": ["b.mcap"]}}
    run.write_json("data.json", {"bags": ["c.mcap"], "validation_bags": [], "initialized_from": first})
    run.write_json("encoder.json", {"data": {"bags": ["d.mcap"]}})
    warn_of_seen(run, [Path("test.mcap")])
    assert capsys.readouterr().err == ""
    warn_of_seen(run, [Path(f"x/{name}.mcap") for name in ("a", "b", "c", "d", "test")])
    trained, validated = capsys.readouterr().err.splitlines()
    assert "a.mcap, c.mcap, d.mcap: trained on too" in trained
    assert "b.mcap: validated on too" in validated


@pytest.mark.parametrize(
    ("name", "other", "shared"),
    [
        ("a.mcap", "a.mcap", True),
        ("a.mcap", "b.mcap", False),
        ("scans:ika/6,13", "scans:ika", True),
        ("scans:ika/6,13", "scans:ika/0-5,7-12,14", False),
        ("scans:ika/6,13", "scans:ika/0-5,10-20", True),
        ("semantic-kitti:00/0-20", "semantic-kitti:01/0-20", False),
        ("semantic-kitti:00", "semantic-kitti:00/16-20", True),
    ],
)
def test_parts_of_a_data_set_share_scans_where_their_numbers_meet(name, other, shared):
    assert share_scans(name, other) == share_scans(other, name) == shared
