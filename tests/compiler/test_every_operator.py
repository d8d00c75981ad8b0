"""Every operator in random networks: no byte differs from tflite-micro's."""

import pytest

from tests.compiler.every_operator import Proof, prove
from tests.compiler.reference import Run, emulated, sanitized

pytestmark = pytest.mark.usefixtures("tflite_micro")


def check(seeds: range, run: Run, step: int = 40) -> Proof:
    proof = Proof()
    for start in range(seeds.start, seeds.stop, step):
        prove(range(start, min(start + step, seeds.stop)), run, proof)
    print(proof)
    assert not proof.differing, str(proof)
    return proof


def test_twenty_networks() -> None:
    """Under the address and undefined-behavior sanitizers."""
    check(range(9000, 9020), sanitized("dsp"))


@pytest.mark.slow
def test_a_thousand_networks_under_sanitizers() -> None:
    assert not check(range(1000), sanitized("dsp")).missing


@pytest.mark.slow
def test_a_thousand_networks_on_an_emulated_m4() -> None:
    assert not check(range(1000), emulated("mps2-an386")).missing


@pytest.mark.slow
def test_two_hundred_networks_on_an_emulated_m55() -> None:
    check(range(200), emulated("mps3-an547"))
