from edgebio.recordings import summary

from .test_files import recording


def test_figures_are_those_of_the_recordings() -> None:
    made = [
        recording(500, 0, subject="a", session="1", repetition=0),
        recording(1000, 1, subject="a", session="2", repetition=1),
        recording(250, -1, subject="b", session="1", repetition=0),
    ]
    made[0].samples[:] = [[100, -7, 3]]
    made[1].samples[:] = 0
    made[1].samples[::2] = [10, -10, 0]
    made[2].samples[:] = 0
    held = summary.summarise(made)
    assert (held.recordings, held.seconds, held.unlabelled_seconds) == (3, 3.5, 0.5)
    assert (held.lowest, held.highest) == (-10, 100)
    # Half of 1000 of 1750 samples are 5 above, half 5 below their recording's mean.
    assert [round(x, 6) for x in held.rms] == [round((25 * 1000 / 1750) ** 0.5, 6)] * 2 + [0]
    assert [(s.name, s.recordings, s.sessions, s.seconds) for s in held.people] == [
        ("a", 2, 2, 3.0),
        ("b", 1, 1, 0.5),
    ]
    assert [(s.name, s.recordings, s.seconds) for s in held.classes] == [
        ("rest", 1, 1.0),
        ("Faust", 1, 2.0),
        ("握拳", 0, 0),
    ]
