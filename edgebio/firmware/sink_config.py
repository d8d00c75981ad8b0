"""A decision sink for a model and a board: what each class does, and sink_config.h."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BeforeValidator, Field

from edgebio import generated_c, storage
from edgebio.boards import Board
from edgebio.boards.peripherals import Peripheral, Pins, Servo
from edgebio.decision.spec import REST, DecisionSettings, rest_class
from edgebio.errors import EdgebioError
from edgebio.firmware.peripheral_options import Choice, read_options
from edgebio.firmware.source_options import Names
from edgebio.section import Section
from edgebio.suggest import nearest
from edgebio.tflite.metadata import ModelMetadata

_REST_KEY: Final = "rest"
_DEFAULT_REST: Final = 90.0  # degrees
_ValueT = TypeVar("_ValueT")

Angle = Annotated[float, Field(ge=0, le=360)]
Micros = Annotated[int, Field(ge=400, le=2600)]


def _angles(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(value.split("/"))
    return (value,) if isinstance(value, int | float) else value


Angles = Annotated[tuple[Angle, ...], BeforeValidator(_angles)]
"""Degrees of each servo: a number, a list, or a text with slashes between them."""
Levels = Annotated[str, Field(pattern=r"^[01]+$")]
"""Levels of the pins, in their order: ``0110``."""


class NoOptions(Section):
    """Sinks none and text have no options."""


class ServoOptions(Section):
    """Options of the sink servo, besides the angles by class.

    Attributes
    ----------
    pins : tuple of str
        Pins in use; by default as many of the board's first ones as there are angles.
    slew : float
        Fastest change in degrees per second; 0 for no limit.
    degrees : float
        Range of the servo.
    min_us, max_us : int
        Pulse at 0 degrees and at `degrees`.
    speed : str
        ``full``, or ``activity``: `slew` times the activity of the segment over `full_activity`,
        at most 1. To rest it moves at `slew`.
    full_activity : int
        See `speed`; in the units of the onset: mean counts.
    angles : dict of str to tuple of float
        Angles by class, for a class whose name is an option's.
    """

    pins: Names = ()
    slew: Annotated[float, Field(ge=0, le=10_000)] = 0.0
    degrees: Annotated[float, Field(gt=0, le=360)] = 180.0
    min_us: Micros = 1000
    max_us: Micros = 2000
    speed: Literal["full", "activity"] = "full"
    full_activity: Annotated[int, Field(ge=0, le=65535)] = 0
    angles: dict[str, Angles] = Field(default_factory=dict)


class PinOptions(Section):
    """Options of the sink gpio, besides the levels by class.

    Attributes
    ----------
    pins : tuple of str
        Pins in use; by default the board's first ones.
    levels : dict of str to str
        Levels by class, for a class whose name is an option's.
    """

    pins: Names = ()
    levels: dict[str, Levels] = Field(default_factory=dict)


@dataclass(frozen=True)
class SinkConfig:
    """A sink that fits the model and the board: its C and the peripheral that it uses."""

    kind: str
    header: str
    sources: tuple[Path, ...]
    servo: Servo | None = None
    pins: Pins | None = None

    @property
    def peripheral(self) -> Peripheral | None:
        """The one of the two that it uses."""
        return self.servo or self.pins


def configure(choice: Choice, board: Board, metadata: ModelMetadata) -> SinkConfig:
    """Check a sink against a board and the classes of a model.

    Raises
    ------
    EdgebioError
        If a class is unknown or lacks an angle, or an option is wrong; one line.
    """
    configure_kind: dict[str, Callable[[Choice, Board, ModelMetadata], SinkConfig]] = {
        "servo": _configure_servo,
        "gpio": _configure_pins,
    }
    if choice.kind in configure_kind:
        return configure_kind[choice.kind](choice, board, metadata)
    read_options(NoOptions, choice, "sink")
    return _config(choice.kind, metadata, [])


def _config(kind: str, metadata: ModelMetadata, macros: list[str], **parts: Any) -> SinkConfig:
    names = ", ".join(f'"{_c_text(name)}"' for name in metadata.classes)
    lines = [
        f'#define EB_SINK_NAME "{kind}"',
        f"#define EB_SINK_CLASSES {len(metadata.classes)}u",
        f"#define EB_SINK_CLASS_NAMES {{{names}}}",
        f"#define EB_SINK_REST_CLASS {_rest(metadata)}u",
        *macros,
    ]
    header = generated_c.header(
        f"/* Decision sink {kind}. Generated. */\n",
        "EB_SINK_CONFIG_H",
        macros="".join(f"{line}\n" for line in lines),
    )
    folder = storage.assets("firmware_assets") / "sinks"
    return SinkConfig(kind, header, (folder / f"eb_sink_{kind}.c",), **parts)


def _c_text(name: str) -> str:
    """Name as the inside of a C string literal: printable ASCII."""
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\?' else "_" for c in name)


def _rest(metadata: ModelMetadata) -> int:
    settings: DecisionSettings = metadata.decision
    return rest_class(settings, metadata.classes)


def _split(
    choice: Choice, section: type[Section], table: str, classes: tuple[str, ...]
) -> tuple[Choice, dict[str, Any]]:
    """Separate the keys of the section from those that are classes; refuse all others."""
    known = {*classes, _REST_KEY}
    options = {key: value for key, value in choice.options.items() if key in section.model_fields}
    by_class = {key: value for key, value in choice.options.items() if key not in options}
    inner = options.get(table, {})
    for key in [*by_class, *(inner if isinstance(inner, Mapping) else ())]:
        if key not in known:
            every = [*classes, _REST_KEY, *section.model_fields]
            raise EdgebioError(
                f"sink {choice.kind}: no class or option {key!r}{nearest(key, every)}; the model's "
                f"classes are {', '.join(classes)}"
            )
    if isinstance(inner, Mapping):
        options[table] = {**inner, **by_class}
    return Choice(choice.kind, options), by_class


def _by_class(
    values: Mapping[str, _ValueT], metadata: ModelMetadata, rest: _ValueT | None
) -> tuple[list[_ValueT | None], _ValueT | None]:
    """Values of all classes, and that of rest, which the rest class has, too."""
    index = _rest(metadata)
    name = metadata.classes[index] if index != REST else _REST_KEY
    rest = values.get(name, values.get(_REST_KEY, rest))
    every = [values.get(each) for each in metadata.classes]
    if index != REST:
        every[index] = rest
    return every, rest


def _choose_pins(
    wanted: tuple[str, ...], own: tuple[str, ...], count: int, where: str
) -> list[int]:
    """Places of the pins in use in the board's list."""
    if not wanted:
        if count > len(own):
            raise EdgebioError(f"{where} has {len(own)} pins, not {count}: {', '.join(own)}")
        return list(range(count))
    for pin in wanted:
        if pin not in own:
            raise EdgebioError(
                f"{where} has no pin {pin!r}{nearest(pin, own)}; there are {', '.join(own)}"
            )
    if len(wanted) != count:
        raise EdgebioError(f"{where}: {len(wanted)} pins for {count} values of each class")
    return [own.index(pin) for pin in wanted]


def _same_length(values: Mapping[str, Any], kind: str) -> int:
    lengths = {name: len(value) for name, value in values.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise EdgebioError(f"sink {kind}: every class needs as many values: {shown}")
    return next(iter(lengths.values()))


def _configure_servo(choice: Choice, board: Board, metadata: ModelMetadata) -> SinkConfig:
    servo = board.sinks.servo
    assert servo is not None
    own, _ = _split(choice, ServoOptions, "angles", metadata.classes)
    options = read_options(ServoOptions, own, "sink")
    if options.min_us >= options.max_us:
        raise EdgebioError(f"sink servo: min_us {options.min_us} is not below {options.max_us}")
    if options.speed == "activity" and not (options.slew and options.full_activity):
        raise EdgebioError("sink servo: speed=activity needs slew and full_activity")
    given = dict(metadata.grips) | options.angles
    if not given:
        example = [name for name in metadata.classes if name != _REST_KEY][-1]
        raise EdgebioError(
            f"sink servo: give an angle for each class, such as {example}=20,rest=90"
        )
    count = _same_length(given, "servo")
    angles, rest = _by_class(given, metadata, (_DEFAULT_REST,) * count)
    for name, degrees in zip((*metadata.classes, _REST_KEY), (*angles, rest), strict=True):
        if degrees is None:
            raise EdgebioError(f"sink servo: no angle for class {name!r}; give {name}=DEGREES")
        if max(degrees) > options.degrees:
            raise EdgebioError(
                f"sink servo: {name}={max(degrees):g} is beyond the servo's {options.degrees:g} "
                "degrees"
            )
    places = _choose_pins(options.pins, servo.pins, count, f"sink servo: {board.name}")
    span = options.max_us - options.min_us

    def pulses(degrees: tuple[float, ...] | None) -> str:
        micros = (options.min_us + round(d * span / options.degrees) for d in degrees or ())
        return f"{{{', '.join(f'{us}u' for us in micros)}}}"

    macros = [
        f"#define EB_SINK_PULSES {{{', '.join(map(pulses, angles))}}}",
        f"#define EB_SINK_REST_PULSES {pulses(rest)}",
        "/* Fastest change in microseconds of the pulse per second; 0: no limit. */",
        f"#define EB_SINK_SLEW {round(options.slew * span / options.degrees)}u",
        "/* Activity at which the change is as fast as that; 0: it always is. */",
        "#define EB_SINK_FULL_ACTIVITY "
        f"{options.full_activity if options.speed == 'activity' else 0}u",
    ]
    used = servo.model_copy(
        update={
            "pins": tuple(servo.pins[i] for i in places),
            "outputs": tuple(servo.outputs[i] for i in places) if servo.outputs else (),
        }
    )
    return _config("servo", metadata, macros, servo=used)


def _configure_pins(choice: Choice, board: Board, metadata: ModelMetadata) -> SinkConfig:
    pins = board.sinks.gpio
    assert pins is not None
    own, _ = _split(choice, PinOptions, "levels", metadata.classes)
    options = read_options(PinOptions, own, "sink")
    if options.levels:
        count = _same_length(options.levels, "gpio")
        levels, rest = _by_class(options.levels, metadata, "0" * count)
        for name, level in zip(metadata.classes, levels, strict=True):
            if level is None:
                raise EdgebioError(f"sink gpio: no levels for class {name!r}; give {name}=0101")
    else:
        # One pin for each class but rest, high while it is decided.
        moving = [i for i in range(len(metadata.classes)) if i != _rest(metadata)]
        count = len(moving)
        levels = [
            "".join("1" if i == other else "0" for other in moving)
            for i in range(len(metadata.classes))
        ]
        rest = "0" * count
    places = _choose_pins(options.pins, pins.pins, count, f"sink gpio: {board.name}")

    def mask(level: str | None) -> str:
        return f"{int((level or '0')[::-1], 2):#x}u"

    macros = [
        "/* Bit i: pin i of EB_PINS. */",
        f"#define EB_SINK_LEVELS {{{', '.join(map(mask, levels))}}}",
        f"#define EB_SINK_REST_LEVELS {mask(rest)}",
    ]
    used = pins.model_copy(update={"pins": tuple(pins.pins[i] for i in places)})
    return _config("gpio", metadata, macros, pins=used)
