from hypothesis import given
from hypothesis import strategies as st

from edgebio.search.pareto import Point, dominates, pareto_front

POINTS = st.lists(
    st.builds(
        Point, st.sampled_from([0.5, 0.6, 0.7]), st.sampled_from([1.0, 2.0]), st.integers(1, 3)
    ),
    max_size=12,
)


@given(POINTS)
def test_front_dominates_all_other_points_and_none_of_its_own(points):
    indices = pareto_front(points)
    members = [points[k] for k in indices]
    assert len(set(members)) == len(members)
    assert not any(dominates(a, b) for a in members for b in members)
    for k, point in enumerate(points):
        assert k in indices or point in members or any(dominates(m, point) for m in members)
    assert [m.accuracy for m in members] == sorted((m.accuracy for m in members), reverse=True)


def test_dominating_point_is_better_in_something():
    one = Point(0.9, 10.0, 100)
    assert not dominates(one, one)
    assert dominates(one, one._replace(accuracy=0.8))
    assert dominates(one, one._replace(latency=11.0))
    assert dominates(one, one._replace(flash=101))
    assert not dominates(one, Point(0.8, 10.0, 99))
