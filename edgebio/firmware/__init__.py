"""A model and a board to a firmware image, and what an image computes and costs when emulated."""

from edgebio.firmware.image import Budget, build, model_file
from edgebio.firmware.manifest import Manifest, load

__all__ = ["Budget", "Manifest", "build", "load", "model_file"]
