"""Changes of small networks after which the compiler must refuse them."""

from collections.abc import Callable
from typing import Any

import pytest

from edgebio import compiler
from edgebio.errors import EdgebioError
from tests.compiler.networks import Net

Change = Callable[[Net], None]


def assert_refused(net: Net, reason: str) -> None:
    data = net.finish()
    with pytest.raises(EdgebioError) as caught:
        compiler.compile_model(data)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def tensor(net: Net, index: int) -> Any:
    return net.graph.tensors[index]


def options(net: Net) -> Any:
    return net.graph.operators[0].builtinOptions


def set_tensor(index: int, **values: Any) -> Change:
    def change(net: Net) -> None:
        for name, value in values.items():
            setattr(tensor(net, index), name, value)

    return change


def set_quantization(index: int, **values: Any) -> Change:
    def change(net: Net) -> None:
        for name, value in values.items():
            setattr(tensor(net, index).quantization, name, value)

    return change


def set_options(**values: Any) -> Change:
    def change(net: Net) -> None:
        for name, value in values.items():
            setattr(options(net), name, value)

    return change
