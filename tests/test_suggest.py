import pytest

from edgebio.suggest import nearest

NAMES = ["one-to-one", "cross-subject", "Rest"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cross-subjct", " (did you mean 'cross-subject'?)"),
        ("ONE-TO-ON", " (did you mean 'one-to-one'?)"),
        ("rset", " (did you mean 'Rest'?)"),
        ("luck", ""),
    ],
)
def test_nearest_name_is_suggested_in_its_own_spelling(name, text):
    assert nearest(name, NAMES) == text
