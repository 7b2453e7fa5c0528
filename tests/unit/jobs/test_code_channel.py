"""The way from a function back to the worker, when the function forks just while something is sent."""

import os
import subprocess
import sys
import textwrap

from app.jobs.kinds.code.protocol import ProgressMessage, decode_message
from app.jobs.kinds.code.runner import Channel

# In a process of its own: what is registered for forks stays registered. Nobody reads what it prints at first, so the
# thread that sends the progress holds the buffer of standard output when the function forks.
FUNCTION = textwrap.dedent(
    """
    import os, signal, sys, threading, time
    from app.jobs.kinds.code.runner import Channel

    shown, printed = os.pipe()
    sys.stdout = os.fdopen(printed, "w", buffering=1_000_000)
    channel = Channel(os.open(os.devnull, os.O_WRONLY))
    print("x" * 500_000)
    threading.Thread(target=channel.send_withheld, daemon=True).start()
    time.sleep(0.3)

    def read() -> None:
        time.sleep(0.3)
        while os.read(shown, 65_536):
            pass

    threading.Thread(target=read, daemon=True).start()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        print("The child prints, too.")
        channel.write_progress(1, 1, "done")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    os._exit(0 if status == 0 else 1)
    """
)


def test_a_process_that_is_forked_while_progress_is_sent_can_print_and_send():
    ended = subprocess.run([sys.executable, "-c", FUNCTION], timeout=30, check=False, capture_output=True)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_progress_that_is_no_number_is_sent_as_none_done():
    received, sent = os.pipe()

    Channel(sent).write_progress(float("nan"), 10, "Orders")  # type: ignore[arg-type]

    message = decode_message(os.read(received, 65_536))
    os.close(received)
    os.close(sent)
    assert message == ProgressMessage(0, 10, "Orders")
