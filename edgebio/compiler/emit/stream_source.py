"""The stream of a program as C: one function per layer, and the push that calls them."""

from collections.abc import Iterator, Mapping

from edgebio.compiler.emit.c_text import CTYPES, array_text, call_text, parameters_text
from edgebio.compiler.ir.kernel_call import Array, KernelCall
from edgebio.compiler.ir.memory_plan import round_up
from edgebio.compiler.ir.program import Program
from edgebio.compiler.ir.stream import AddPixels, CopySums, FinishMean, Move, Step, Stream


def stream_macros(stream: Stream | None) -> str:
    """Macros of model.h; only a hop of 0 if there is no stream."""
    if stream is None:
        return "#define EB_MODEL_HOP_FRAMES 0 /* no stream */\n"
    index = stream.network.input
    frame = stream.network.bytes(index) // stream.window
    return f"""\
#define EB_MODEL_HOP_FRAMES {stream.hop}
#define EB_MODEL_WINDOW_FRAMES {stream.window}
#define EB_MODEL_FRAME_BYTES {frame}
#define EB_MODEL_STREAM_BYTES {stream.plan.total}
"""


def stream_declarations(stream: Stream | None) -> str:
    """Functions of model.h."""
    if stream is None:
        return ""
    return """
/* The same network as a stream: `stream` has EB_MODEL_STREAM_BYTES, aligned to 16, and is the
 * caller's to keep between calls. Each push takes the EB_MODEL_HOP_FRAMES frames that are new in a
 * window, aligned as their type requires, and computes only what they change. */
enum { EB_MODEL_REFUSED = -1, EB_MODEL_FILLING = 0, EB_MODEL_DECIDED = 1 };

/* Before the first push, and wherever frames are missing. */
void eb_model_stream_reset(void *stream);

/* Gives EB_MODEL_DECIDED and writes `output`, which equals that of eb_model_invoke on the window of
 * the last EB_MODEL_WINDOW_FRAMES frames; EB_MODEL_FILLING, and `output` holds anything, until
 * there are so many; or EB_MODEL_REFUSED, with nothing done, if `frames` are not
 * EB_MODEL_HOP_FRAMES. */
int32_t eb_model_push(void *stream, const void *input, uint32_t frames, void *output);
"""


def stream_source(program: Program) -> Iterator[str]:
    """Parts of model.c."""
    stream = program.stream
    assert stream is not None
    yield from _StreamText(program, stream).parts()


class _StreamText:
    def __init__(self, program: Program, stream: Stream) -> None:
        self.program, self.stream = program, stream
        self.symbols: dict[tuple[object, ...], str] = {}
        for index, call in enumerate(program.calls):
            for array in call.arrays:
                self.symbols.setdefault(_content(array), f"layer_{index}_{array.name}")

    def parts(self) -> Iterator[str]:
        calls = []
        for index, layer in enumerate(self.stream.layers):
            text, call = self._function(index, layer.steps)
            yield text
            calls.append(call)
        yield self._push(calls)

    def _function(self, index: int, steps: tuple[Step, ...]) -> tuple[str, str]:
        """Constants and function of a layer, and the call of it."""
        constants, body = "", ""
        for position, step in enumerate(steps):
            name, symbols = f"push_{index}_{position}", {}
            if isinstance(step, KernelCall):
                for array in step.arrays:
                    symbol = self.symbols.get(_content(array))
                    if symbol is None:
                        symbol = self.symbols[_content(array)] = f"{name}_{array.name}"
                        constants += array_text(array, symbol)
                    symbols[f"@{array.name}"] = symbol
                if step is self.program.calls[index]:
                    name = f"layer_{index}"
                else:
                    constants += parameters_text(step, name, symbols)
            body += self._step(step, index, name, symbols)
        parameters, arguments = [], []
        for kind, name in (
            ("int8_t *", "block"), ("uint32_t ", "phase"), ("const void *", "input"),
            ("void *", "output"),
        ):  # fmt: skip
            if name in body.replace("(", " ").replace(",", " ").replace(")", " ").split():
                parameters.append(kind + name)
                arguments.append(name)
        prototype = f"EB_LAYER void eb_model_push_{index}({', '.join(parameters) or 'void'})"
        text = f"{constants}{prototype};\n{prototype}\n{{\n{body}}}\n"
        return text, f"    eb_model_push_{index}({', '.join(arguments)});\n"

    def _step(self, step: Step, index: int, name: str, symbols: Mapping[str, str]) -> str:
        match step:
            case KernelCall():
                computed = [
                    self._place(tensor, constant=True)
                    for tensor in step.layer.inputs
                    if not self.stream.network.is_constant(tensor)
                ]
                scratch = f"block + {self.stream.plan.scratch_offset(index)}"
                output = self._place(step.layer.output)
                return call_text(step, name, symbols, computed, output, scratch)
            case Move():
                base = self._base(step.tensor)
                sizes = f"{step.target}, {step.source}, {step.bytes}"
                return f"    eb_move_down({base}, {sizes});\n"
            case AddPixels():
                sums, pixels = self._place(step.sums), self._place(step.pixels, constant=True)
                kind = f"{'subtract' if step.subtract else 'add'}_pixels{'_dsp' * step.dsp}"
                sizes = f"{step.count}, {step.channels}"
                return f"    eb_{kind}({sums}, {pixels}, {sizes});\n"
            case CopySums():
                target, source = self._place(step.target), self._place(step.source)
                return f"    memcpy({target}, {source}, {4 * step.channels});\n"
            case FinishMean():
                sums, output = self._place(step.sums), self._place(step.layer.output)
                return f"    eb_run_mean_of_sums(&layer_{index}, {sums}, {output});\n"

    def _place(self, tensor: int, *, constant: bool = False) -> str:
        """Address of a tensor or of some rows of one."""
        view = self.stream.views.get(tensor)
        base, offset = (view.tensor, view.offset) if view else (tensor, 0)
        dtype = self.stream.network.tensors[tensor].dtype
        ctype = CTYPES["int8" if dtype == "uint8" else dtype]  # as kernels see its bytes
        outside = base in (self.stream.network.input, self.stream.network.output)
        if outside and self.stream.plan.offset(base) is None:
            name = "input" if base == self.stream.network.input else "output"
            qualified = f"const {ctype}" if constant or name == "input" else ctype
            return f"({qualified} *){name}" + (f" + {offset // _SIZES[ctype]}" if offset else "")
        place = self._base(base) + (f" + {offset}" if offset else "")
        return place if ctype == "int8_t" else f"({ctype} *)(void *)({place})"

    def _base(self, tensor: int) -> str:
        """Address of what is held of a tensor, as int8_t *."""
        place = f"block + {self.stream.plan.offset(tensor)}"
        rows = self.stream.rows.get(tensor)
        if rows and rows.phases > 1:
            place += f" + phase % {rows.phases}u * {round_up(rows.size)}u"
        return place

    def _push(self, calls: list[str]) -> str:
        stream = self.stream
        phases = stream.phases
        counters = f"(uint32_t *)(void *)(block + {stream.plan.offset(stream.counters)})"
        lines = [
            "void eb_model_stream_reset(void *stream)\n{\n"
            "    memset(stream, 0, EB_MODEL_STREAM_BYTES);\n}\n\n",
            "int32_t eb_model_push(void *stream, const void *input, uint32_t frames, "
            "void *output)\n{\n",
            "    int8_t *const block = stream;\n",
            f"    uint32_t *const counters = {counters};\n",
            "    if (frames != EB_MODEL_HOP_FRAMES) {\n        return EB_MODEL_REFUSED;\n    }\n",
            f"    counters[0] += counters[0] < {stream.pushes}u;\n",
        ]
        if phases > 1:
            lines += [
                "    const uint32_t phase = counters[1];\n",
                f"    counters[1] = phase + 1u < {phases}u ? phase + 1u : 0u;\n",
            ]
        lines += [self._step(step, -1, "", {}) for step in stream.input_steps]
        lines += self._new_frames()
        filling = max(
            (index for index, layer in enumerate(stream.layers) if layer.state), default=-1
        )
        lines += calls[: filling + 1]
        lines += [
            f"    if (counters[0] < {stream.pushes}u) {{\n",
            "        return EB_MODEL_FILLING;\n    }\n",
            *calls[filling + 1 :],
            *self._output(),
            "    return EB_MODEL_DECIDED;\n}\n",
        ]
        return "".join(lines)

    def _output(self) -> list[str]:
        """Copy of the output, if the stream keeps rows of it."""
        index = self.stream.network.output
        if self.stream.plan.offset(index) is None:
            return []
        size = self.stream.network.bytes(index)
        return [f"    memcpy(output, {self._base(index)}, {size});\n"]

    def _new_frames(self) -> list[str]:
        """Copy of the new frames behind those that are kept."""
        index, stream = self.stream.network.input, self.stream
        rows, new = stream.rows[index], stream.window - stream.hop
        if not rows.persistent:
            return []
        first, last = max(rows.first, new), min(rows.last, stream.window)
        if first >= last:
            return []
        target = f"block + {stream.plan.offset(index)} + {(first - rows.first) * rows.bytes}"
        source = f"(const int8_t *)input + {(first - new) * rows.bytes}"
        return [f"    memcpy({target}, {source}, {(last - first) * rows.bytes});\n"]


_SIZES = {"int8_t": 1, "float": 4, "int32_t": 4}


def _content(array: Array) -> tuple[object, ...]:
    return array.ctype, array.values
