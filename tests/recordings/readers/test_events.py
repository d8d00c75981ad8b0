"""Events label the samples of their duration; tables of them are read or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebio.errors import EdgebioError
from edgebio.recordings import load_recording, load_recordings
from edgebio.recordings.readers.events import Event, label_samples, read_event_table

from ..files import write_edf

times = st.floats(0, 10)


@given(st.lists(st.tuples(times, times, st.sampled_from("ab")), max_size=5))
def test_every_sample_has_the_label_of_the_last_event_around_it(
    parts: list[tuple[float, float, str]],
) -> None:
    events = [Event(onset, duration, label) for onset, duration, label in parts]
    labels, _ = label_samples(Path("x"), events, 400, 100.0)
    for sample in range(0, 400, 7):
        expected = ""
        for event in events:
            first, last = round(event.onset * 100), round((event.onset + event.duration) * 100)
            if event.duration > 0 and first <= sample < last:
                expected = event.label
        code = -1 if labels is None else int(labels.codes[sample])
        assert (labels.names[code] if labels and code >= 0 else "") == expected


def test_a_moment_is_no_state() -> None:
    labels, notes = label_samples(Path("x"), [Event(0, 0, "go"), Event(1, 1, "fist")], 300, 100.0)
    assert labels is not None
    assert labels.names == ("fist",)
    assert np.flatnonzero(labels.codes == 0).tolist() == list(range(100, 200))
    assert "1 events have no duration and label nothing: go" in notes[0]


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_a_table_of_events_is_read(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "events.tsv"
    path.write_text("onset,duration,trial_type\n0.5,1,fist\n2,n/a,go\n".replace(",", separator))
    assert read_event_table(path) == [Event(0.5, 1, "fist"), Event(2, 0, "go")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n1\t2\n", "expected a table of events"),
        ("onset\tduration\tlabel\nx\t1\tfist\n", "line 2: 'x' is not a number of seconds"),
        ("onset\tduration\tlabel\n1\t1\n", "line 2: 2 fields, expected 3"),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "events.tsv"
    path.write_text(content)
    with pytest.raises(EdgebioError) as caught:
        read_event_table(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_table_beside_a_file_takes_precedence_over_its_annotations(tmp_path: Path) -> None:
    write_edf(tmp_path / "sub-1_task-grip_emg.edf")
    (tmp_path / "sub-1_task-grip_events.tsv").write_text(
        "onset\tduration\ttrial_type\n1\t2\tfist\n"
    )
    result = load_recording(tmp_path / "sub-1_task-grip_emg.edf")
    assert result.classes == ("fist",)
    assert np.flatnonzero(result.labels == 0).tolist() == list(range(100, 300))


def test_a_hypnogram_beside_its_polysomnogram_labels_it(tmp_path: Path) -> None:
    write_edf(tmp_path / "SC4001E0-PSG.edf", events=[])
    write_edf(tmp_path / "SC4001EC-Hypnogram.edf", events=[(0, 2, "Sleep stage W")])
    result = load_recording(tmp_path / "SC4001E0-PSG.edf")
    assert result.classes == ("Sleep stage W",)
    assert (result.labels == 0).sum() == 200


def test_events_beside_a_text_file_count_lost_samples(tmp_path: Path) -> None:
    numbers = [*range(100), *range(150, 300)]  # 50 are lost
    rows = "".join(f"{k},{k * 7 % 50},{k * 3 % 11}\n" for k in numbers)
    (tmp_path / "x.csv").write_text("index,a,b\n" + rows)
    (tmp_path / "x_events.csv").write_text("onset,duration,label\n0,0.5,rest\n2,0.5,fist\n")
    recordings = load_recordings(tmp_path / "x.csv", rate=100)
    labels = [r.classes[k] if k >= 0 else "" for r in recordings for k in r.labels.tolist()]
    expected = dict.fromkeys(range(50), "rest") | dict.fromkeys(range(200, 250), "fist")
    assert labels == [expected.get(k, "") for k in numbers]


def test_a_long_table_is_read_to_its_end(tmp_path: Path) -> None:
    rows = "".join(f"{k},0.5,fist\n" for k in range(20_000))
    (tmp_path / "x_events.csv").write_text("onset,duration,label\n" + rows)
    assert len(read_event_table(tmp_path / "x_events.csv")) == 20_000
