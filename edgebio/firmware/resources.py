"""What the peripherals of an image occupy: nothing twice."""

from collections.abc import Mapping

from edgebio.boards import Board
from edgebio.boards.peripherals import Peripheral, Resource
from edgebio.errors import EdgebioError


def check(board: Board, peripherals: Mapping[str, Peripheral | None]) -> None:
    """Refuse peripherals that occupy the same pin, DMA channel, timer or interrupt.

    Parameters
    ----------
    peripherals
        Peripherals in use by the name of their section, such as ``sources.adc``.

    Raises
    ------
    EdgebioError
        Names the first resource that is taken twice, and by what.
    """
    taken: dict[Resource, str] = {}

    def claim(resource: Resource, owner: str) -> None:
        other = taken.get(resource)
        if other is not None:
            kind, name = resource
            by = f"{other}, twice" if other == owner else f"{other} and {owner}"
            raise EdgebioError(f"{board.name}: {kind} {name} is taken by {by}")
        taken[resource] = owner

    if board.link == "usb" and board.usb_link:
        for irq in board.usb_link.irqs:
            claim(("interrupt", str(irq)), "usb_link")
    else:
        for pin in board.uart.pins or ():
            claim(("pin", pin), "uart")
        for irq in board.uart.irqs:
            claim(("interrupt", str(irq)), "uart")
    for name, irqs in board.irqs.items():
        for irq in irqs:
            claim(("interrupt", str(irq)), f"irqs.{name}")
    for owner, peripheral in peripherals.items():
        for resource in peripheral.resources() if peripheral else ():
            claim(resource, owner)
