import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import AugmentSettings, ModelSettings, Recipe
from edgebio.search.search_space import SearchSpace
from tests import tiny

NAMES = [name for name in recipes.names() if recipes.load(name).feature_imitation is None]


class HypothesisChooser:
    """Chooses by hypothesis, within what Optuna would allow."""

    def __init__(self, draw):
        self.draw = draw

    def suggest_int(self, name, low, high):
        return self.draw(st.integers(low, high), label=name)

    def suggest_float(self, name, low, high, *, log=False):
        return self.draw(st.floats(low, high), label=name)

    def suggest_categorical(self, name, choices):
        assert len(set(choices)) == len(choices)
        return self.draw(st.sampled_from(list(choices)), label=name)


@pytest.mark.parametrize("name", NAMES)
def test_recipe_is_a_point_of_its_own_search_space(name):
    recipe = recipes.load(name)
    space = SearchSpace(recipe)
    candidate = space.recipe_of(space.start())
    pools = tuple(sorted(set(recipe.model.pool_after)))
    assert candidate.model == recipe.model.model_copy(update={"pool_after": pools})
    assert candidate.model_copy(update={"model": recipe.model}) == recipe


@pytest.mark.parametrize("name", NAMES)
def test_optuna_accepts_the_first_candidates(name):
    """Each is a choice that the sampler could have candidate, and reaches the trial unchanged."""
    space = SearchSpace(recipes.load(name))
    study = optuna.create_study(directions=("maximize", "minimize"))
    params_list = [*space.first(), *space.smallest()]
    for params in params_list:
        study.enqueue_trial(params)
        trial = study.ask()
        assert space.choose(trial) == params
    assert params_list[0] == space.start()
    assert len(space.first()) == len({str(sorted(p.items())) for p in space.first()})


@settings(max_examples=60)
@given(st.data(), st.sampled_from(NAMES))
def test_candidate_is_a_valid_recipe_with_the_same_decision_step(data, name):
    recipe = recipes.load(name)
    space = SearchSpace(recipe)
    candidate = space.recipe_of(space.choose(HypothesisChooser(data.draw)), "candidate")
    own, front_end = recipe.frontend, candidate.frontend
    assert front_end.segment_length <= own.segment_length
    assert abs(front_end.step - own.step) <= front_end.step_frames
    assert front_end.hop_length <= front_end.n_fft or front_end == own
    # Validate: pydantic does not check the fields of a copy.
    read = Recipe.model_validate(candidate.model_dump())
    assert read == candidate
    FrontendSettings(**front_end.model_dump())
    pools, kernels = len(set(candidate.model.pool_after)), candidate.model.kernel_frames
    pooled = front_end.n_bins if kernels else min(front_end.frames, front_end.n_bins)
    assert pooled >> pools >= 1
    assert bool(kernels) == bool(recipe.model.kernel_frames)
    assert len(kernels) in (0, len(candidate.model.filters))
    assert 1 + sum(size - 1 for size in kernels) <= front_end.frames
    assert (candidate.data, candidate.quantize, candidate.decision) == (
        recipe.data, recipe.quantize, recipe.decision,
    )  # fmt: skip


def test_recipe_of_a_candidate_is_the_same_after_writing_and_loading(tmp_path):
    space = SearchSpace(recipes.load("emg-grips"))
    for number, params in enumerate(space.first()):
        candidate = space.recipe_of(params, f"emg-grips-{number}")
        path = tmp_path / f"{number}.toml"
        path.write_text(recipes.dump(candidate))
        assert recipes.load(path) == candidate


def test_strength_scales_all_amplitudes_of_the_augmentation():
    fields = AugmentSettings.model_fields
    amplitudes = [name for name, field in fields.items() if field.annotation is float]
    values = {name: 0.1 if name in amplitudes else 2 for name in fields}
    augment = AugmentSettings.model_validate(values)
    training = tiny.RECIPE.training.model_copy(update={"augment": augment})
    space = SearchSpace(tiny.RECIPE.model_copy(update={"training": training}))
    candidate = space.recipe_of(space.start() | {"augment": 0.5}).training.augment
    assert candidate == augment.model_copy(update=dict.fromkeys(amplitudes, 0.05))


def test_smallest_candidates_have_the_fewest_blocks_filters_and_units():
    space = SearchSpace(tiny.RECIPE)
    for params in space.smallest():
        candidate = space.recipe_of(params)
        assert candidate.model == ModelSettings(
            family="cnn", filters=(min(space.widths),), pool_after=(0,), dense=0, dropout=0.0
        )
    sizes = [space.recipe_of(p).frontend for p in space.smallest()]
    pixels = [s.frames * s.n_bins for s in sizes]
    assert pixels == sorted(pixels)


def test_other_tasks_are_refused():
    with pytest.raises(EdgebioError, match=r"^tiny-fin trains task 'feature_imitation'"):
        SearchSpace(tiny.IMITATION)
