"""What only the report of an STFT classifier shows: what its network sees."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgebio.report.page import Figure, Section, Tile, decimal, percent
from edgebio.report.signal_charts import Attention, gradcam, stft_images
from edgebio.tasks.description import describe_frontend, describe_training
from edgebio.tasks.report_sections import fold_name
from edgebio.tasks.stft_classifier.run import ImageRun
from edgebio.training.gradcam import load as load_maps
from edgebio.training.gradcam import typical_image

Document = Mapping[str, Any]


def metric_tiles(run: ImageRun, quantized: Document | None) -> list[Tile]:
    """Metrics at the top of a run's report."""
    source, suffix = (quantized, "_int8") if quantized else (run.metrics, "")
    remark = f"int8; float {percent(quantized['accuracy_float'])}" if quantized else "float"
    tiles = [
        Tile("accuracy", percent(source[f"accuracy{suffix}"]), remark),
        Tile("balanced accuracy", percent(source[f"balanced_accuracy{suffix}"]), "mean recall"),
        Tile("macro F1", decimal(source[f"macro_f1{suffix}"])),
        Tile("ROC-AUC", decimal(source[f"roc_auc{suffix}"]), "one against the rest"),
    ]
    if quantized:
        size = quantized["bytes"]["int8"] / 1024
        tiles.append(Tile("model", f"{size:.1f}\u00a0KB", "model.tflite"))
    return tiles


def describe_classifier(run: ImageRun) -> list[str]:
    """Describe front end, network and training."""
    return [
        describe_frontend(run.frontend.frontend, run.recipe.data),
        describe_training(run.recipe, run.metrics),
    ]


def own_sections(run: ImageRun, quantized: Document | None) -> list[Section]:
    """Sections of a run's report that only this task has."""
    return [_examples_section(run)]


def fold_section(run: ImageRun, folds: Sequence[Document], mean: Document) -> Section:
    """Section of an evaluation's report: examples of the first fold, `run`."""
    section = _examples_section(run)
    if len(folds) == 1:
        return section
    return replace(section, text=[f"Network of fold {fold_name(folds[0], folds)}."])


def _examples_section(run: ImageRun) -> Section:
    """One test image of each class, that of median certainty, and what the network looks at."""
    test, classes = run.test_images(), run.frontend.classes
    probability = run.test_set().probability
    images = []
    for k, name in enumerate(classes):
        index = typical_image(test.labels, probability, k)
        if index is None:
            continue
        decided = classes[int(probability[index].argmax())]
        caption = name if decided == name else f"{name}, decided as {decided}"
        images.append((caption, test.take(np.array([index]))[0]))
    spec = run.frontend.frontend
    hertz = spec.rate / spec.n_fft
    frames, bins, _ = spec.image_shape
    chart = stft_images(
        "STFT images by class", images, 1000 * spec.segment_length / spec.rate,
        (spec.bins[0] * hertz, (spec.bins[1] - 1) * hertz),
    )  # fmt: skip
    caption = (
        "STFT images as the device computes them: the test segment of median certainty of each "
        f"class. {frames} frames (to the right) by {bins} bins (upwards) for each channel."
    )
    figures = [Figure(chart, caption)]
    maps = load_maps(run.folder)
    if maps is not None:
        attention = [
            Attention(
                name, test.take(maps.examples[k : k + 1])[0].mean(axis=-1), maps.maps[k],
                maps.means[k], int(maps.counts[k]),
            )
            for k, name in enumerate(classes)
            if maps.examples[k] >= 0
        ]  # fmt: skip
        caption = (
            "Grad-CAM of the float network: what supports the image's own class is bright. Left: "
            "the image above, mean over channels. Right: mean over correctly decided test images. "
            "Frames to the right, bins upwards."
        )
        figures.append(Figure(gradcam("Grad-CAM by class", attention), caption))
    return Section("What the network sees", figures=figures)
