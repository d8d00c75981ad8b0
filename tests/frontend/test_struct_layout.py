from edgebio import storage
from edgebio.frontend import cmsisdsp, twin_library
from edgebio.frontend.numerics import numerics_flags
from tests.struct_layout import assert_same_layout


def test_ctypes_structs_of_the_twin_match_the_c(tmp_path):
    assert_same_layout(
        tmp_path,
        "eb_frontend_host.h",
        {
            "eb_biquad": twin_library.BiquadC,
            "arm_cfft_instance_q15": twin_library.CfftC,
            "arm_rfft_instance_q15": twin_library.RfftC,
            "eb_frontend_config": twin_library.ConfigC,
            "eb_frontend_head": twin_library.HeadC,
            "eb_host_stream": twin_library.StreamC,
        },
        [storage.assets("firmware_assets") / "frontend"],
        [
            "-std=gnu11",
            *numerics_flags("dsp"),
            *(f"-isystem{folder}" for folder in cmsisdsp.include()),
        ],
    )
