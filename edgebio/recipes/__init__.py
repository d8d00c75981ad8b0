"""Recipes: what to train, from which recordings, and how."""

from edgebio.recipes.data import DataSettings
from edgebio.recipes.feature_imitation import FeatureImitationSettings
from edgebio.recipes.files import dump, load, names, path_of
from edgebio.recipes.model import ModelSettings
from edgebio.recipes.quantize import (
    ClusterSettings,
    PruneSettings,
    QatSettings,
    QuantizeSettings,
    Scheme,
)
from edgebio.recipes.recipe import Recipe, Task, refuse_unused
from edgebio.recipes.training import (
    AugmentSettings,
    NewSubjectsSettings,
    Normalization,
    PretrainingSettings,
    TeacherSettings,
    TrainingSettings,
)

__all__ = [
    "AugmentSettings",
    "ClusterSettings",
    "DataSettings",
    "FeatureImitationSettings",
    "ModelSettings",
    "NewSubjectsSettings",
    "Normalization",
    "PretrainingSettings",
    "PruneSettings",
    "QatSettings",
    "QuantizeSettings",
    "Recipe",
    "Scheme",
    "Task",
    "TeacherSettings",
    "TrainingSettings",
    "dump",
    "load",
    "names",
    "path_of",
    "refuse_unused",
]
