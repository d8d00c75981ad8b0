"""A model and a board to a firmware image, and what an image computes and costs when emulated."""

from edgebio.firmware.image import Budget, build, model_file
from edgebio.firmware.manifest import Manifest, load
from edgebio.firmware.peripheral_options import Standalone

__all__ = ["Budget", "Manifest", "Standalone", "build", "load", "model_file"]
