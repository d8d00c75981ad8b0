"""Reading .tflite: equal to the schema's own object API, and safe on anything else."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebio import compiler, tflite
from edgebio.errors import EdgebioError
from tests.compiler.model_builder import load_schema
from tests.compiler.networks import Net
from tests.compiler.several_edges import ring_net, split

FUZZ = settings(
    max_examples=250,
    deadline=20_000,  # a hang, not a busy machine
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def small() -> bytes:
    pytest.importorskip("tflite_micro", reason="tflite-micro's schema makes the test's models")
    net = Net(np.random.default_rng(4), (1, 6, 6, 2))
    net.conv()
    net.pad()
    net.pool()
    net.dense()
    net.softmax()
    entry = load_schema().MetadataT()
    entry.name, entry.buffer = b"edgebio", net.buffer(b'{"version": 1}')
    net.model.metadata = [entry]
    return net.finish()


@pytest.fixture(scope="module")
def stateful() -> bytes:
    """Variables, a second subgraph, several edges and a signature."""
    pytest.importorskip("tflite_micro", reason="tflite-micro's schema makes the test's models")
    net, state = ring_net()
    schema = load_schema()
    split(net, 3, 1)
    state.finish()
    net.graph.outputs = [net.at, 0]
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = "frames", 0
    signature = schema.SignatureDefT()
    signature.inputs, signature.outputs, signature.signatureKey = [entry], [], "serving_default"
    net.model.signatureDefs = [signature]
    return net.build()


@pytest.fixture(params=["small", "stateful"])
def original(request: pytest.FixtureRequest) -> bytes:
    data: bytes = request.getfixturevalue(request.param)
    return data


def models(models_folder: Path) -> list[Path]:
    paths = sorted(models_folder.glob("*.tflite"))
    assert paths
    return paths


def test_reads_what_the_object_api_reads(models_folder: Path) -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro's schema is the peer")
    schema = load_schema()
    for path in models(models_folder):
        graph = tflite.read(path)
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
        peer = model.subgraphs[0]
        assert graph.inputs == tuple(peer.inputs)
        assert graph.outputs == tuple(peer.outputs)
        assert len(graph.tensors) == len(peer.tensors)
        for mine, other in zip(graph.tensors, peer.tensors, strict=True):
            assert mine.name.encode() == other.name
            assert mine.shape == tuple(other.shape if other.shape is not None else ())
            data = model.buffers[other.buffer].data
            assert (mine.data is None) == (data is None or len(data) == 0)
            if mine.data is not None:
                assert mine.data.tobytes() == data.tobytes()
                assert not mine.data.flags.writeable
            if other.quantization is not None and other.quantization.scale is not None:
                np.testing.assert_array_equal(mine.scale, other.quantization.scale)
                np.testing.assert_array_equal(mine.zero_point, other.quantization.zeroPoint)
        for mine_op, other_op in zip(graph.operators, peer.operators, strict=True):
            assert mine_op.inputs == tuple(other_op.inputs)
            assert mine_op.outputs == tuple(other_op.outputs)
            code = model.operatorCodes[other_op.opcodeIndex]
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            assert getattr(schema.BuiltinOperator, mine_op.kind) == number


def test_options_and_metadata(small: bytes) -> None:
    graph = tflite.read(small)
    assert graph.metadata == {"edgebio": b'{"version": 1}'}
    conv, _, pool, dense, softmax = graph.operators
    assert set(conv.options) == {
        *("padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor"),
        "fused_activation_function",
    }
    assert {"filter_height", "filter_width"} <= set(pool.options)
    assert dense.options["weights_format"] == "DEFAULT"
    assert softmax.options["beta"] in (0.5, 1.0, 2.0)


def test_path_str_and_bytes_agree(small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(small)
    assert tflite.read(path).sha256 == tflite.read(str(path)).sha256 == tflite.read(small).sha256


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(EdgebioError, match=r"none\.tflite: cannot be read: No such file"):
        tflite.read(tmp_path / "none.tflite")
    for name, data in (("empty", b""), ("text", b"not a model at all"), ("zeros", bytes(64))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(EdgebioError, match=f"{name}: not a .tflite file"):
            tflite.read(tmp_path / name)
    with pytest.raises(EdgebioError, match="17,000,000 bytes"):
        tflite.read(bytes(17_000_000))


def attempt(data: bytes) -> None:
    """Read and compile; one line of EdgebioError is the only other way out."""
    text = ""
    try:
        compiler.c_files(compiler.compile_model(tflite.read(data)))
    except EdgebioError as error:
        text = str(error)
    assert "\n" not in text
    assert len(text) < 1000


def test_every_truncation(original: bytes) -> None:
    for end in range(0, len(original), 3):
        attempt(original[:end])


@given(data=st.data())
@FUZZ
def test_changed_bytes(original: bytes, data: st.DataObject) -> None:
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(8, len(original) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    attempt(bytes(changed))


@given(data=st.data())
@FUZZ
def test_changed_words(original: bytes, data: st.DataObject) -> None:
    """Offsets, lengths and enumerations set to what hurts most."""
    changed = bytearray(original)
    word = st.sampled_from([0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 1 << 16, 1 << 24])
    for _ in range(data.draw(st.integers(1, 3))):
        place = 4 * data.draw(st.integers(2, len(original) // 4 - 1))
        struct.pack_into("<I", changed, place, data.draw(word | st.integers(0, len(original))))
    attempt(bytes(changed))


@given(data=st.data())
@settings(max_examples=60, deadline=20_000, suppress_health_check=list(HealthCheck))
def test_changed_reference_models(models_folder: Path, data: st.DataObject) -> None:
    original = data.draw(st.sampled_from(models(models_folder))).read_bytes()
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        # The tables lie behind the weights: aim at the last quarter.
        place = data.draw(st.integers(3 * len(original) // 4, len(original) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    attempt(bytes(changed))


@given(st.binary(max_size=300))
@FUZZ
def test_any_bytes(tail: bytes) -> None:
    attempt(struct.pack("<I", 8) + b"TFL3" + tail)


def table(fields: list[bytes]) -> bytes:
    """A table with inline fields, its vtable before it."""
    body = b"".join(fields)
    offsets, at = [], 4
    for field in fields:
        offsets.append(at)
        at += len(field)
    vtable = struct.pack(f"<{2 + len(fields)}H", 4 + 2 * len(fields), 4 + len(body), *offsets)
    return vtable + struct.pack("<i", len(vtable)) + body


def test_a_vector_of_many_tables_in_one_place_ends_soon() -> None:
    """Offsets that all meet in one subgraph must not be walked one by one, nested."""
    count = 1_000_000
    head = struct.pack("<I", 0) + b"TFL3"
    root = table([struct.pack("<I", 3), struct.pack("<I", 0), struct.pack("<I", 4)])
    start = len(head) + len(root) - 16
    vector = struct.pack("<I", count)
    target = table([])
    place = len(head) + len(root) + len(vector) + 4 * count + 4
    first = len(head) + len(root) + 4
    steps = (np.uint32(place) - first - 4 * np.arange(count)).astype("<u4").tobytes()
    data = bytearray(head + root + vector + steps + target)
    struct.pack_into("<I", data, 0, start)
    attempt(bytes(data))


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=8_000, deadline=20_000, suppress_health_check=list(HealthCheck))
def test_fuzz_for_minutes(original: bytes, data: st.DataObject) -> None:
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(original) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(original)) | st.integers(0, len(original)))
    attempt(bytes(changed[:cut]))


def test_strings_that_are_not_text(small: bytes) -> None:
    """Names are free text: they must not reach the generated C, nor break an error's line."""
    broken: Any = small.replace(b"t0\0", b"*/\xff", 1)
    attempt(broken)
