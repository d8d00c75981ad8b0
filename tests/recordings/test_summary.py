"""Statistics of recordings."""

from edgebio.recordings.summary import summarize

from .files import recording


def test_statistics_are_those_of_the_recordings() -> None:
    recordings = [
        recording(500, 0, subject="a", session="1", repetition=0),
        recording(1000, 1, subject="a", session="2", repetition=1),
        recording(250, -1, subject="b", session="1", repetition=0),
    ]
    recordings[0].samples[:] = [[100, -7, 3]]
    recordings[1].samples[:] = 0
    recordings[1].samples[::2] = [10, -10, 0]
    recordings[2].samples[:] = 0
    summary = summarize(recordings)
    assert (summary.recordings, summary.seconds, summary.unlabeled_seconds) == (3, 3.5, 0.5)
    assert (summary.lowest, summary.highest) == (-10, 100)
    # 1000 of 1750 samples are 5 above or below the mean of their recording.
    assert [round(x, 6) for x in summary.rms] == [round((25 * 1000 / 1750) ** 0.5, 6)] * 2 + [0]
    assert [(s.name, s.recordings, s.sessions, s.seconds) for s in summary.subjects] == [
        ("a", 2, 2, 3.0),
        ("b", 1, 1, 0.5),
    ]
    assert [(s.name, s.recordings, s.seconds) for s in summary.classes] == [
        ("rest", 1, 1.0),
        ("Faust", 1, 2.0),
        ("握拳", 0, 0),
    ]
