"""What is searched: networks and front ends around a recipe, which is one of them itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import AugmentSettings, Recipe

WIDTHS: Final = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256)
"""Filters of a block: steps of about a sixth, so that a step costs as much anywhere."""

MOST_BLOCKS: Final = 6
_STRIDES: Final = (1, 2, 3, 4)
_BANDS: Final = (0.5, 0.75, 1.0)
_DENSE: Final = (0, 16, 32, 64)
_DROPOUT: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
_STRENGTHS: Final = (0.0, 0.5, 1.0, 1.5)
_RATES: Final = 3.0  # times the recipe's learning rate, either way
_SMALLER: Final = (0.7, 0.5, 0.35)
_LENGTHS: Final[tuple[Literal[32, 64, 128, 256, 512], ...]] = (32, 64, 128, 256, 512)

Params = dict[str, Any]
"""What tells a candidate from the others, by name; what a sampler chooses."""


class Chooser(Protocol):
    """Whoever chooses: a trial of Optuna."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Choose a whole number."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = ...) -> float:
        """Choose a number."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Choose one of several."""


@dataclass(frozen=True)
class Space:
    """Candidates around a recipe.

    Searched are family, number of blocks and filters of each, where pools stand, the hidden layer,
    dropout, the STFT (points, hop, how much of the band), learning rate and the strength of the
    augmentation. A candidate decides as often as the recipe, within a sample a column, from a
    window that is no longer; everything else is the recipe's.

    Attributes
    ----------
    recipe
        The recipe; `recipe_of` gives it back for `itself`.

    Raises
    ------
    EdgebioError
        Where the recipe's network is none of ``[model]``.
    """

    recipe: Recipe

    def __post_init__(self) -> None:
        if self.recipe.imitation:
            raise EdgebioError(
                f"{self.recipe.name} has [imitation]: only networks of [model] are searched"
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
        """Front ends with the whole band, by what tells them apart: points and hop."""
        own = self.recipe.frontend
        found = {_stft(own): own}
        for fft in _LENGTHS:
            for stride in _STRIDES:
                made = _front_end(own, fft, stride)
                if made is not None and _stft(made) not in found:
                    found[_stft(made)] = made
        return dict(sorted(found.items()))

    @property
    def dense(self) -> tuple[int, ...]:
        """Units of the hidden layer."""
        return tuple(sorted({*_DENSE, self.recipe.model.dense}))

    @property
    def dropout(self) -> tuple[float, ...]:
        """Rates before the classifier."""
        return tuple(sorted({*_DROPOUT, self.recipe.model.dropout}))

    def choose(self, by: Chooser) -> Params:
        """Let `by` choose a candidate."""
        params: Params = {
            "family": by.suggest_categorical("family", ("cnn", "dscnn")),
            "blocks": by.suggest_int("blocks", 1, self.blocks),
        }
        for k in range(params["blocks"]):
            params[f"width{k}"] = by.suggest_int(f"width{k}", 0, len(self.widths) - 1)
            params[f"pool{k}"] = by.suggest_categorical(f"pool{k}", (False, True))
        rate = self.recipe.training.learning_rate
        return params | {
            "dense": by.suggest_categorical("dense", self.dense),
            "dropout": by.suggest_categorical("dropout", self.dropout),
            "stft": by.suggest_categorical("stft", tuple(self.stfts)),
            "band": by.suggest_categorical("band", _BANDS),
            "learning_rate": by.suggest_float(
                "learning_rate", rate / _RATES, rate * _RATES, log=True
            ),
            "augment": by.suggest_categorical("augment", _STRENGTHS),
        }

    def itself(self) -> Params:
        """Give the recipe's own place."""
        model = self.recipe.model
        return {
            "family": model.family,
            "blocks": len(model.filters),
            **{f"width{k}": self.widths.index(w) for k, w in enumerate(model.filters)},
            **{f"pool{k}": k in model.pool_after for k in range(len(model.filters))},
            "dense": model.dense,
            "dropout": model.dropout,
            "stft": _stft(self.recipe.frontend),
            "band": 1.0,
            "learning_rate": self.recipe.training.learning_rate,
            "augment": 1.0,
        }

    def first(self) -> list[Params]:
        """Give what is tried before anything else: the recipe, and smaller ones of both families.

        Most budgets lie below the recipe, and a front is soon there.
        """
        own = self.itself()
        found = [own]
        families = sorted(("cnn", "dscnn"), key=lambda name: name != own["family"])
        for share in (1.0, *_SMALLER):
            filters = {
                f"width{k}": self._nearest(share * w)
                for k, w in enumerate(self.recipe.model.filters)
            }
            made = [own | {"family": name} | filters for name in families]
            found += [params for params in made if params not in found]
        return found

    def smallest(self) -> list[Params]:
        """Give the smallest network behind each front end, that of the fewest pixels first.

        A budget that none of them meets is met by no candidate worth having: each of the others
        has as many blocks, filters and units, or more.
        """
        made = [
            {
                "family": "cnn", "blocks": 1, "width0": 0, "pool0": True,
                "dense": self.dense[0], "dropout": 0.0, "stft": name, "band": _BANDS[0],
                "learning_rate": self.recipe.training.learning_rate, "augment": 1.0,
            }
            for name in self.stfts
        ]  # fmt: skip
        return sorted(made, key=lambda params: _pixels(self.recipe_of(params).frontend))

    def recipe_of(self, params: Params, name: str | None = None) -> Recipe:
        """Make the recipe of a candidate.

        Pools beyond what the image bears are left out, the last ones first.
        """
        recipe = self.recipe
        frontend = _banded(self.stfts[params["stft"]], params["band"])
        filters = tuple(self.widths[params[f"width{k}"]] for k in range(params["blocks"]))
        most = int(math.log2(min(frontend.columns, frontend.width)))
        pools = tuple(k for k in range(params["blocks"]) if params[f"pool{k}"])[:most]
        training = recipe.training
        update: Params = {
            "learning_rate": params["learning_rate"],
            "augment": _stronger(training.augment, params["augment"]),
        }
        if training.new_people.augment is not None:
            augment = _stronger(training.new_people.augment, params["augment"])
            update["new_people"] = training.new_people.model_copy(update={"augment": augment})
        return recipe.model_copy(
            update={
                "name": name or recipe.name,
                "frontend": frontend,
                "model": recipe.model.model_copy(
                    update={
                        "family": params["family"], "filters": filters, "pool_after": pools,
                        "dense": params["dense"], "dropout": params["dropout"],
                    }
                ),
                "training": training.model_copy(update=update),
            }
        )  # fmt: skip

    def _nearest(self, width: float) -> int:
        return min(range(len(self.widths)), key=lambda k: abs(math.log(self.widths[k] / width)))


def _stft(settings: FrontendSettings) -> str:
    return f"{settings.fft} points, hop {settings.hop}"


def _front_end(own: FrontendSettings, fft: int, stride: int) -> FrontendSettings | None:
    """Front end of other points and columns a decision; None where that cannot be.

    Its bins are the same in Hz as nearly as whole bins allow, and its floor stands as high in the
    noise, whose magnitudes grow with the root of the points.
    """
    hop = max(1, round(own.step / stride))
    # Columns that do not touch would leave samples out.
    if hop > fft or not own.fft // 2 <= fft <= own.fft * 2 or fft > own.window:
        return None
    window = fft + (own.window - fft) // hop * hop
    low = max(1, round(own.bins[0] * fft / own.fft)) if own.bins[0] else 0
    high = min(round((own.bins[1] - 1) * fft / own.fft) + 1, fft // 2 + 1)
    if (window - fft) // hop + 1 < stride or high <= low:
        return None
    floor = min(own.floor * math.sqrt(fft / own.fft), 4096.0)
    changed = {
        "fft": fft, "hop": hop, "stride": stride, "window": window, "bins": (low, high),
        "floor": floor,
    }  # fmt: skip
    return FrontendSettings(**{**own.model_dump(), **changed})


def _banded(settings: FrontendSettings, share: float) -> FrontendSettings:
    """Front end of the lower part of its bins."""
    low, high = settings.bins
    bins = (low, low + max(1, round(share * (high - low))))
    return FrontendSettings(**{**settings.model_dump(), "bins": bins})


def _pixels(settings: FrontendSettings) -> tuple[int, int]:
    return settings.columns * settings.width, settings.fft


def _stronger(settings: AugmentSettings, strength: float) -> AugmentSettings:
    """Augmentation of other strength; what is counted in bins, columns or electrodes stays."""
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
