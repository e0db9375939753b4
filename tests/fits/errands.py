"""Functions that tests send to the workers of a cluster, which import this file."""

import os
import signal
import time
from pathlib import Path


def process(seconds=0.0):
    """The process that was asked, after some time."""
    time.sleep(seconds)
    return os.getpid()


def dies_the_first_time(file):
    """Ends its process in the middle of the work when nobody has done so before; the process that was asked then."""
    if not Path(file).exists():
        Path(file).write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def fails():
    raise ValueError("no chain moved")
