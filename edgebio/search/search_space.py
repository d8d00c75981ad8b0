"""The search space: networks and front ends around a recipe, which is one of its points."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import AugmentSettings, Recipe

WIDTHS: Final = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256)
"""Filters of a block, in steps of about a sixth."""

MOST_BLOCKS: Final = 6
_FAMILIES: Final = ("cnn", "dscnn")
_STEP_FRAMES: Final = (1, 2, 3, 4)
_BANDS: Final = (0.5, 0.75, 1.0)
_DENSE: Final = (0, 16, 32, 64)
_DROPOUT: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
_STRENGTHS: Final = (0.0, 0.5, 1.0, 1.5)
_RATE_FACTOR: Final = 3.0  # up and down from the recipe's learning rate
_SMALLER: Final = (0.7, 0.5, 0.35)
_N_FFT: Final = (32, 64, 128, 256, 512)

Params = dict[str, Any]
"""A candidate's coordinates by name; what a sampler chooses."""


@dataclass(frozen=True)
class SearchSpace:
    """Candidates around a recipe.

    Searched are family, number of blocks and filters of each, positions of the pools, the hidden
    layer, dropout, the STFT (n_fft, hop length, share of the band), learning rate and the strength
    of the augmentation. A candidate's decision step is the recipe's, rounded to whole frames, and
    its segments are not longer. Everything else is the recipe's. Recipes of other tasks than
    ``stft_classifier`` are refused.
    """

    recipe: Recipe

    def __post_init__(self) -> None:
        if self.recipe.task != "stft_classifier":
            raise EdgebioError(
                f"{self.recipe.name} trains task {self.recipe.task!r}: only networks of task "
                "'stft_classifier' can be searched"
            )

    @property
    def widths(self) -> tuple[int, ...]:
        """Filters that a block can have: up to half as many again as the recipe's largest."""
        own = self.recipe.model.filters
        return tuple(sorted({w for w in WIDTHS if w <= 1.5 * max(own)} | set(own)))

    @property
    def blocks(self) -> int:
        """Most blocks: one more than the recipe's."""
        own = len(self.recipe.model.filters)
        return max(own, min(own + 1, MOST_BLOCKS))

    @property
    def stfts(self) -> dict[str, FrontendSettings]:
        """Front ends with the whole band, by n_fft and hop length."""
        own = self.recipe.frontend
        stfts = {_stft_name(own): own}
        for n_fft in _N_FFT:
            for step_frames in _STEP_FRAMES:
                settings = _front_end(own, n_fft, step_frames)
                if settings is not None:
                    stfts.setdefault(_stft_name(settings), settings)
        return dict(sorted(stfts.items()))

    def choose(self, trial: Any) -> Params:
        """Let an optuna.Trial choose a candidate."""
        params: Params = {
            "family": trial.suggest_categorical("family", _FAMILIES),
            "blocks": trial.suggest_int("blocks", 1, self.blocks),
        }
        for k in range(params["blocks"]):
            params[f"width{k}"] = trial.suggest_int(f"width{k}", 0, len(self.widths) - 1)
            params[f"pool{k}"] = trial.suggest_categorical(f"pool{k}", (False, True))
        model, rate = self.recipe.model, self.recipe.training.learning_rate
        return params | {
            "dense": trial.suggest_categorical("dense", sorted({*_DENSE, model.dense})),
            "dropout": trial.suggest_categorical("dropout", sorted({*_DROPOUT, model.dropout})),
            "stft": trial.suggest_categorical("stft", tuple(self.stfts)),
            "band": trial.suggest_categorical("band", _BANDS),
            "learning_rate": trial.suggest_float(
                "learning_rate", rate / _RATE_FACTOR, rate * _RATE_FACTOR, log=True
            ),
            "augment": trial.suggest_categorical("augment", _STRENGTHS),
        }

    def start(self) -> Params:
        """Parameters of the recipe itself."""
        model = self.recipe.model
        return {
            "family": model.family,
            "blocks": len(model.filters),
            **{f"width{k}": self.widths.index(w) for k, w in enumerate(model.filters)},
            **{f"pool{k}": k in model.pool_after for k in range(len(model.filters))},
            "dense": model.dense,
            "dropout": model.dropout,
            "stft": _stft_name(self.recipe.frontend),
            "band": 1.0,
            "learning_rate": self.recipe.training.learning_rate,
            "augment": 1.0,
        }

    def first(self) -> list[Params]:
        """Candidates to try before all others: the recipe, and smaller ones of both families.

        Most budgets lie below the recipe, so that a front is found early.
        """
        start = self.start()
        candidates = [start]
        families = sorted(_FAMILIES, key=lambda name: name != start["family"])
        for share in (1.0, *_SMALLER):
            filters = {
                f"width{k}": self._nearest_width(share * w)
                for k, w in enumerate(self.recipe.model.filters)
            }
            scaled = [start | {"family": name} | filters for name in families]
            candidates += [params for params in scaled if params not in candidates]
        return candidates

    def smallest(self) -> list[Params]:
        """The smallest network for each front end, the one with the fewest pixels first.

        Every other candidate has as many blocks, filters and units, or more: a budget that none of
        these meets is met by none.
        """
        candidates = [
            {
                "family": "cnn", "blocks": 1, "width0": 0, "pool0": True,
                "dense": min(_DENSE), "dropout": 0.0, "stft": name, "band": _BANDS[0],
                "learning_rate": self.recipe.training.learning_rate, "augment": 1.0,
            }
            for name in self.stfts
        ]  # fmt: skip
        return sorted(candidates, key=lambda params: _pixels(self.recipe_of(params).frontend))

    def recipe_of(self, params: Params, name: str | None = None) -> Recipe:
        """Recipe of a candidate.

        Pools that the image is too small for are left out, the last ones first.
        """
        recipe = self.recipe
        frontend = _with_band(self.stfts[params["stft"]], params["band"])
        filters = tuple(self.widths[params[f"width{k}"]] for k in range(params["blocks"]))
        kernels = _kernel_frames(recipe.model.kernel_frames, params["blocks"], frontend.frames)
        pooled = frontend.n_bins if kernels else min(frontend.frames, frontend.n_bins)
        most_pools = int(math.log2(pooled))
        pools = tuple(k for k in range(params["blocks"]) if params[f"pool{k}"])[:most_pools]
        training = recipe.training
        update: Params = {
            "learning_rate": params["learning_rate"],
            "augment": _with_strength(training.augment, params["augment"]),
        }
        if training.new_subjects.augment is not None:
            augment = _with_strength(training.new_subjects.augment, params["augment"])
            update["new_subjects"] = training.new_subjects.model_copy(update={"augment": augment})
        return recipe.model_copy(
            update={
                "name": name or recipe.name,
                "frontend": frontend,
                "model": recipe.model.model_copy(
                    update={
                        "family": params["family"], "filters": filters, "pool_after": pools,
                        "dense": params["dense"], "dropout": params["dropout"],
                        "kernel_frames": kernels,
                    }
                ),
                "training": training.model_copy(update=update),
            }
        )  # fmt: skip

    def _nearest_width(self, width: float) -> int:
        return min(range(len(self.widths)), key=lambda k: abs(math.log(self.widths[k] / width)))


def _kernel_frames(own: tuple[int, ...], blocks: int, frames: int) -> tuple[int, ...]:
    """Frames under the kernel of each block: the recipe's, then 1, within an image's frames."""
    kernels = [*own[:blocks], *[1] * (blocks - len(own))] if own else []
    for k in reversed(range(len(kernels))):
        above = 1 + sum(size - 1 for size in kernels) - frames
        kernels[k] = max(1, kernels[k] - max(0, above))
    return tuple(kernels)


def _stft_name(settings: FrontendSettings) -> str:
    return f"{settings.n_fft} points, hop {settings.hop_length}"


def _front_end(own: FrontendSettings, n_fft: int, step_frames: int) -> FrontendSettings | None:
    """Front end with another n_fft and number of frames per decision; None where it cannot be.

    Its bins are the same in Hz as nearly as whole bins allow, and its floor is as high in the
    noise, whose magnitudes grow with the square root of n_fft.
    """
    hop = max(1, round(own.step / step_frames))
    # Frames with gaps between them would leave samples out.
    if hop > n_fft or not own.n_fft // 2 <= n_fft <= own.n_fft * 2 or n_fft > own.segment_length:
        return None
    length = n_fft + (own.segment_length - n_fft) // hop * hop
    low = max(1, round(own.bins[0] * n_fft / own.n_fft)) if own.bins[0] else 0
    high = min(round((own.bins[1] - 1) * n_fft / own.n_fft) + 1, n_fft // 2 + 1)
    if (length - n_fft) // hop + 1 < step_frames or high <= low:
        return None
    floor = min(own.floor * math.sqrt(n_fft / own.n_fft), 4096.0)
    changed = {
        "n_fft": n_fft, "hop_length": hop, "step_frames": step_frames, "segment_length": length,
        "bins": (low, high), "floor": floor,
    }  # fmt: skip
    return FrontendSettings(**{**own.model_dump(), **changed})


def _with_band(settings: FrontendSettings, share: float) -> FrontendSettings:
    """Front end with the lower part of its bins."""
    low, high = settings.bins
    bins = (low, low + max(1, round(share * (high - low))))
    return FrontendSettings(**{**settings.model_dump(), "bins": bins})


def _pixels(settings: FrontendSettings) -> tuple[int, int]:
    return settings.frames * settings.n_bins, settings.n_fft


def _with_strength(settings: AugmentSettings, strength: float) -> AugmentSettings:
    """Augmentation with other amplitudes; numbers of bins, frames or electrodes stay."""
    most: Mapping[str, float] = {
        "mixup": 0.5, "shift": 0.5, "channel_dropout": 0.9, "time_stretch": 1.0,
    }  # fmt: skip
    return settings.model_copy(
        update={
            name: min(strength * value, most.get(name, math.inf))
            for name, value in settings
            if isinstance(value, float)
        }
    )
