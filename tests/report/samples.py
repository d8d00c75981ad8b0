"""One chart of each kind, with odd content."""

import numpy as np

from edgebio.report import charts, pareto, signal_charts


def all_charts():
    random = np.random.default_rng(1)
    rates = np.linspace(0, 1, 20)
    image = random.integers(-128, 127, (9, 32, 4)).astype(np.int8)
    heat = random.uniform(0, 1, (9, 32))
    time = np.linspace(0, 2, 200)
    curve = (time, 0.5 + 0.4 * np.sin(20 * time))
    return [
        charts.curves(
            "Loss over epochs", {"training": [[2, 1, 0.5]], "validation": [[2, 1.5, 1]]}, "epoch",
            "loss", marks={"best epoch": 2},
        ),
        charts.curves("One epoch", {"training": [[0.5], [0.4]]}, "epoch", "accuracy"),
        charts.confusion_matrix(
            "Confusion", [[9, 1, 0], [0, 0, 0], [2, 2, 2]],
            ["<rest>", "a name that is far too long", "fist"],
        ),
        charts.confusion_matrix(
            "Many classes", (np.eye(30, dtype=int) * 9).tolist(), [f"class {k}" for k in range(30)]
        ),
        charts.roc_curves(
            "ROC", {f"class {k}": (rates, rates ** (1 / (k + 2))) for k in range(5)},
            ["class 0", "class 1"],
        ),
        charts.predicted_over_true(
            "Predicted", [0.0, 0.01, 1.0], [0.1, -1.0, 1.0], "sd", logarithmic=True
        ),
        charts.subject_dots(
            "Subjects", {"int8": {"1": 0.9, "Ann": 0.8}, "float": {"1": 0.95, "Ann": None}},
            "accuracy", 0.85, (0.8, 0.9),
        ),
        charts.subject_dots("One subject", {"float": {"1": 1.0}}, "accuracy", 1.0, None),
        charts.curves(
            "Calibration", {"subject": [[0.5, 0.7], [0.6, 0.7]], "mean": [[0.55, 0.7]]}, "s",
            "accuracy", x=[0, 5],
        ),
        charts.bars("Bars", [("conv", 30.0, "30 dB"), ("pool", None, "exact")], "SNR, dB"),
        pareto.pareto_front(
            "Front",
            [
                pareto.ParetoPoint("1", 2.0, 0.8, "front", "1: 0.8 & more"),
                pareto.ParetoPoint("2", 4.0, 0.9, "front", "2"),
                pareto.ParetoPoint("3", 3.0, 0.7, "reference", "3"),
                pareto.ParetoPoint("4", 3.0, 0.6, "other", "4"),
            ],
            "time, ms", "accuracy", "original recipe", 5.0,
        ),
        signal_charts.curves_by_class(
            "Signals", [signal_charts.Panel([("rest", [curve]), ("fist", [])], "s", "counts")],
            ["channel 1"],
        ),
        signal_charts.stft_images("Images", [("rest", image)] * 16, 200, (0, 500)),
        signal_charts.gradcam(
            "Grad-CAM",
            [signal_charts.Attention("rest", image.mean(axis=-1), heat, heat, 3),
             signal_charts.Attention("fist", image.mean(axis=-1), heat, heat, 0)],
        ),
    ]  # fmt: skip
