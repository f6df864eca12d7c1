"""Supervised training of the image encoder on labelled camera images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance
from tqdm import tqdm

from ditr_train.config.model_config import Config, ConfigError, ImageEncoderConfig
from ditr_train.config.training_config import EncoderTrainingConfig
from ditr_train.data.bag_samples import open_samples
from ditr_train.data.images import decode_image, normalize, resize_labels
from ditr_train.data.scans import class_indices
from ditr_train.data.source import DatasetSplit, ScanSource
from ditr_train.encoders.image_encoder import ImageEncoder, PatchSegmentationHead
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.schedule import decayed_and_not, one_cycle
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.methods.losses import class_counts, class_weights
from ditr_train.model.device import CPU


@dataclass(frozen=True)
class LabeledImage:
    """An image in the encoder's size, with the class of each cell."""

    pixels: npt.NDArray[np.uint8]
    """[H, W, 3] RGB"""
    label: npt.NDArray[np.int32]
    """[4 * rows, 4 * columns] index into the classes, -1 where there is none."""


def load_images(bags: Sequence[ScanSource], config: Config, *, progress: bool) -> list[LabeledImage]:
    """All images of samples and data sets that have semantic labels, of samples those that some scan has.

    Raises DataError for a data set without.
    """
    assert config.image_encoder is not None
    images = []
    for bag in tqdm(bags, desc="reading images", unit="bag", disable=not progress):
        if isinstance(bag, DatasetSplit):
            found = bag.labelled_images(config.classes)
        else:
            samples = open_samples(bag, config.topics, labels=False)
            found = [image for _, image in samples.images(config.topics.cameras)]
        for image in found:
            if image.semantic is None:
                continue
            pixels = decode_image(image.encoded, config.image_encoder)
            ids = resize_labels(image.semantic, config.image_encoder, PatchSegmentationHead.CELLS)
            images.append(LabeledImage(pixels, class_indices(ids, config)))
    return images


class EncoderTraining:
    """The encoder with a segmentation head that is thrown away afterwards. Each step depends on the seed and its number
    alone, so that a resumed training takes the same steps as one that was not interrupted."""

    def __init__(
        self, config: Config, images: Sequence[LabeledImage], run: RunFolder, device: torch.device = CPU
    ) -> None:
        if config.image_encoder is None or config.encoder_training is None:
            raise ValueError("the configuration has no image_encoder or no encoder_training")
        if config.image_encoder.architecture != "vit":
            raise ConfigError(
                f"image_encoder.architecture: {config.image_encoder.architecture} is not trained here; "
                "`ditr-train import encoder` takes its published weights"
            )
        if not images:
            raise ValueError("there are no labelled images to train on")
        self.config = config
        self.encoder_config: ImageEncoderConfig = config.image_encoder
        self.settings: EncoderTrainingConfig = config.encoder_training
        self.images = images
        self.device = device
        self.run = run
        torch.manual_seed(self.settings.seed)
        self.encoder = ImageEncoder(self.encoder_config)
        cosine = self.settings.head == "cosine"
        self.head = PatchSegmentationHead(self.encoder_config.feature_dimension, len(config.classes), cosine=cosine)
        counts = sum(class_counts(image.label.ravel(), len(config.classes)) for image in images)
        self.class_weights = class_weights(counts, self.settings.class_weight_power).to(device)
        self.modules = torch.nn.ModuleList([self.encoder, self.head]).to(device)
        decayed, plain = decayed_and_not(self.modules)
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.settings.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=self.settings.learning_rate,
        )
        self.factor = one_cycle(self.settings.steps, self.settings.warm_up)
        self.step = 0

    def resume(self) -> None:
        """Goes on from the run's checkpoint. Raises DataError when it has none."""
        state = self.run.load("checkpoint.pt")
        self.modules.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.run.cut_log(self.step)

    def fit(self, validation: Sequence[LabeledImage], *, progress: bool) -> dict[str, Any]:
        """Trains, saving `encoder.pt` and a checkpoint on the way; returns the scores on the validation images."""
        settings = self.settings
        losses: list[float] = []
        bar = tqdm(total=settings.steps, initial=self.step, desc="training encoder", unit="step", disable=not progress)
        while self.step < settings.steps:
            losses.append(self._take_step())
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
            if self.step % settings.evaluate_every == 0 or self.step == settings.steps:
                miou = round(self.score(validation)["miou"], 4)
                self.run.append_log({"step": self.step, "loss": round(float(np.mean(losses)), 4), "miou": miou})
                losses = []
                self._save()
        bar.close()
        return self.score(validation)

    def _take_step(self) -> float:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * self.factor(self.step)
        pixels, label = self._batch(self.step)
        self.modules.train()
        self.optimizer.zero_grad()
        target = torch.from_numpy(label).to(self.device)
        loss = F.cross_entropy(self._logits(pixels), target, self.class_weights, ignore_index=-1)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.modules.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return loss.item()

    def _save(self) -> None:
        # The checkpoint last: after a kill between the two, the encoder is written again.
        self.run.save("encoder.pt", self.encoder.state_dict())
        state = {"model": self.modules.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        self.run.save("checkpoint.pt", state)

    def score(self, images: Sequence[LabeledImage]) -> dict[str, Any]:
        """mIoU over the cells of labelled images."""
        confusion = ConfusionMatrix([entry.name for entry in self.config.classes])
        self.modules.eval()
        for image in images:
            with torch.no_grad():
                prediction = self._logits(image.pixels[None]).argmax(1)[0].cpu().numpy()
            confusion.add(image.label.ravel(), prediction.ravel())
        return confusion.summary() | {"images": len(images)}

    def _logits(self, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
        size = self.encoder_config
        features = self.encoder(torch.from_numpy(normalize(pixels, size)).to(self.device))
        rows, columns = size.input_height // size.patch_size, size.input_width // size.patch_size
        logits: torch.Tensor = self.head(features, rows, columns)
        return logits

    def _batch(self, step: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        rng = np.random.default_rng([self.settings.seed, step])
        chosen = rng.integers(0, len(self.images), self.settings.images_per_step)
        pairs = [augment_image(self.images[i], rng, self.settings.zoom) for i in chosen]
        return np.stack([p.pixels for p in pairs]), np.stack([p.label for p in pairs]).astype(np.int64)


def augment_image(image: LabeledImage, rng: np.random.Generator, zoom_range: tuple[float, float]) -> LabeledImage:
    """A zoomed, mirrored copy with other brightness, contrast and colour."""
    height, width = image.pixels.shape[:2]
    zoom = rng.uniform(*zoom_range)
    w, h = width * zoom, height * zoom
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    pixels = Image.fromarray(image.pixels).resize(
        (width, height), Image.Resampling.BILINEAR, (left, top, left + w, top + h)
    )
    for kind in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        pixels = kind(pixels).enhance(rng.uniform(0.7, 1.3))
    rows, columns = image.label.shape
    row = np.clip(((np.arange(rows) + 0.5) * zoom + top * rows / height).astype(int), 0, rows - 1)
    column = np.clip(((np.arange(columns) + 0.5) * zoom + left * columns / width).astype(int), 0, columns - 1)
    array, label = np.asarray(pixels), image.label[row[:, None], column[None, :]]
    if rng.uniform() < 0.5:
        array, label = array[:, ::-1], label[:, ::-1]
    return LabeledImage(np.ascontiguousarray(array), np.ascontiguousarray(label))
