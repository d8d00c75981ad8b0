import sys
import time

import pytest

from edgebio.errors import EdgebioError
from edgebio.processes.programs import run_compiler, run_program, stream_program

PYTHON = (sys.executable, "-c")


def test_result_has_exit_code_and_both_outputs(tmp_path):
    code = "import os, sys; print(os.getcwd()); print('\\n bad ', file=sys.stderr); sys.exit(3)"
    result = run_program(*PYTHON, code, folder=tmp_path)
    assert (result.returncode, result.stdout) == (3, f"{tmp_path.resolve()}\n")
    assert result.error_lines == ["bad"]
    assert run_program(*PYTHON, "import os; os.kill(os.getpid(), 9)").returncode == -9


def test_program_that_cannot_start_or_does_not_end_is_one_line():
    for run in (run_program, run_compiler):
        with pytest.raises(EdgebioError, match=r"^no-such-tool: cannot be started: No such file"):
            run("no-such-tool")
    with pytest.raises(EdgebioError, match=r"no end after 0\.2 s$"):
        run_program(*PYTHON, "import time; time.sleep(60)", timeout=0.2)


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("note\na.c:1:2: error: no semicolon\n", "a.c:1:2: error: no semicolon"),
        ("a.o: undefined reference to `f'\ncollect2: error: ld returned 1", "a.o: undefined ref"),
        ("collect2: error: ld returned 1\n", "collect2: error: ld returned 1"),
        ("something else\n", "something else"),
        ("", "exit code 1"),
    ],
)
def test_compiler_failure_names_the_first_error(printed, reason):
    code = f"import sys; sys.stderr.write({printed!r}); sys.exit(1)"
    with pytest.raises(EdgebioError, match=f" failed: {reason}"):
        run_compiler(*PYTHON, code)


def test_output_is_handed_on_as_it_comes():
    pieces: list[str] = []
    code = (
        "import sys, time\n"
        "print('50 %', flush=True)\n"
        "time.sleep(0.3)\n"
        "print('100 %', file=sys.stderr)\n"
        "sys.exit(2)"
    )
    result = stream_program(*PYTHON, code, on_output=pieces.append, silence=20)
    assert "".join(pieces) == result.stdout
    assert len(pieces) > 1
    assert (result.returncode, result.stdout) == (2, "50 %\n100 %\n")


def test_silent_program_is_killed():
    start = time.monotonic()
    with pytest.raises(EdgebioError, match=r"hangs: no output for 0\.1 s$"):
        stream_program(*PYTHON, "import time; time.sleep(60)", on_output=print, silence=0.1)
    assert time.monotonic() - start < 30
