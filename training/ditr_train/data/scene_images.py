"""Which of the many images of a scene are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

MOST_IMAGES = 24
"""Images of a scene that are used: it has hundreds or thousands, and most show what others show."""

_Image = TypeVar("_Image")


def evenly_chosen(images: Sequence[_Image]) -> list[_Image]:
    """At most MOST_IMAGES of them, the first and the last among them."""
    places = np.linspace(0, len(images) - 1, min(len(images), MOST_IMAGES)).round().astype(int)
    return [images[place] for place in places]
