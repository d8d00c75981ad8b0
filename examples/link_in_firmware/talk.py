"""Start the example device on a pseudo-terminal and ask who it is, as for a board on a port."""

import sys
from pathlib import Path

from edgebio.link.client import Client
from edgebio.runtime import host_device

program = Path(sys.argv[1] if len(sys.argv) > 1 else "build/device").resolve()
with host_device.running(program) as device, Client(device.url) as client:
    identity = client.identify()
print(f"{identity.board} on {device.url}")
