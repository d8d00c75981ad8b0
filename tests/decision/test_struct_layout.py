from edgebio import storage
from edgebio.decision import twin
from tests.struct_layout import assert_same_layout


def test_ctypes_structs_of_the_twin_match_the_c(tmp_path):
    assert_same_layout(
        tmp_path,
        "eb_decision_host.h",
        {"eb_decision_config": twin.ConfigC, "eb_decision_state": twin.StateC},
        [storage.assets("firmware_assets") / "decision"],
    )
