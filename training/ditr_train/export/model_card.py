"""MODEL_CARD.md of a bundle, from the numbers in its bundle.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ditr_train.export.graph_file import weight_count, weight_files

_LONGEST_LIST = 6
"""Entries that are written out; of a longer list the first and the last are."""


def model_card(document: Mapping[str, Any], folder: Path) -> str:
    """The card of a bundle whose files are already in `folder`."""
    backbone = document["backbone"]
    lines = [
        f"# {document['name']}",
        "",
        f"{document['description']}.",
        "",
        *([f"Licence of the weights: {document['licence']}.", ""] if "licence" in document else []),
        "## Graphs",
        "",
        "| graph | file | parameters | size |",
        "| --- | --- | --- | --- |",
    ]
    for name, graph in document["graphs"].items():
        path = folder / graph["file"]
        files = [path, *weight_files(path)]
        weights, size = weight_count(path) / 1e6, sum(file.stat().st_size for file in files) / 1e6
        lines.append(f"| {name} | `{graph['file']}` | {weights:.2f} M | {size:.1f} MB, {graph['precision']} |")
    features = ", ".join(feature["name"] for feature in backbone["input_features"])
    lines += [
        "",
        f"Input: {features} of points with x, y, z from {backbone['point_range'][:3]} to "
        f"{backbone['point_range'][3:]} m in the sensor's frame, in voxels of {backbone['grid_size']} m"
        f"{'; points outside are moved to the edge of that range' if backbone.get('clamp') else ''}.",
        "",
        _classes(document),
        "",
    ]
    if "image_encoder" in document:
        encoder = document["image_encoder"]
        lines += [
            f"Images are resized ({encoder['resize']}) to {encoder['input_width']} x "
            f"{encoder['input_height']}; each patch of {encoder['patch_size']} pixels gives "
            f"{encoder['feature_dimension']} features, which visible points take into the network.",
            "",
        ]
    training = document["training"]
    if training:
        lines += ["## Training", ""]
        lines += [f"- {key.replace('_', ' ')}: {_inline(value)}" for key, value in training.items()]
        lines.append("")
    if document["scores"]:
        lines += ["## Measured", "", *_scores(document["scores"])]
    return "\n".join(lines).rstrip() + "\n"


def _classes(document: Mapping[str, Any]) -> str:
    names = ", ".join(entry["name"] for entry in document["classes"])
    line = f"Output: {len(document['classes'])} classes ({names})."
    if "detection" in document:
        boxes = ", ".join(entry["name"] for entry in document["detection"]["classes"])
        line += f" Boxes around: {boxes}, at most {document['detection']['queries']} of a scan."
    return line


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key.replace('_', ' ')} {_inline(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        if len(value) > _LONGEST_LIST:
            return f"{_inline(value[0])} to {_inline(value[-1])} ({len(value)} of them, listed in bundle.json)"
        return ", ".join(map(_inline, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _scores(scores: Mapping[str, Any]) -> list[str]:
    """A table with a column for each mode that was evaluated, and what else was measured below it."""
    modes = {name: value for name, value in scores.items() if isinstance(value, Mapping) and "iou" in value}
    lines: list[str] = []
    if modes:
        rows: dict[str, list[str]] = {"**mIoU**": [_percent(mode["miou"]) for mode in modes.values()]}
        rows["points right"] = [_percent(mode["accuracy"]) for mode in modes.values()]
        for name in dict.fromkeys(name for mode in modes.values() for name in mode["iou"]):
            rows[name] = [_percent(mode["iou"].get(name)) for mode in modes.values()]
        lines += [
            f"| IoU, % | {' | '.join(name.replace('_', ' ') for name in modes)} |",
            f"| --- |{' --- |' * len(modes)}",
            *(f"| {name} | {' | '.join(values)} |" for name, values in rows.items()),
            "",
            "mIoU is the mean over the classes that occur in the evaluated scans.",
            "",
        ]
    if "detection" in scores:
        lines += _boxes(scores["detection"])
    if "sets" in scores:
        lines += _sets(scores["sets"])
    rest = {name: value for name, value in scores.items() if name not in (*modes, "sets", "parity", "detection")}
    lines += [f"- {key.replace('_', ' ')}: {_inline(value)}" for key, value in rest.items()]
    if "parity" in scores:
        lines += _parity(scores["parity"])
    return lines


def _boxes(found: Mapping[str, Any]) -> list[str]:
    """What `ditr-train evaluate` found of boxes."""
    lines = [
        "| boxes | mode | boxes there | AP25 | AP50 | nuScenes AP | KITTI AP |",
        "| --- | --- |" + " ---: |" * 5,
    ]
    for mode, means in found["modes"].items():
        rows = {"**mean**": means, **means["classes"]}
        for name, row in rows.items():
            count = sum(each["boxes"] for each in means["classes"].values()) if row is means else row["boxes"]
            shares = [_percent(row[measure]) for measure in ("ap25", "ap50", "nuscenes", "kitti")]
            lines.append(f"| {name} | {mode.replace('_', '-')} | {count} | {' | '.join(shares)} |")
    return [
        *lines,
        "",
        f"Average precision in percent on {found['scans']} scans; boxes with fewer than {found['least_points']} points "
        f"need not be found, and what has a score below {found['least_score']:g} is not counted.",
        "",
    ]


def _sets(found: Mapping[str, Any]) -> list[str]:
    """What `ditr-train score-models --record` found."""
    groups = found["groups"]
    lines = [
        f"| scans of | mode | trained on | scans | mIoU of groups | {' | '.join(groups)} | points right |",
        f"| --- | --- | --- |{' ---: |' * (len(groups) + 3)}",
    ]
    for row in found["rows"]:
        shares = [row["group_miou"], *(row["groups"].get(group) for group in groups), row["group_accuracy"]]
        seen = "yes" if row["trained_on"] else "no"
        cells = [row["scans_of"], row["mode"].replace("_", "-"), seen, str(row["scans"]), *map(_percent, shares)]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", "IoU in percent, in groups of classes, by `ditr-train score-models`.", ""]


def _parity(parity: Mapping[str, Any]) -> list[str]:
    """What `ditr-train parity --record` found."""
    reference = parity["compared_with"]
    lines = [
        "",
        f"## The graphs and {reference}",
        "",
        f"| | scans | voxels | largest difference of a logit | labels equal | outside ties | mIoU | of {reference} |",
        f"| --- |{' --- |' * 7}",
    ]
    for name, found in parity["modes"].items():
        cells = [
            name,
            str(found["scans"]),
            str(found["voxels"]),
            f"{found['largest_logit_difference']:.2g}",
            f"{100 * found['equal_labels']:.4f} %",
            f"{100 * found['equal_labels_outside_ties']:.4f} %",
            f"{100 * found['miou']:.3f}",
            f"{100 * found['miou_of_reference']:.3f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", f"On {_inline(parity['bags'])}, by `ditr-train parity`."]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
