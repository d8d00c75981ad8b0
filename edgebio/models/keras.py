"""The one place that imports TensorFlow, with Keras 2 (tf_keras): converter and tfmot need it."""

import contextlib
import os
import sys
from collections.abc import Iterator

from edgebio.errors import MissingToolError

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read once, when TensorFlow is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong comes as an exception


@contextlib.contextmanager
def _native_silence() -> Iterator[None]:
    """Keep what C++ writes to stderr before its log level holds: notes that there is no GPU."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


try:
    with _native_silence():
        import tensorflow as tf
        import tf_keras as keras
        from tensorflow.lite.python import schema_py_generated as schema
        from tensorflow.lite.python.convert import mlir_quantize
except ImportError as error:
    raise MissingToolError(
        f"training needs TensorFlow ({error}); install it: pip install 'edgebio[train]'"
    ) from None

tf.get_logger().setLevel("ERROR")
# Threads within an operation change the order of its sums, and with it the last bits of the
# weights: a run would depend on the machine's cores, and on whether folds run side by side. Cores
# are used by operations, and by folds, next to one another.
with contextlib.suppress(RuntimeError):  # a notebook that has used TensorFlow keeps its threads
    tf.config.threading.set_intra_op_parallelism_threads(1)

__all__ = ["keras", "mlir_quantize", "schema", "tf"]
