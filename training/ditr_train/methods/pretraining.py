"""What trainings without labels have in common: a score on held-out scans beside guesses that see no shape."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ditr_train.config.model_config import Config
from ditr_train.data.scans import LabeledScan
from ditr_train.engine.training_loop import LogRow, TrainingLoop
from ditr_train.methods.origin import initialize_from


class Pretraining(TrainingLoop):
    """A backbone that learns from scans without labels; `ditr-train train --initialize` goes on from it."""

    config: Config

    @property
    @abstractmethod
    def measure(self) -> str:
        """Name of its score."""

    @abstractmethod
    def scores(self, scans: Sequence[LabeledScan], *, progress: bool = False) -> dict[str, Any]:
        """The score over whole scans under the name `measure`, and those of guesses that see no shape as
        `constant_...` and `place_...`; the number of `scans`."""

    @abstractmethod
    def describe(self) -> str:
        """What the score means, with {} for its value."""

    def evaluation_row(self, validation: Sequence[LabeledScan]) -> LogRow:
        return {self.measure: round(self.scores(validation)[self.measure], 4) if validation else ""}


def in_words(what: str, measure: str, scores: dict[str, Any]) -> str:
    """A sentence of a score beside its guesses; `what` has {} for the value. Says so if it is no better."""
    network, constant, place = (f"{scores[key]:.3f}" for key in (measure, f"constant_{measure}", f"place_{measure}"))
    guesses = f"a constant guess reaches {constant}, one from range and height {place}"
    warning = "" if scores[measure] > scores[f"place_{measure}"] else "; NOT BETTER than that guess, train for longer"
    return f"{what.format(network)} ({guesses}{warning})"


def carry_out(
    pretraining: Pretraining,
    validation: Sequence[LabeledScan],
    data: dict[str, Any],
    *,
    origin: Path | None,
    resume: bool,
    progress: bool,
    description: str,
) -> None:
    """Starts or resumes a pretraining, takes it to its end and scores it; `origin` is a run or bundle whose
    backbone it starts from."""
    run = pretraining.run
    resumed = resume and run.has("checkpoint.pt")
    if origin is not None:
        data = data | {"initialized_from": origin.name}
        if not resumed:
            taken = initialize_from(pretraining.network, origin, pretraining.scans, pretraining.config, keep_head=False)
            print(f"{origin}: {taken}")
    run.describe_data(data)
    if resumed:
        pretraining.resume()
    pretraining.fit(validation, progress=progress, description=description)
    if not validation:
        print(f"{len(pretraining.scans)} scans -> {run.path}; no --validation, so nothing held out was scored")
        return
    scores = pretraining.scores(validation, progress=progress)
    run.write_json("scores.json", scores)
    words = in_words(pretraining.describe(), pretraining.measure, scores)
    print(f"{scores['scans']} validation scans: {words} -> {run.path}")
