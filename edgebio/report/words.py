"""What was asked, in words: recipe, data, front end and protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgebio import protocols
from edgebio.errors import EdgebioError
from edgebio.frontend.spec import FrontendSpec
from edgebio.recipes import DataSettings, Recipe
from edgebio.recordings import datasets

_REASONS = ("flat", "clipped", "large")
_NAMED = 6  # recordings that are told one by one


def data(name: str) -> str:
    """Say what a data set is, with the work to cite and its terms."""
    try:
        found = datasets.get(name)
    except EdgebioError:
        return f"Data: {name}."  # an imported file that has been moved since
    said = (
        f"Data: {found.name}, {found.title}; {found.channels} channels at {found.rate:g} Hz, "
        f"{len(found.classes)} classes."
    )
    if found.citation:
        said += f" To cite: {found.citation}. Licence: {found.licence}."
    if found.caveat:
        said += f" Caveat: {found.caveat}"
    return said


def protocol(name: str) -> list[str]:
    """Describe a protocol and give its picture, which begins with a line break."""
    picture = protocols.picture(name)
    said = f"Protocol: {name}. {protocols.describe(name)}"
    if not picture:
        return [said]
    tuned = ", + tuned on afterwards" if "+" in picture else ""
    legend = f" A row is a person, a column a session; # is trained on{tuned}, ? tested on, . left "
    legend += "alone."
    return [said + legend, "\n" + picture]


def frontend(spec: FrontendSpec, asked: DataSettings) -> str:
    """Describe the front end, and where its images were cut."""

    def ms(samples: int) -> str:
        return f"{1000 * samples / spec.rate:.0f} ms"

    rows, bins, channels = spec.image_shape
    hertz = spec.rate / spec.fft
    when = f"a decision every {ms(spec.step)}" if asked.windows == "stride" else "one a heart beat"
    return (
        f"What the network sees: windows of {spec.window} samples ({ms(spec.window)}), {when}; "
        f"a {spec.fft}-point STFT every {spec.hop} samples, of it the bins "
        f"from {spec.bins[0] * hertz:.0f} to {(spec.bins[1] - 1) * hertz:.0f} Hz, as base-2 "
        f"logarithms in int8: images of {rows} columns, {bins} bins and {channels} channels, "
        "computed in the firmware's own fixed-point arithmetic."
    )


def training(recipe: Recipe, metrics: Mapping[str, Any]) -> str:
    """Describe network and training of a run, whose metrics are given."""
    model, how = recipe.model, recipe.training
    if metrics.get("new_people"):
        how = how.for_new_people()
    hidden = f", a hidden layer of {model.dense}" if model.dense else ""
    size = f" ({metrics['parameters']:,} parameters)"
    added = [
        name.replace("_", " ") for name, value in how.augment.model_dump().items() if value
    ]  # fmt: skip
    augmented = f", augmented by {listed(added)}" if added else ""
    before = ""
    if "others" in metrics:
        before = (
            f" It learned from {metrics['others']['recordings']:,} recordings of "
            f"{listed(recipe.other_sets)} too before it learned from its own."
        )
    taught = ""
    if how.teacher:
        larger = listed([str(f) for f in how.teacher.filters])
        taught = f" It learned from a teacher of {larger} filters beside the labels."
    by = {
        "training": "the statistics of the training side",
        "session": "the signal, labels unseen, of the person and session that they are of, as "
        "edgebio calibrate does for a wearer",
        "layers": "the signal, labels unseen, of the person and session that they are of, and so "
        "is what each convolution makes of them, as edgebio calibrate does for a wearer",
    }
    return (
        f"Network: {model.family} with {listed([str(f) for f in model.filters])} filters{hidden}"
        f"{size}. Training: up to {how.epochs} epochs of batches of {how.batch}, Adam from "
        f"{how.learning_rate:g} on a cosine, seed {how.seed}{augmented}.{before}{taught} "
        f"Images are standardised by {by[how.normalise]}."
    )


def left_out(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Say which windows were left out as artefacts, as metrics.json counts them; or nothing."""
    sides = []
    for side, rows in found.items():
        if not rows:
            continue
        places = [
            f"person {row['subject']}, session {row['session']}: "
            + " and ".join(f"{row[why]:,} {why}" for why in row if why in _REASONS and row[why])
            + f" of {row['of']:,}"
            for row in rows[:_NAMED]
        ]
        more = f"; and in {len(rows) - _NAMED} more recordings" if len(rows) > _NAMED else ""
        sides.append(f"{side} ({'; '.join(places)}{more})")
    return f"Windows left out as artefacts: {', '.join(sides)}." if sides else ""


def listed(items: Sequence[str]) -> str:
    """Join words with commas and a last ``and``."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def sides(metrics: Mapping[str, Any]) -> str:
    """Say who was trained on and who was tested, of a run's metrics.json."""
    train, test = metrics["train"], metrics["test"]
    return (
        f"Trained on {side(train)}: {train['recordings']:,} recordings. Tested on {side(test)}: "
        f"{test['recordings']:,} recordings, {test['windows']:,} windows."
    )


def side(found: dict[str, list[str]]) -> str:
    """Say whose recordings one side of a fold holds."""
    people, sessions = found["subjects"], found["sessions"]
    return (
        f"{'person' if len(people) == 1 else 'people'} {listed(people)}, "
        f"{'session' if len(sessions) == 1 else 'sessions'} {listed(sessions)}"
    )
