"""Fused networks that differ in one setting each."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from ditr_train.config.model_config import Config, ConfigError, config_from_document, config_to_document
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan
from ditr_train.data.source import ScanSource
from ditr_train.engine.run_folder import RunFolder
from ditr_train.evaluation.segmentation import score
from ditr_train.methods.segmentation import Training
from ditr_train.studies.comparison_table import mean_and_spread

BASELINE = "as configured"


@dataclass(frozen=True)
class AblationResult:
    """Scores of one trained network on the test scans."""

    variant: str
    seed: int
    fused_miou: float
    """0..1, over all labelled points."""
    fused_seen_miou: float
    """Over the points that a camera sees."""
    image_free_miou: float
    """Of the same weights without images."""


def read_variants(path: Path) -> dict[str, dict[str, Any]]:
    """The variants of a file, by name; each maps settings, like `injection.levels`, to values.

    Raises ConfigError.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(document, dict) or not all(isinstance(changes, dict) for changes in document.values()):
        raise ConfigError(f"{path}: not a mapping of names to settings")
    return {str(name): changes for name, changes in document.items()}


def with_settings(config: Config, changes: Mapping[str, Any]) -> Config:
    """The configuration with some settings replaced, each named by its path, like `injection.levels`.

    Raises ConfigError for a setting that there is not, or a value that does not fit.
    """
    document = config_to_document(config)
    for name, value in changes.items():
        *parents, last = name.split(".")
        place: Any = document
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise ConfigError(f"{name}: not a setting of the configuration")
        place[last] = value
    return config_from_document(document)


class Ablation:
    """Trains each variant with each seed in its own folder, going on where an earlier call was interrupted."""

    def __init__(
        self,
        variants: Mapping[str, Config],
        folder: Path,
        bags: Sequence[ScanSource],
        test: Sequence[ScanSource],
        encoder: nn.Module,
        device: torch.device,
    ) -> None:
        self.variants = variants
        self.folder = folder
        self.bags = bags
        self.test = test
        self.encoder = encoder
        self.device = device

    def run(self, seeds: Sequence[int], *, progress: bool) -> Iterator[AblationResult]:
        """Yields the result of each network as soon as it is there; all seeds of a variant, then the next."""
        for name, config in self.variants.items():
            scans: Sequence[LabeledScan] | None = None
            test: Sequence[LabeledScan] = []
            for seed in seeds:
                run = RunFolder(self.folder / f"{name.replace(' ', '-')}-seed{seed}")
                seeded = replace(config, training=replace(config.training, seed=seed))
                run.create(seeded, resume=True)
                run.describe_data(
                    {"bags": [bag.name for bag in self.bags], "validation_bags": [bag.name for bag in self.test]}
                )
                if not run.has("scores.json"):
                    if scans is None:
                        # Which patch a point takes, and whether any, is settled here.
                        scans = load_scans(self.bags, config, self.encoder, progress=progress)
                        test = load_scans(self.test, config, self.encoder, progress=progress)
                    training = Training(seeded, scans, run, self.device)
                    if run.has("checkpoint.pt"):
                        training.resume()
                    training.fit([], progress=progress, description=run.path.name)
                    run.write_json("scores.json", score(training.segmentor, test, seeded, progress=progress))
                scores = run.read_json("scores.json")
                yield AblationResult(
                    name,
                    seed,
                    scores["fused"]["miou"],
                    scores["fused_seen_points"]["miou"],
                    scores["image_free"]["miou"],
                )


def ablation_table(results: Sequence[AblationResult]) -> str:
    """Markdown: mean and spread of each variant over the seeds, and its difference to what is configured."""
    lines = ["| variant | fused | fused, points seen | without images | fused - as configured |", f"|{' --- |' * 5}"]
    base = {result.seed: result.fused_miou for result in results if result.variant == BASELINE}
    for name in dict.fromkeys(result.variant for result in results):
        own = [result for result in results if result.variant == name]
        columns = [
            [result.fused_miou for result in own],
            [result.fused_seen_miou for result in own],
            [result.image_free_miou for result in own],
        ]
        differences = [result.fused_miou - base[result.seed] for result in own if result.seed in base]
        cells = [name, *map(mean_and_spread, columns)]
        cells.append("" if name == BASELINE else mean_and_spread(differences, sign="+"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write_results(path: Path, results: Sequence[AblationResult]) -> None:
    """One row of CSV per network."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(AblationResult)])
        writer.writeheader()
        writer.writerows(asdict(result) for result in results)
