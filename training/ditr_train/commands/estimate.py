"""--estimate: how long a training will take, before it starts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from torch import nn

from ditr_train.commands import arguments
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import varies
from ditr_train.engine.estimate import H100, Duration, Plan, measure
from ditr_train.engine.training_loop import TrainingLoop

_PASSES = 4


def add_estimate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--estimate",
        type=arguments.positive,
        nargs="?",
        const=_PASSES,
        metavar="PASSES",
        help="only measure so many passes on this machine (default %(const)s) and print how long the whole training "
        "takes; nothing is written",
    )


def print_estimate(
    loop: TrainingLoop, validation: Sequence[LabeledScan], encoder: nn.Module | None, passes: int
) -> None:
    """Measures a few passes of a training that has not begun, and prints what they say of the whole."""
    plan = Plan(loop.settings, len(loop.scans), len(validation), loop.mix, varies(loop.scans))
    measured = measure(loop, validation, encoder, passes=passes)
    work, settings = measured.one_pass, plan.settings
    epochs = settings.steps * settings.scans_per_step / plan.scans
    print(
        f"{settings.steps} steps of {plan.passes} {_passes(plan.passes)} of {settings.scans_per_pass} of {plan.scans} "
        f"scans ({epochs:.1f} epochs); {plan.evaluations} evaluations of {plan.watched} scans on the way, of "
        f"{plan.validation} at the end\n"
        f"measured over {passes} {_passes(passes)}, {loop.device.type}, {torch.get_num_threads()} threads, "
        f"{loop.workers} workers, as busy as this machine is now: {measured.pass_seconds:.3g} s a pass, "
        f"{measured.evaluation_seconds:.3g} s an evaluated scan\n"
        f"a pass is {work.flops / 1e12:.3g} TFLOP in {work.operators:.0f} operators, and takes {work.preparation:.3g} "
        "processor seconds to prepare\n"
    )
    print(f"{'':<20} {'training':>10} {'evaluation':>11} {'images':>10} {'in all':>10}")
    _print_row("this machine", plan.here(measured))
    for most, words in ((1, "one H100"), (8, "eight H100")):
        count = plan.devices(most)
        _print_row(words if count == most else f"{words}, {count} used", plan.on(H100, count, measured))
    if plan.devices(8) < 8:
        print(f"the {plan.passes} {_passes(plan.passes)} of a step (scans_per_step) cannot be shared out among eight")
    images = "encoded anew for each scan (image_flip and the like)" if plan.varied else "features kept (--features)"
    print(f"\nassumed, not measured, of an {H100.name}: {H100}; images: {images}")


def _passes(count: int) -> str:
    return "pass" if count == 1 else "passes"


def _print_row(name: str, duration: Duration) -> None:
    training, evaluation, encoding, total = (
        _in_words(each) for each in (duration.training, duration.evaluation, duration.encoding, duration.total)
    )
    print(f"{name:<20} {training:>10} {evaluation:>11} {encoding:>10} {total:>10}")


def _in_words(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
