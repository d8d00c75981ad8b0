"""The one place that imports TensorFlow, with Keras 2 (tf_keras): converter and tfmot need it."""

import contextlib
import ctypes
import os
from typing import Any

from edgebio.errors import MissingToolError
from edgebio.processes.native_output import silence_output

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read once, when TensorFlow is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong comes as an exception


try:
    with silence_output((2,)):  # notes of C++ that there is no GPU, before its log level holds
        import tensorflow as tf
        import tf_keras as keras
        from tensorflow.lite.python import schema_py_generated as schema
        from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize import calibrator
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


def _keep_freed_memory() -> None:
    """Ask glibc to hold on to memory that is freed.

    Every step of a training allocates what the layers make and frees it. Handed back to the kernel
    and asked for again, each page is zeroed each time: half of a step went into that. The numbers
    are those of mallopt(3).
    """
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another libc does as it does
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
        mallopt(top_pad, 256 << 20)


_keep_freed_memory()


def optimization() -> Any:
    """Import tensorflow-model-optimization, which takes seconds and which few need."""
    try:
        import tensorflow_model_optimization
    except ImportError as error:
        raise MissingToolError(
            f"this scheme needs tensorflow-model-optimization ({error}); install it: "
            "pip install 'edgebio[train]'"
        ) from None
    return tensorflow_model_optimization


__all__ = ["calibrator", "keras", "mlir_quantize", "optimization", "schema", "tf"]
