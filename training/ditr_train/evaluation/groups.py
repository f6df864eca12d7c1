"""Groups of classes, in which data sets with different classes can be scored alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from ditr_train.config.conversion import ConfigError, require
from ditr_train.config.model_config import SemanticClass
from ditr_train.data.scans import LabeledScan

NO_GROUP = -1


@dataclass(frozen=True)
class ClassGroups:
    """Which group each class belongs to."""

    names: tuple[str, ...]
    of_class: npt.NDArray[np.int64]
    """[C] index of the group; NO_GROUP for a class in none, which is no truth and wrong if predicted."""

    def truth(self, scan: LabeledScan) -> npt.NDArray[np.int64]:
        """[N] the group of each point; NO_GROUP where the label is unknown or stands for classes of several groups."""
        truth = np.where(scan.label >= 0, self.of_class[scan.label], NO_GROUP)
        if scan.candidates is None:
            return truth
        allowed = scan.candidates.allowed()
        # [N, groups]: has the point a class of the group? Classes of no group are a group of their own.
        member = self.of_class[:, None] == np.arange(-1, len(self.names))
        possible = (allowed @ member) > 0
        one = (possible.sum(axis=1) == 1) & (scan.label < 0)
        return np.where(one, possible.argmax(axis=1) - 1, truth)

    def prediction(self, classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Class indices [N], -1 for none -> groups."""
        return np.where(classes >= 0, self.of_class[classes], NO_GROUP)


def load_groups(path: Path, classes: Sequence[SemanticClass]) -> ClassGroups:
    """Reads a YAML file of lists of class names by group. Raises ConfigError that names the file and the entry."""
    names = [entry.name for entry in classes]
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        require(isinstance(document, dict) and bool(document), "no mapping of groups to lists of class names")
        of_class = np.full(len(names), NO_GROUP)
        for index, (group, members) in enumerate(document.items()):
            require(isinstance(members, list), f"{group}: {members!r} is no list of class names")
            for member in members:
                require(member in names, f"{group}: {member!r} is none of the classes {', '.join(names)}")
                place = names.index(member)
                require(of_class[place] == NO_GROUP, f"{group}: {member} is in another group too")
                of_class[place] = index
    except (OSError, yaml.YAMLError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return ClassGroups(tuple(map(str, document)), of_class)
