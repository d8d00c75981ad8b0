"""Images that stand alone: what fits a model and a board, and what is generated for it."""

import re
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from edgebio import boards, tflite
from edgebio.boards import Board
from edgebio.errors import EdgebioError
from edgebio.firmware import board_header, standalone
from edgebio.firmware.peripheral_options import Standalone
from edgebio.firmware.standalone import StandaloneConfig
from edgebio.frontend.spec import FrontendSpec
from edgebio.tflite.metadata import ModelMetadata, SignalScale, require_metadata
from tests.firmware import wearable

PICO = boards.load("pico")
ADC = "adc:gain=1000"
SERVO = "servo:fist=20,pinch=160,rest=90"


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> ModelMetadata:
    path = wearable.write(tmp_path_factory.mktemp("model") / "model.tflite")
    return require_metadata(tflite.read(path), "a test")


def configure(
    metadata: ModelMetadata, source: str, sink: str = "", board: Board = PICO, **changes: Any
) -> StandaloneConfig:
    return standalone.configure(
        Standalone(source, sink), board, metadata.model_copy(update=changes)
    )


def macros(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#define (\w+) (.+)$", text, re.MULTILINE))


def test_ring_holds_twice_the_slowest_decision(metadata: ModelMetadata) -> None:
    source = configure(metadata, ADC).source
    step = metadata.frontend.step
    for slowest_us in (0, 30_000, 123_456, 2_000_000):
        frames = int(macros(source.header(slowest_us))["EB_SOURCE_RING_FRAMES"][:-1])
        assert frames % 2 == 0
        assert frames >= 64  # two blocks of the source
        assert frames >= 2 * max(step, slowest_us / 1e6 * metadata.frontend.rate)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("rate", [500.0, 1000.0, 2000.0, 4000.0, 2222.0])
def test_converter_is_timed_exactly(metadata: ModelMetadata, rate: float, channels: int) -> None:
    """The header's period is what the divider makes; within 0.1 % of the model's rate."""
    spec = FrontendSpec(rate=rate, channels=channels)
    clock = 48_000_000 * 256
    if clock / (rate * channels) > 0x10000FF:
        with pytest.raises(EdgebioError, match=f"{rate:g} Hz is too slow; pico samples"):
            configure(metadata, ADC, frontend=spec)
        return
    config = configure(metadata, ADC, frontend=spec)
    source = macros(config.source.header(0))
    period = Fraction(int(source["EB_SOURCE_PERIOD_NUMERATOR"][:-1]),
                      int(source["EB_SOURCE_PERIOD_DENOMINATOR"][:-1]))  # fmt: skip
    divider = int(macros(board_header.text(PICO, config.use))["EB_ADC_DIVIDER"][:-1])
    assert period == Fraction(divider * channels * 1_000_000, clock)
    assert abs(period * Fraction(rate) / 1_000_000 - 1) <= Fraction(1, 1000)


def test_scale_is_that_of_amplifier_and_converter(metadata: ModelMetadata) -> None:
    """3.3 V / 4096 / 1000 are 0.8057 uV a code."""
    config = configure(metadata, "adc:gain=1000,bias_mv=1500,highpass=5")
    scale = config.source.scale
    assert scale is not None
    assert scale.zero == round(1500 / 3300 * 4096)
    factor = Fraction(scale.multiplier, 1 << scale.shift)
    assert abs(factor / (Fraction(33, 10) / 4096 / 1000 * 1_000_000) - 1) <= Fraction(1, 1 << 30)
    assert scale.highpass == 5  # a corner of 5.0 Hz at 1000 Hz
    text = macros(config.source.header(0))["EB_SOURCE_SCALE"]
    assert text == (
        f"{{.zero = {scale.zero}, .multiplier = {scale.multiplier}, .shift = {scale.shift}, "
        f".highpass = {scale.highpass}}}"
    )


def test_a_model_without_volts_gets_the_codes_and_one_warning(metadata: ModelMetadata) -> None:
    with pytest.warns(UserWarning, match="does not know the volts of its counts") as caught:
        config = configure(metadata, ADC, signal=SignalScale())
    assert len(caught) == 1
    scale = config.source.scale
    assert scale is not None
    assert scale.zero == 2048
    assert scale.multiplier == 1 << scale.shift
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = configure(metadata, "adc:gain=1000,volts_per_count=1e-6", signal=SignalScale())
        assert given.source.scale == configure(metadata, ADC).source.scale


def test_an_external_converter_takes_its_share_of_the_time(metadata: ModelMetadata) -> None:
    """216 bits at 8 MHz and 250 cycles a channel, every millisecond; DMA serves the chip's own."""
    spec = wearable.spec(channels=8)
    busy = configure(metadata, "ads1298:gain=6", frontend=spec).source.busy
    assert busy == pytest.approx((27 + 8 * 250 / 125) / 1000)
    chain = configure(metadata, "ads1298:chips=2", frontend=wearable.spec(channels=16)).source.busy
    assert chain == pytest.approx((433 / 8 + 16 * 250 / 125) / 1000)
    assert configure(metadata, ADC).source.busy == 0
    with pytest.raises(EdgebioError, match="216 bits takes 27 us at 8 MHz, more than half of 31"):
        configure(metadata, "ads1298", frontend=wearable.spec(channels=8, rate=32000.0))


def test_overlay_adds_what_the_board_lacks_and_the_command_line_wins(
    metadata: ModelMetadata, tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        """\
        [source]
        kind = "adc"
        gain = 500
        pins = ["GP27", "GP28", "GP29"]
        [sink]
        kind = "servo"
        slew = 90
        [sink.angles]
        fist = [10, 20]
        pinch = [30, 40]
        rest = [50, 60]
        [sources.adc]
        pins = ["GP27", "GP28", "GP29"]
        inputs = [1, 2, 3]
        bits = 12
        reference_mv = 3000
        clock_hz = 48_000_000
        divider_max = 0xffff
        max_conversions_hz = 500_000
        dma = [2, 3]
        """
    )
    request = Standalone(source="adc:gain=250", overlay=overlay)
    config = standalone.configure(request, PICO, metadata)
    header = macros(board_header.text(config.board, config.use))
    assert header["EB_ADC_INPUTS"] == "{1u, 2u, 3u}"
    assert header["EB_ADC_DMA_0"] == "2u"
    assert header["EB_SERVO_PINS"] == "{2u, 3u}"
    assert macros(config.sink.header)["EB_SINK_REST_PULSES"] == "{1278u, 1333u}"
    scale = config.source.scale
    assert scale is not None
    factor = Fraction(scale.multiplier, 1 << scale.shift)
    assert abs(factor / (Fraction(3) / 4096 / 250 * 1_000_000) - 1) < Fraction(1, 1 << 29)
    other = standalone.configure(Standalone("link", "text", overlay), PICO, metadata)
    assert (other.source.kind, other.sink.kind) == ("link", "text")


def test_grips_of_the_model_are_its_angles(metadata: ModelMetadata) -> None:
    grips = {"fist": (0.0,), "pinch": (180.0,), "rest": (90.0,)}
    sink = configure(metadata, ADC, "servo", grips=grips).sink
    assert macros(sink.header)["EB_SINK_PULSES"] == "{{1500u}, {1000u}, {2000u}}"
    sink = configure(metadata, ADC, "servo:fist=45", grips=grips).sink
    assert macros(sink.header)["EB_SINK_PULSES"] == "{{1500u}, {1250u}, {2000u}}"


@pytest.mark.parametrize(
    ("source", "sink", "message"),
    [
        ("", "", "give a --source; pico offers link, adc, ads1298"),
        ("acd", "", r"pico offers no source 'acd' \(did you mean 'adc'\?\)"),
        (ADC, "servos", r"pico offers no sink 'servos' \(did you mean 'servo'\?\)"),
        ("adc:gian=2", "", r"source adc: no key 'gian' \(did you mean 'gain'\?\)"),
        ("adc:gain=-2", "", "source adc: gain: Input should be greater than 0"),
        ("adc:gain", "", r"--source adc:gain: 'gain' is not an option; give adc:key=value"),
        ("adc:gain=1,gain=2", "", "gain is given twice"),
        ("link:gain=2", "", "source link: no key 'gain'"),
        ("adc:pins=GP28/GP27/GP26", "", "ascending order; give GP26/GP27/GP28"),
        ("adc:pins=GP26/GP27", "", "2 pins, but the model has 3 channels"),
        ("adc:pins=GP26/GP27/GP3", "", "no input at 'GP3'"),
        ("adc:gain=1000,pins=GP26/GP26/GP27", "", "pin GP26 is taken by sources.adc, twice"),
        ("adc:bias_mv=4000", "", "bias_mv 4000 is not within the converter's range of 3300 mV"),
        ("adc:volts_per_count=9e9", "", "check the model's units"),
        ("adc:gain=1000000", "", r"source adc: range: .* the model's signals go to 1000 uV"),
        ("adc", "", r"source adc: range: one step of the converter is 805.7 uV"),
        (ADC, "text:x=1", "sink text: no key 'x'"),
        (ADC, "servo", "give an angle for each class, such as pinch=20,rest=90"),
        (ADC, "servo:fist=20", "no angle for class 'pinch'; give pinch=DEGREES"),
        (ADC, "servo:fst=20", r"no class or option 'fst' \(did you mean 'fist'\?\)"),
        (ADC, "servo:fist=x,pinch=3", "sink servo: angles.fist.0: .*number"),
        (ADC, "servo:fist=190,pinch=3", "fist=190 is beyond the servo's 180 degrees"),
        (ADC, "servo:fist=1/2,pinch=3", "every class needs as many values: fist has 2, pinch"),
        (ADC, f"{SERVO},pins=GP7", r"has no pin 'GP7' \(did you mean '.*; there are GP2"),
        (ADC, f"{SERVO},min_us=2000", "min_us 2000 is not below 2000"),
        (ADC, f"{SERVO},speed=activity", "needs slew and full_activity"),
        (ADC, "gpio:fist=2,pinch=1", "sink gpio: levels.fist: String should match"),
        (ADC, "gpio:fist=10", "no levels for class 'pinch'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(
    metadata: ModelMetadata, source: str, sink: str, message: str
) -> None:
    with pytest.raises(EdgebioError, match=message) as caught:
        configure(metadata, source, sink)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("front", "source", "message"),
    [
        (wearable.spec(channels=4), "adc", "the model has 4 channels; pico has 3 pins for them"),
        (wearable.spec(rate=100.0), "adc", "100 Hz is too slow; pico samples 3 channels at 244"),
        (wearable.spec(rate=200_000.0), "adc", "600,000 conversions per second; pico does at most"),
        (wearable.spec(rate=123_456.7), "adc", "rate is 123457 Hz; the nearest of pico is .*away"),
        (wearable.spec(rate=1500.0), "ads1298", "1500 Hz; an ADS1298 samples at 250, 500"),
        (wearable.spec(channels=9), "ads1298", "9 channels; 1 ADS1298 has 8"),
        (wearable.spec(), "ads1298:gain=5", "gain 5; an ADS1298 can do 1, 2, 3, 4, 6, 8, 12"),
    ],
)
def test_a_source_must_fit_the_model(
    metadata: ModelMetadata, front: FrontendSpec, source: str, message: str
) -> None:
    if front.rate == 123_456.7:  # a converter with a coarse divider
        adc = PICO.sources.adc
        assert adc is not None
        coarse = adc.model_copy(update={"clock_hz": 1_000_000, "fraction_bits": 0})
        board = PICO.model_copy(update={"sources": PICO.sources.model_copy(update={"adc": coarse})})
    else:
        board = PICO
    with pytest.raises(EdgebioError, match=message):
        configure(metadata, source, board=board, frontend=front)


def test_an_unknown_unit_is_refused_where_24_bits_need_one(metadata: ModelMetadata) -> None:
    with pytest.raises(EdgebioError, match="give volts_per_count=VOLTS"):
        configure(metadata, "ads1298", signal=SignalScale())
    config = configure(metadata, "ads1298:gain=6,chip=ads1299,lead_off=false")
    source = macros(config.source.header(0))
    assert source["EB_ADS1298_GAIN"] == "6u"
    assert source["EB_ADS1298_IS_ADS1299"] == "1"
    assert source["EB_ADS1298_LEAD_OFF"] == "0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[source]\nkind = "adc"\n[snik]\nkind = "text"\n', r"no key 'snik' \(did you mean 'sink'"),
        ('[source]\nkind = "adc"\ngian = 2\n', r"no key 'gian' \(did you mean 'gain'\?\)"),
        ("[source]\ngain = 2\n", r"\[source\] needs a kind: link, adc"),
        ("[sinks.gpio]\npin = [1]\n", r"sinks.gpio: no key 'pin' \(did you mean 'pins'\?\)"),
        ('[sinks.gpio]\npins = ["GP99x"]\n', "'GP99x' is not a pin"),
        ('[source]\nkind = "adc"\ngain = 1000\n[sink]\nkind = "gpio"\n[sinks.gpio]\n'
         'pins = ["GP26", "GP3"]\n', "pin GP26 is taken by sources.adc and sinks.gpio"),
        ('[source]\nkind = "adc"\ngain = 1000\n[sink]\nkind = "gpio"\n[sinks.gpio]\n'
         'pins = ["GP0", "GP3"]\n', "pin GP0 is taken by uart and sinks.gpio"),
        ('[source]\nkind = "adc"\ngain = 1000\n[sink]\nkind = "gpio"\n[sinks.gpio]\n'
         'pins = ["GP4", "GP3"]\ndma = [1]\n', "DMA channel 1 is taken by sources.adc and sinks"),
        ("source = [", "not TOML"),
    ],
)  # fmt: skip
def test_overlay_with_a_fault_is_refused_in_one_line(
    metadata: ModelMetadata, tmp_path: Path, text: str, message: str
) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(text)
    with pytest.raises(EdgebioError, match=message) as caught:
        standalone.configure(Standalone(overlay=overlay), PICO, metadata)
    assert "\n" not in str(caught.value)
    with pytest.raises(EdgebioError, match=r"none\.toml: no such overlay"):
        standalone.configure(Standalone(overlay=tmp_path / "none.toml"), PICO, metadata)


@pytest.mark.parametrize("name", boards.names())
def test_peripherals_of_a_board_fit_together(metadata: ModelMetadata, name: str) -> None:
    """Every source with every sink, of as many channels as there are pins."""
    board = boards.load(name)
    for source in board.sources.names():
        adc = getattr(board.sources, source, None) if "adc" in source else None
        spec = wearable.spec(channels=len(adc.pins) if adc else 3)
        for sink in board.sinks.names():
            options = {"servo": SERVO}.get(sink, sink)
            gain = ":gain=1000" if adc else ""
            config = configure(
                metadata, source + gain, options, board, frontend=spec,
                signal=SignalScale(volts_per_count=Decimal("1e-6")),
            )  # fmt: skip
            assert "EB_IRQS" in board_header.text(board, config.use)
