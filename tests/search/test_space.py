import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebio import recipes
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSettings
from edgebio.recipes import AugmentSettings, ModelSettings, Recipe
from edgebio.search.space import Space
from tests import tiny

NAMES = [name for name in recipes.names() if recipes.load(name).imitation is None]


class Drawn:
    """Chooses as hypothesis does, and keeps to what Optuna would allow."""

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
def test_a_recipe_has_its_own_place_in_its_space(name):
    recipe = recipes.load(name)
    space = Space(recipe)
    made = space.recipe_of(space.itself())
    pools = tuple(sorted(set(recipe.model.pool_after)))
    assert made.model == recipe.model.model_copy(update={"pool_after": pools})
    assert made.model_copy(update={"model": recipe.model}) == recipe


@pytest.mark.parametrize("name", NAMES)
def test_optuna_takes_what_is_tried_first(name):
    """Each of them is a choice that the sampler could have made: none is changed on its way."""
    space = Space(recipes.load(name))
    study = optuna.create_study(directions=("maximize", "minimize"))
    asked = [*space.first(), *space.smallest()]
    for params in asked:
        study.enqueue_trial(params)
        trial = study.ask()
        assert space.choose(trial) == params
    assert asked[0] == space.itself()
    assert len(space.first()) == len({str(sorted(p.items())) for p in space.first()})


@settings(max_examples=60)
@given(st.data(), st.sampled_from(NAMES))
def test_a_candidate_is_a_recipe_that_decides_as_often(data, name):
    recipe = recipes.load(name)
    space = Space(recipe)
    made = space.recipe_of(space.choose(Drawn(data.draw)), "candidate")
    own, front_end = recipe.frontend, made.frontend
    assert front_end.window <= own.window
    assert abs(front_end.step - own.step) <= front_end.stride
    assert front_end.hop <= front_end.fft or front_end == own
    # Whole, and the same once written and read: pydantic checks nothing of a copy.
    read = Recipe.model_validate(made.model_dump())
    assert read == made
    FrontendSettings(**front_end.model_dump())
    pools = len(set(made.model.pool_after))
    assert min(front_end.columns, front_end.width) >> pools >= 1
    assert (made.data, made.quantize, made.decision) == (
        recipe.data, recipe.quantize, recipe.decision,
    )  # fmt: skip


def test_a_recipe_of_a_candidate_is_a_file(tmp_path):
    space = Space(recipes.load("emg-grips"))
    for number, params in enumerate(space.first()):
        made = space.recipe_of(params, f"emg-grips-{number}")
        path = tmp_path / f"{number}.toml"
        path.write_text(recipes.dump(made))
        assert recipes.load(path) == made


def test_strength_is_of_all_amplitudes_of_the_augmentation():
    figures = AugmentSettings.model_fields
    amplitudes = [name for name, field in figures.items() if field.annotation is float]
    augment = AugmentSettings(**{name: 0.1 if name in amplitudes else 2 for name in figures})
    training = tiny.RECIPE.training.model_copy(update={"augment": augment})
    space = Space(tiny.RECIPE.model_copy(update={"training": training}))
    made = space.recipe_of(space.itself() | {"augment": 0.5}).training.augment
    assert made == augment.model_copy(update=dict.fromkeys(amplitudes, 0.05))


def test_the_smallest_has_the_fewest_of_everything():
    space = Space(tiny.RECIPE)
    for params in space.smallest():
        made = space.recipe_of(params)
        assert made.model == ModelSettings(
            family="cnn", filters=(min(space.widths),), pool_after=(0,), dense=0, dropout=0.0
        )
    sizes = [space.recipe_of(p).frontend for p in space.smallest()]
    pixels = [s.columns * s.width for s in sizes]
    assert pixels == sorted(pixels)


def test_an_imitation_is_not_searched():
    with pytest.raises(EdgebioError, match=r"^tiny-fin has \[imitation\]"):
        Space(tiny.IMITATION)
