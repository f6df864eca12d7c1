"""Trainings that are killed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ditr_train.engine.training_loop import TrainingLoop


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """What is trained in this context is killed before it takes this step, and it must come to that."""
    take = TrainingLoop.take_step

    def interrupted(self, samples):
        if self.step == step:
            raise KeyboardInterrupt
        return take(self, samples)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingLoop, "take_step", interrupted)
        yield
