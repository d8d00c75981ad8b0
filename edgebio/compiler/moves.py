"""Portable kernels of what only moves elements."""

from edgebio.compiler import network as net
from edgebio.compiler.layout import constant_inputs
from edgebio.compiler.step import Array, Step


def pad(network: net.Network, layer: net.Pad) -> Step:
    """Rows copied between constants."""
    missing = 4 - len(layer.shape)
    pads = ((0, 0),) * missing + layer.pads
    return Step(
        layer,
        "eb_run_pad",
        ("eb_pad.c",),
        "portable",
        struct="eb_pad",
        parameters={
            "size": (1,) * missing + layer.shape,
            "before": tuple(before for before, _ in pads),
            "after": tuple(after for _, after in pads),
            "value": layer.value,
        },
    )


def concatenation(network: net.Network, layer: net.Concatenation) -> Step:
    """A block of each input in turn."""
    return Step(
        layer,
        "eb_run_concatenation",
        ("eb_concatenation.c",),
        "portable",
        arrays=(
            *constant_inputs(network, layer),
            Array("blocks", "uint32_t", layer.blocks, "elements of a row, of each input"),
        ),
        struct="eb_concatenation",
        parameters={"rows": layer.rows, "inputs": len(layer.inputs), "blocks": "@blocks"},
        lists_inputs=True,
    )


def copy(network: net.Network, layer: net.Copy) -> Step:
    """Runs of neighbours, or element by element."""
    view, missing = layer.view, 4 - len(layer.view.sizes)
    return Step(
        layer,
        "eb_run_copy",
        ("eb_copy.c",),
        "portable",
        struct="eb_copy",
        parameters={
            "start": view.start,
            "size": (1,) * missing + view.sizes,
            "step": (0,) * missing + view.steps if view.sizes else (0, 0, 0, 1),
        },
    )
