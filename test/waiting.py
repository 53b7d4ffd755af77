"""Waiting for a condition, with a limit."""
import time

LONG = 20  # seconds in which a thing that should happen has happened, on a busy machine too


def until(condition, seconds=LONG):
    """The first true value of it, or the last false one."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)
