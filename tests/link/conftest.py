"""Devices that are processes of this machine, built once a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgebio.link.client import Client
from edgebio.runtime import host_device
from tests.link.standin import StandIn

SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="session")
def model() -> StandIn:
    return StandIn()


@pytest.fixture(scope="session")
def executable(model: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device; a wrong access or undefined operation ends it."""
    return model.build(tmp_path_factory.mktemp("device"), SANITIZE)


@pytest.fixture(params=["pty", "socket"])
def device(executable: Path, request: pytest.FixtureRequest) -> Iterator[host_device.HostDevice]:
    with host_device.running(executable, request.param) as running:
        yield running


@pytest.fixture
def client(device: host_device.HostDevice) -> Iterator[Client]:
    with Client(device.url) as open_client:
        yield open_client


@pytest.fixture(scope="session")
def plain_model() -> StandIn:
    """Without a front end, and with more outputs than one frame holds."""
    return StandIn(frontend=False, input_bytes=2500, classes=600)


@pytest.fixture(scope="session")
def plain_executable(plain_model: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_model.build(tmp_path_factory.mktemp("plain"), SANITIZE)
