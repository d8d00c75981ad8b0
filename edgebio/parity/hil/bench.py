"""Checks of a board against this machine, over the link, with the image that the board runs.

An image built with ``--hil`` shows the output of each stage and layer; any other one only its
outputs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgebio import progress, tflite
from edgebio.compiler.host_model import HostModel
from edgebio.firmware import manifest
from edgebio.frontend.stages import STAGE_NUMBERS
from edgebio.frontend.twin import Twin
from edgebio.link.client import Client
from edgebio.link.trace import Trace
from edgebio.parity.board_rung import helium_bounds
from edgebio.parity.comparison import Part, compare_exactly, with_similarity
from edgebio.parity.decisions import ComparedSession
from edgebio.parity.frontend_rungs import compare_stages
from edgebio.parity.hil.check import Check
from edgebio.parity.hil.tracing import differing_outputs
from edgebio.parity.network_rungs import layer_axes
from edgebio.parity.stimuli import generated
from edgebio.recordings import Recording
from edgebio.runtime.session import Session, percentiles
from edgebio.tflite.metadata import read_metadata

Array = npt.NDArray[Any]
Mode = Literal["outputs", "layers", "data"]
"""What to compare: outputs; also the checksums of every stage and layer, and their values if these
differ; or the values of all."""


class Bench:
    """A board, and the image in `folder` that it should run; `seed` is that of random inputs."""

    def __init__(self, device: Client, folder: Path, seed: int = 0) -> None:
        self.device = device
        self.manifest = manifest.load(folder)
        self._graph = device.graph = tflite.read(manifest.load_model(folder))
        self._host = HostModel(self._graph)
        self._random = np.random.default_rng(seed)
        self._model_us: list[int] = []
        metadata = read_metadata(self._graph)
        self._spec = metadata.frontend if metadata else None
        self._twin = Twin(metadata.frontend, metadata.standardization) if metadata else None
        # Steps by which stages may differ if the model allows Helium's FFT.
        self._bounds = helium_bounds(manifest.load_board(folder), metadata) if metadata else {}

    @property
    def traceable(self) -> bool:
        """Whether the image shows the outputs of stages and layers."""
        return self.manifest.hooks == "trace"

    # Inputs

    def inputs(self, count: int) -> Array:
        """Inputs of the network: chosen ones, then random ones."""
        shape, dtype = self._host.input_shape, self._host.input_dtype
        size = int(np.prod(shape))
        ramp = np.arange(size) % 256 - 128
        signs = np.where(np.arange(size) % 2, 127, -128)
        chosen = [np.zeros(size), np.full(size, -128), np.full(size, 127), ramp, signs]
        random = self._random.integers(-128, 128, (max(0, count - len(chosen)), size))
        steps = np.concatenate([np.array(chosen), random])[:count].reshape(-1, *shape)
        return (steps / 64 if dtype.kind == "f" else steps).astype(dtype)

    def segments(self, count: int) -> Iterator[tuple[str, npt.NDArray[np.int16]]]:
        """Name and samples of segments: chosen ones, then random bursts."""
        if self._spec is None:
            return
        n, stimuli = self._spec.segment_length, generated(self._spec)
        chosen = ("silence", "chirp", "full-scale noise")
        for number in range(count):
            if number < len(chosen):
                name = f"generated {chosen[number]}"
                yield name, next(s.samples[:n] for s in stimuli if s.name == name)
            else:
                yield f"random segment {number}", self._bursts(n, self._spec.channels)

    def _bursts(self, n: int, channels: int) -> npt.NDArray[np.int16]:
        envelope = 30 + 2000 * (np.sin(np.arange(n)[:, None] / 97 + np.arange(channels)) > 0.3)
        wave = self._random.normal(size=(n, channels)) * envelope
        return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)

    # Checks

    def identity(self) -> Check:
        """Board, processor, build and model, and the image as the board reads it back."""
        identity, image = self.device.identify(), self.device.image().sha256.hex()
        model = self.device.describe().model_sha256.hex()
        built = self.manifest
        for name, actual, expected in (
            ("board", identity.board, built.board),
            ("cpu", identity.cpu, built.cpu),
            ("model", model, built.model.sha256),
            ("build", identity.build.hex(), built.image.build),
            ("image's SHA-256", image, built.image.sha256),
        ):
            if actual != expected:
                note = f"{name} {actual[:24]} on the board, {expected[:24]} expected"
                return Check("identity", False, note, metrics={"image_sha256": image})
        return Check(
            "identity", True, f"{identity.board} ({identity.cpu}), image {image[:12]} complete",
            metrics={"board": identity.board, "core": identity.cpu, "clock_hz": identity.clock_hz,
                     "build": identity.build.hex(), "model": model, "image_sha256": image},
        )  # fmt: skip

    def outputs(self, count: int) -> Check:
        """Outputs of the network for `count` inputs."""
        inputs = self.inputs(count)
        expected = self._host.run(inputs)
        rows = [self._run(x).view(expected.dtype) for x in progress.track(inputs, "outputs")]
        measured = np.array(rows).reshape(expected.shape)
        part = compare_exactly("outputs", expected, measured, ("input", "class"))
        return Check.of_parts("outputs", [with_similarity(part, expected, measured)], inputs=count)

    def layers(self, count: int, mode: Mode = "layers") -> Check:
        """Output of every layer for `count` inputs."""
        if not self.traceable:
            return _not_traceable("layers")
        parts: list[Part] = []
        for x in progress.track(self.inputs(count), "layers"):
            parts += self._layers(x, mode)
        return Check.of_parts("layers", parts, inputs=count, mode=mode)

    def stages(self, count: int, mode: Mode = "layers") -> Check:
        """Output of every front-end stage for `count` segments."""
        if self._twin is None:
            return Check("stages", None, "the model has no front end")
        if not self.traceable:
            return _not_traceable("stages")
        parts: list[Part] = []
        for name, samples in self.segments(count):
            parts += self._stages(self._twin, name, samples, mode)
        return Check.of_parts("stages", parts, windows=count, mode=mode)

    def latency(self, runs: int) -> Check:
        """Distribution of the run times, by the board's own clock."""
        x = self.inputs(1)[0]
        for _ in range(runs):
            self._run(x)
        segments = self.segments(min(runs, 5))
        frontend_us = [self.device.run_segment(samples).frontend_us for _, samples in segments]
        metrics: dict[str, Any] = {"model_us": _distribution(self._model_us[-runs:])}
        if frontend_us:
            metrics["frontend_us"] = _distribution(frontend_us)
        model_us = metrics["model_us"]
        note = f"network: median {model_us['median']}, at most {model_us['max']} us"
        deadline = self.manifest.deadline
        # Whole windows are measured; of a stream, what is new was estimated.
        if deadline and self.manifest.hop_frames is None:
            metrics["estimated_us"] = {"model_us": deadline.network_us}
            if self._spec and frontend_us:
                share = self._spec.frames / self._spec.step_frames  # all frames of a segment
                metrics["estimated_us"]["frontend_us"] = round(deadline.frontend_us * share)
            note += f"; estimated {deadline.network_us} us"
        if self.traceable:
            note += "; slower than without --hil"
        return Check("latency", True, note, metrics=metrics)

    def stack(self) -> Check:
        """Peak stack use since reset, against the stack reserved."""
        statistics = self.device.statistics()
        used, size = statistics.stack_used, statistics.stack_size
        metrics = {"used": used, "size": size}
        if not size:
            return Check("stack", None, "the machine cannot measure it", metrics=metrics)
        # If the last word was overwritten, more may have been written below it.
        return Check("stack", used < size, f"{used} of {size} bytes", metrics=metrics)

    def soak(self, seconds: float) -> Check:
        """Samples in real time: none lost, every decision as on this machine."""
        if self._spec is None:
            return Check("soak", None, "the model has no front end")
        spec = self._spec
        n = max(int(seconds * spec.rate), spec.segment_length)
        recording = Recording.from_array(self._bursts(n, spec.channels), spec.rate)
        session = Session(self.device)
        compared, before = ComparedSession(session), session.link_errors()
        decisions = compared.run([recording], real_time=True)
        for _ in progress.track(decisions, "soak", (n - spec.segment_length) // spec.step + 1):
            pass
        after, document = session.link_errors(), compared.document()
        differing = sum(compared.differing.values())
        lost = {name: after[name] - before[name] for name in ("overruns", "gaps", "damaged")}
        metrics = {
            "seconds": seconds, "samples": n, "decisions": compared.segments,
            "differing": differing, **lost,
            **{name: document[name] for name in ("rests", "latency", "delay")},
        }  # fmt: skip
        note = (
            f"{n} samples, {compared.segments} decisions, {differing} differ, "
            f"{sum(lost.values())} lost"
        )
        ok = not differing and not any(lost.values()) and compared.segments > 0
        return Check("soak", ok, compared.first or note, metrics=metrics)

    # Traces

    def _run(self, x: Array, trace: Trace | None = None) -> npt.NDArray[np.int8]:
        run = self.device.run_image(x, handler=trace.handle if trace else None)
        self._model_us.append(run.model_us)
        return run.output

    def _layers(self, x: Array, mode: Mode) -> Iterator[Part]:
        layers = self._host.layers(x[None])
        expected = {index: want[None] for index, want in enumerate(layers)}
        outputs = differing_outputs(
            self.device, lambda trace: self._run(x, trace), "layers", expected, mode == "data"
        )
        for index, (want, line) in enumerate(zip(layers, self._host.describe(), strict=True)):
            name = f"layer {index} {line}"
            if index not in outputs:
                yield Part(name, want.size)
                continue
            have = _as_array(outputs[index], want)
            part = compare_exactly(name, want, have, layer_axes("input", want))
            yield with_similarity(part, want, have)

    def _stages(
        self, twin: Twin, source: str, samples: npt.NDArray[np.int16], mode: Mode
    ) -> Iterator[Part]:
        stages = twin.stages(samples).values
        expected = {STAGE_NUMBERS[name]: want for name, want in stages.items()}

        def run(trace: Trace) -> object:
            return self.device.run_segment(samples, handler=trace.handle)

        outputs = differing_outputs(self.device, run, "stages", expected, mode == "data")
        for name, want in stages.items():
            number = STAGE_NUMBERS[name]
            if self._bounds and name in ("power", "log"):  # they follow from a bounded stage
                continue
            if number not in outputs:
                yield Part(name, want.size)
                continue
            have = _as_array(outputs[number], want)
            [part] = compare_stages({name: want}, {name: have}, source)
            part = replace(with_similarity(part, want, have), bound=self._bounds.get(name, 0))
            yield replace(part, differing=0, first="") if part.ok else part


def run(
    device: Client,
    folder: Path,
    *,
    mode: Mode = "layers",
    inputs: int = 20,
    soak: float = 10.0,
    seed: int = 0,
) -> Iterator[Check]:
    """Check a board; yield the checks one after another, only the first for another model.

    Parameters
    ----------
    inputs
        Inputs of the network; a fifth of them layer by layer, and as many segments.
    soak
        Seconds of streaming in real time; 0: none.
    """
    bench = Bench(device, folder, seed)
    yield bench.identity()
    if device.describe().model_sha256.hex() != bench.manifest.model.sha256:
        return
    traced = max(4, inputs // 5)
    yield bench.outputs(inputs)
    if mode != "outputs":
        yield bench.layers(traced, mode)
        yield bench.stages(traced, mode)
    yield bench.latency(inputs)
    if soak:
        yield bench.soak(soak)
    yield bench.stack()


def _not_traceable(name: str) -> Check:
    return Check(name, None, "the image does not show them: edgebio build --hil")


def _as_array(data: bytes, like: Array) -> Array:
    """Bytes as an array of the same type, and of the same shape if they are as many."""
    flat = np.frombuffer(data[: len(data) - len(data) % like.dtype.itemsize], like.dtype)
    return flat.reshape(like.shape) if flat.size == like.size else flat


def _distribution(micros: Sequence[int]) -> dict[str, int]:
    return {"min": min(micros)} | {key: int(x) for key, x in percentiles(micros).items()}
