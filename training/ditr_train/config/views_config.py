"""How a scan is looked at more than once."""

from __future__ import annotations

from dataclasses import dataclass

from ditr_train.config.conversion import require


@dataclass(frozen=True)
class ViewsConfig:
    """How `ditr-train evaluate --test-time` sees a scan several times: turned and scaled in every combination, the
    probabilities added up (Pointcept's SemSegTester; its RandomFlip of both axes is a turn by half a circle)."""

    turns: tuple[float, ...] = (0.0,)
    """About z, in radians."""
    scales: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        require(len(self.turns) > 0 and len(self.scales) > 0, "test_time: at least one turn and one scale are needed")
        require(min(self.scales, default=1) > 0, f"test_time.scales: {list(self.scales)} are not all above 0")
