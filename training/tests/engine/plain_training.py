"""Trains as `ditr-train train --image-free`, but by plain gradient descent: python plain_training.py CONFIG BAG RUN.

AdamW takes steps of the same size along gradients that are nothing but rounding, as those of biases before a batch
normalization are, so the weights of two ways to add up the same gradients drift apart where they have no effect.
"""

import sys
from pathlib import Path

import torch

from ditr_train.config.model_config import load_config
from ditr_train.data.loading import load_scans
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.segmentation import Training


def train(config_file, bag, folder):
    torch.set_num_threads(1)
    config = load_config(config_file, ["injection=null", "image_encoder=null"]).without_pretraining()
    scans = load_scans([bag], config, None, progress=False)
    run = RunFolder(folder)
    run.create(config, resume=False)
    training = Training(config, scans, run)
    training.optimizer = torch.optim.SGD(training.network.parameters(), lr=config.training.learning_rate)
    training.fit(scans[:1], progress=False)


if __name__ == "__main__":
    train(*map(Path, sys.argv[1:]))
