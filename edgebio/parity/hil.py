"""Hardware in the loop: a board on a port, held against this machine stage by stage.

Everything goes over the link to the image that is in the board. An image built with ``--hil`` shows
what each stage of the front end and each layer makes; any other one is held to its outputs.
"""

import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio import progress, storage, tflite
from edgebio.compiler.host import HostModel
from edgebio.errors import DeviceError, EdgebioError
from edgebio.firmware import manifest
from edgebio.frontend.twin import STAGES, Twin
from edgebio.link.client import Client
from edgebio.link.errors import RefusedError
from edgebio.link.trace import Trace
from edgebio.parity.board_rung import helium_bounds
from edgebio.parity.comparison import Part, compare_exactly
from edgebio.parity.decisions import Session
from edgebio.parity.frontend_rungs import compare_stages
from edgebio.recordings import Recording
from edgebio.recordings.recording import UNLABELLED
from edgebio.tflite.metadata import metadata

Array = npt.NDArray[Any]
Mode = Literal["outputs", "layers", "data"]
"""How much is asked of the board: outputs; size and CRC-32 of what every stage and layer makes, and
all of it where they differ; or all of it."""

_TRIES = 3  # traces are not repeated piece by piece: a lost event costs the whole


@dataclass(frozen=True)
class Measure:
    """One stage or layer on the board against this machine.

    Attributes
    ----------
    name : str
        Which.
    compared, differing, worst : int
        Values, those that differ, and by how many steps of their type at most.
    cosine : float
        Cosine of the angle between both.
    snr_db : float or None
        Signal over difference; None where nothing differs.
    first : str
        The first difference, in words.
    """

    name: str
    compared: int
    differing: int = 0
    worst: int = 0
    cosine: float = 1.0
    snr_db: float | None = None
    first: str = ""

    @classmethod
    def of(cls, part: Part, expected: Array, measured: Array) -> "Measure":
        """Take a comparison, and measure the angle and the ratio where anything differs."""
        cosine, ratio = 1.0, None
        if part.differing and expected.shape == measured.shape:
            a, b = expected.astype(np.float64).ravel(), measured.astype(np.float64).ravel()
            lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
            cosine = float(a @ b) / lengths if lengths else 0.0
            noise = float(((a - b) ** 2).sum())
            ratio = 10 * float(np.log10(max(float((a**2).sum()), 1e-30) / noise))
        return cls(
            part.name, part.compared, part.differing, part.worst, cosine, ratio, part.first
        )  # fmt: skip

    def __add__(self, other: "Measure") -> "Measure":
        ratios = [x for x in (self.snr_db, other.snr_db) if x is not None]
        return Measure(
            self.name,
            self.compared + other.compared,
            self.differing + other.differing,
            max(self.worst, other.worst),
            min(self.cosine, other.cosine),
            min(ratios, default=None),
            self.first or other.first,
        )


@dataclass(frozen=True)
class Check:
    """One part of the report.

    Attributes
    ----------
    name : str
        What was looked at.
    ok : bool or None
        Whether it holds; None where it was not looked at.
    note : str
        The figure that matters, or what is wrong.
    measures : tuple of Measure
        Stages or layers.
    figures : dict
        All else.
    """

    name: str
    ok: bool | None
    note: str
    measures: tuple[Measure, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """JSON form."""
        measures = [
            {**asdict(m), "cosine": round(m.cosine, 9), "first": m.first or None}
            for m in self.measures
        ]
        return {
            "name": self.name, "ok": self.ok, "note": self.note, **self.figures,
            "measures": measures,
        }  # fmt: skip


class Bench:
    """A board with an image of `folder`, on the bench.

    Parameters
    ----------
    device
        The board.
    folder
        The image that it should carry, as ``edgebio build`` made it.
    seed
        Of the random inputs.
    """

    def __init__(self, device: Client, folder: Path, seed: int = 0) -> None:
        self.device = device
        self.manifest = manifest.load(folder)
        self._model = manifest.load_model(folder)
        self._graph = tflite.read(self._model)
        self._metadata = metadata(self._graph)
        self._host = HostModel(self._model)
        self._random = np.random.default_rng(seed)
        self._model_us: list[int] = []
        self._frontend_us: list[int] = []
        known = self._metadata
        # Steps that a model which lets Helium's FFT be used may differ by, stage by stage.
        self._bounds = helium_bounds(manifest.load_board(folder), known) if known else {}
        self._twin = Twin(known.frontend, known.standardization) if known else None

    @property
    def traceable(self) -> bool:
        """Whether the image shows what stages and layers make."""
        return self.manifest.hooks == "trace"

    # Inputs

    def images(self, count: int) -> Array:
        """`count` inputs of the network: chosen ones, then random ones."""
        shape, dtype = self._host.input_shape, self._host.input_dtype
        size = int(np.prod(shape))
        ramp = np.arange(size) % 256 - 128
        signs = np.where(np.arange(size) % 2, 127, -128)
        chosen = [np.zeros(size), np.full(size, -128), np.full(size, 127), ramp, signs]
        drawn = self._random.integers(-128, 128, (max(0, count - len(chosen)), size))
        steps = np.concatenate([np.array(chosen), drawn])[:count].reshape(-1, *shape)
        return (steps / 64 if dtype.kind == "f" else steps).astype(dtype)

    def windows(self, count: int) -> Iterator[tuple[str, npt.NDArray[np.int16]]]:
        """Name and samples of `count` windows: chosen ones, then random bursts."""
        if self._metadata is None:
            return
        spec = self._metadata.frontend
        shape = (spec.segment_length, spec.channels)
        t = np.arange(spec.segment_length)[:, None]
        chirp = 30000 * np.sin(np.pi * t * t / (2 * spec.segment_length) + np.arange(spec.channels))
        chosen = {
            "silence": np.zeros(shape),
            "chirp": chirp,
            "full-scale noise": self._random.choice([-32768, 32767], shape),
        }
        for number in range(count):
            if number < len(chosen):
                name, wave = list(chosen.items())[number]
            else:
                name, wave = f"random window {number}", self._bursts(spec.segment_length, spec.channels)
            yield name, np.clip(np.rint(wave), -32768, 32767).astype(np.int16)

    def _bursts(self, n: int, channels: int) -> Array:
        envelope = 30 + 2000 * (np.sin(np.arange(n)[:, None] / 97 + np.arange(channels)) > 0.3)
        wave: Array = self._random.normal(size=(n, channels)) * envelope
        return wave

    # Checks

    def identity(self) -> Check:
        """Board, core, build and model, and the image itself as the board reads it back."""
        who, about, image = self.device.identify(), self.device.describe(), self.device.image()
        wanted, found = self.manifest, image.sha256.hex()
        for name, here, there in (
            ("board", who.board, wanted.board),
            ("core", who.core, wanted.core),
            ("model", about.model.hex(), wanted.model.sha256),
            ("build", who.build.hex(), wanted.image.build),
            ("image's SHA-256", found, wanted.image.sha256),
        ):
            if here != there:
                note = f"{name} {here[:24]} on the board, {there[:24]} expected"
                return Check("identity", False, note, figures={"image_sha256": found})
        return Check(
            "identity", True, f"{who.board} ({who.core}), image {found[:12]}, every bit of it",
            figures={"board": who.board, "core": who.core, "clock_hz": who.clock,
                     "build": who.build.hex(), "model": about.model.hex(), "image_sha256": found},
        )  # fmt: skip

    def outputs(self, count: int) -> Check:
        """Outputs of the network for `count` inputs."""
        images = self.images(count)
        wanted = self._host.run(images)
        made = np.array([
            self._run(image).view(wanted.dtype)
            for image in progress.track(images, "outputs")
        ]).reshape(wanted.shape)  # fmt: skip
        part = compare_exactly("outputs", _steps(wanted), _steps(made), ("input", "class"))
        return _held("outputs", [Measure.of(part, wanted, made)], {"inputs": count})

    def layers(self, count: int, mode: Mode = "layers") -> Check:
        """What every layer makes of `count` inputs."""
        if not self.traceable:
            return _not_built("layers")
        measures: list[Measure] = []
        for image in progress.track(self.images(count), "layers"):
            measures += self._layers(image[None], mode)
        return _held("layers", _merged(measures), {"inputs": count, "mode": mode})

    def stages(self, count: int, mode: Mode = "layers") -> Check:
        """What every stage of the front end makes of `count` windows."""
        if self._twin is None:
            return Check("stages", None, "the model carries no front end")
        if not self.traceable:
            return _not_built("stages")
        measures: list[Measure] = []
        for name, window in self.windows(count):
            measures += self._stages(name, window, mode)
        return _held("stages", _merged(measures), {"windows": count, "mode": mode})

    def latency(self, runs: int) -> Check:
        """Distribution of the time that the board takes, by its own clock."""
        image = self.images(1)[0]
        for _ in range(runs):
            self._run(image)
        for _, window in self.windows(min(runs, 5)):
            self._frontend_us.append(self.device.run_window(window).frontend_us)
        figures: dict[str, Any] = {"model_us": _distribution(self._model_us[-runs:])}
        if self._frontend_us:
            figures["frontend_us"] = _distribution(self._frontend_us)
        model = figures["model_us"]
        note = f"network: median {model['median']}, at most {model['max']} us"
        if self.traceable:
            note += "; slower than without --hil"
        return Check("latency", True, note, figures=figures)

    def stack(self) -> Check:
        """Most stack used since reset, against what is set aside."""
        counted = self.device.statistics()
        figures = {"used": counted.stack_used, "size": counted.stack_size}
        if not counted.stack_size:
            return Check("stack", None, "the machine cannot tell", figures=figures)
        # The bottom word is the last one: painted over, more may have been written below it.
        ok = counted.stack_used < counted.stack_size
        return Check(
            "stack", ok, f"{counted.stack_used} of {counted.stack_size} bytes", figures=figures
        )

    def soak(self, seconds: float) -> Check:
        """Samples at their own pace: none lost, every decision as this machine's."""
        if self._metadata is None:
            return Check("soak", None, "the model carries no front end")
        spec = self._metadata.frontend
        n = max(int(seconds * spec.rate), spec.segment_length)
        wave = self._bursts(n, spec.channels).clip(-32768, 32767).astype(np.int16)
        labels = np.full(n, UNLABELLED, np.int16)
        recording = Recording(wave, spec.rate, "counts", labels, (), "", "", 0, "soak")
        before = self.device.statistics()
        session = Session(self.device, self._graph, self._model.read_bytes())
        for _ in progress.track(
            session.run([recording], real_time=True), "soak", (n - spec.segment_length) // spec.step + 1
        ):
            pass
        after, made = self.device.statistics(), session.document()
        lost = {
            name: getattr(after, name) - getattr(before, name)
            for name in ("overruns", "gaps", "damaged")
        }
        differing = session.tally.differing
        figures = {
            "seconds": seconds, "samples": n, "decisions": session.tally.windows,
            "differing": differing, **lost, "rests": session.rests, "latency": made["latency"],
            "delay": made["delay"],
        }  # fmt: skip
        note = (
            f"{n} samples, {session.tally.windows} decisions, {differing} differ, "
            f"{sum(lost.values())} lost"
        )
        ok = not differing and not any(lost.values()) and session.tally.windows > 0
        return Check("soak", ok, session.tally.first or note, figures=figures)

    # How a board is asked

    def _run(self, image: Array, trace: Trace | None = None) -> npt.NDArray[np.int8]:
        run = self.device.run_image(image, handler=trace.handle if trace else None)
        self._model_us.append(run.model_us)
        return run.output

    def _traced(
        self, run: Callable[[Trace], object], what: Literal["layers", "stages"], data: bool,
        first: int = 0,
    ) -> Trace:  # fmt: skip
        for _ in range(_TRIES):
            try:
                with self.device.trace(what, data=data, first=first) as trace:
                    run(trace)
            except RefusedError as error:
                if error.code == "request":
                    raise DeviceError(
                        f"{self.device.url}: the image on the board is not built for hardware in "
                        "the loop: edgebio build --hil, edgebio flash"
                    ) from None
                raise
            if trace.complete:
                return trace
        raise DeviceError(f"{self.device.url}: parts of the trace are lost; the line is too bad")

    def _layers(self, image: Array, mode: Mode) -> Iterator[Measure]:
        wanted = self._host.layers(image)
        lines = self._host.describe()

        def run(trace: Trace) -> None:
            self._run(image[0], trace)

        if mode == "layers":
            sums = self._traced(run, "layers", data=False).sums()
            same = [sums.get((i, 0)) == [_sum(want)] for i, want in enumerate(wanted)]
        else:
            same = [False] * len(wanted)
        data: dict[tuple[int, int], bytes] = {}
        if not all(same):
            data = self._traced(run, "layers", True, same.index(False)).data()
        for index, (want, line) in enumerate(zip(wanted, lines, strict=True)):
            if same[index]:
                yield Measure(f"layer {index} {line}", want.size)
                continue
            have = _shaped(data.get((index, 0), b""), want)
            axes = ("input", *"yxc"[-(want.ndim - 1) :])
            part = compare_exactly(f"layer {index} {line}", _steps(want), _steps(have), axes)
            yield Measure.of(part, want, have)

    def _stages(
        self, name: str, window: npt.NDArray[np.int16], mode: Mode
    ) -> Iterator[Measure]:  # fmt: skip
        if self._twin is None:
            return
        wanted = self._twin.stages(window).values

        def run(trace: Trace) -> None:
            self.device.run_window(window, handler=trace.handle)

        same: set[str] = set()
        if mode == "layers":
            sums = self._traced(run, "stages", data=False).sums()
            same = {
                stage
                for stage, want in wanted.items()
                if all(sums.get((STAGES[stage][0], c)) == [_sum(row)] for c, row in enumerate(want))
            }
        data: dict[tuple[int, int], bytes] = {}
        wrong = [STAGES[stage][0] for stage in wanted if stage not in same]
        if wrong:
            data = self._traced(run, "stages", True, min(wrong)).data()
        for stage, want in wanted.items():
            if self._bounds and stage in ("power", "log"):  # they follow from what is bounded
                continue
            if stage in same:
                yield Measure(stage, want.size)
                continue
            number = STAGES[stage][0]
            rows = [data.get((number, c), b"") for c in range(len(want))]
            have = _shaped(b"".join(rows), want)
            [part] = compare_stages({stage: want}, {stage: have}, name)
            measure = Measure.of(part, want, have)
            if measure.worst <= self._bounds.get(stage, 0):
                measure = replace(measure, differing=0, first="")
            yield measure


def run(
    device: Client,
    folder: Path,
    *,
    mode: Mode = "layers",
    inputs: int = 20,
    soak: float = 10.0,
    seed: int = 0,
) -> Iterator[Check]:
    """Check a board, one thing after the other.

    Parameters
    ----------
    device
        The board.
    folder
        The image that it should carry.
    mode
        How much is asked of it.
    inputs
        Inputs of the network; a fifth of them layer by layer, and as many windows.
    soak
        Seconds of streaming in real time; 0: none.
    seed
        Of the random inputs.

    Yields
    ------
    Check
        In their order. Where the board carries another model nothing else is looked at.

    Raises
    ------
    DeviceError
        Where the board stops answering, or restarts.
    """
    bench = Bench(device, folder, seed)
    identity = bench.identity()
    yield identity
    if device.describe().model.hex() != bench.manifest.model.sha256:
        return
    few = max(4, inputs // 5)
    yield bench.outputs(inputs)
    if mode != "outputs":
        yield bench.layers(few, mode)
        yield bench.stages(few, mode)
    yield bench.latency(inputs)
    if soak:
        yield bench.soak(soak)
    yield bench.stack()


def write_junit(path: Path, board: str, checks: Sequence[Check]) -> None:
    """Write the checks as JUnit XML, one test case each."""
    suite = ET.Element(
        "testsuite", name=f"edgebio hil {board}", tests=str(len(checks)),
        failures=str(sum(check.ok is False for check in checks)),
        skipped=str(sum(check.ok is None for check in checks)),
    )  # fmt: skip
    for check in checks:
        case = ET.SubElement(suite, "testcase", classname=f"hil.{board}", name=check.name)
        if check.ok is False:
            ET.SubElement(case, "failure", message=check.note)
        elif check.ok is None:
            ET.SubElement(case, "skipped", message=check.note)
        ET.SubElement(case, "system-out").text = check.note
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    storage.write_bytes(path, ET.tostring(root, "utf-8", xml_declaration=True) + b"\n")


def _held(name: str, measures: Sequence[Measure], figures: dict[str, Any]) -> Check:
    compared = sum(m.compared for m in measures)
    differing = sum(m.differing for m in measures)
    first = next((m.first for m in measures if m.first), "")
    note = first or f"{differing} of {compared:,} values differ"
    total = {"compared": compared, "differing": differing}
    ok = compared > 0 and differing == 0
    return Check(name, ok, note, tuple(measures), {**figures, **total})


def _not_built(name: str) -> Check:
    return Check(name, None, "the image does not show them: edgebio build --hil")


def _merged(measures: Sequence[Measure]) -> list[Measure]:
    total: dict[str, Measure] = {}
    for measure in measures:
        known = total.get(measure.name)
        total[measure.name] = known + measure if known else measure
    return list(total.values())


def _sum(array: Array) -> tuple[int, int]:
    """Size and CRC-32 of an array's bytes."""
    raw = np.ascontiguousarray(array).tobytes()
    return len(raw), zlib.crc32(raw)


def _shaped(data: bytes, like: Array) -> Array:
    """Bytes as an array of the same type, and of the same shape where they are as many."""
    whole = len(data) - len(data) % like.dtype.itemsize
    flat = np.frombuffer(data[:whole], like.dtype)
    return flat.reshape(like.shape) if flat.size == like.size else flat


def _steps(array: Array) -> Array:
    """Integers to compare by: floats by their bits."""
    return array.view(np.int32) if array.dtype.kind == "f" else array


def _distribution(micros: Sequence[int]) -> dict[str, int]:
    shares = {"min": 0, "median": 50, "p95": 95, "p99": 99, "max": 100}
    found = np.percentile(np.array(micros), list(shares.values()))
    return {name: int(value) for name, value in zip(shares, found, strict=True)}


def check_board(folder: Path, board: str | None) -> None:
    """Raise `EdgebioError` where the image in `folder` is for another board than `board`."""
    built = manifest.load(folder).board
    if board and built != board:
        raise EdgebioError(f"{folder}: the image is for {built}, not for {board}")
