"""Real processes on the leash; a pipe tells when one has ended: it closes with the last process that holds it."""

import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.local import leash

LIMIT_SECONDS = 15
ON_LINUX = [sys.executable, "-I", "-S", leash.__file__]
ELSEWHERE = [
    sys.executable,
    "-c",
    textwrap.dedent(f"""
        import os, sys
        sys.path.insert(0, {str(Path(leash.__file__).parents[2])!r})
        from services.local.leash import leave_watcher
        leave_watcher(int(sys.argv[1]))
        os.execvp(sys.argv[2], sys.argv[2:])
    """),
]
SAY_PID_AND_WAIT = [sys.executable, "-c", "import os, signal; print(os.getpid(), flush=True); signal.pause()"]
PARENT = textwrap.dedent("""
    import os, signal, subprocess, sys
    at = sys.argv.index("--")
    command = [*sys.argv[1:at], str(os.getpid()), *sys.argv[at + 1:]]
    child = subprocess.Popen(command, pass_fds=[int(os.environ["HELD"])])
    signal.pause()
""")

kinds = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(ON_LINUX, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux's own"), id="kernel"),
        pytest.param(ELSEWHERE, id="watcher"),
    ],
)


@contextmanager
def held_pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe; its reading end reports the end of all processes that hold the writing one."""
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        os.close(reading)


def all_ended(reading: int) -> bool:
    ready, _, _ = select.select([reading], [], [], LIMIT_SECONDS)
    return bool(ready) and os.read(reading, 1) == b""


@kinds
def test_a_program_ends_with_its_parent_killed_with_9(kind: list[str]) -> None:
    with held_pipe() as (reading, writing):
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, *kind, "--", *SAY_PID_AND_WAIT],
            stdout=subprocess.PIPE,
            pass_fds=[writing],
            env={**os.environ, "HELD": str(writing)},
        )
        os.close(writing)
        with parent:
            assert parent.stdout
            program = int(parent.stdout.readline())
            parent.kill()
        ended = all_ended(reading)
        if not ended:
            os.kill(program, signal.SIGKILL)
        assert ended


@kinds
def test_nothing_stays_behind_a_program_that_was_stopped_and_its_pid_is_its_own(kind: list[str]) -> None:
    with held_pipe() as (reading, writing):
        command = [*kind, str(os.getpid()), *SAY_PID_AND_WAIT]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[writing])
        os.close(writing)
        with program:
            assert program.stdout
            assert int(program.stdout.readline()) == program.pid
            program.terminate()
            assert program.wait(LIMIT_SECONDS) == -signal.SIGTERM
        assert all_ended(reading)


@kinds
def test_a_program_ends_as_it_wants_to(kind: list[str]) -> None:
    command = [*kind, str(os.getpid()), sys.executable, "-c", "print('said'); raise SystemExit(7)"]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (7, b"said\n")


def test_a_program_whose_parent_has_ended_already_is_not_started(tmp_path: Path) -> None:
    trace = tmp_path / "started"
    not_the_parent = str(os.getppid())
    command = [sys.executable, "-I", "-S", leash.__file__, not_the_parent, "touch", str(trace)]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT_SECONDS, check=False)
    assert done.returncode == 1
    assert not trace.exists()


def test_a_program_that_is_not_there_is_one_sentence() -> None:
    command = leash.leashed(["/nowhere/program"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    assert (done.returncode, done.stderr) == (1, "/nowhere/program: No such file or directory\n")
