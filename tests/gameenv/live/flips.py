"""Flips the input focus between two windows, as fast as no person can. Run as a program; needs python-xlib only.

    python flips.py FIRST SECOND COUNT

Each window has the focus for 10 to 50 ms; it ends with the first, and prints how often the second had it.
"""

import random
import sys
import time

from Xlib import X, display


def main() -> None:
    first, second, count = (int(word) for word in sys.argv[1:])
    connection = display.Display()
    windows = [connection.create_resource_object("window", number) for number in (first, second)]
    rng = random.Random(7)
    for flip in range(count + count % 2):
        time.sleep(rng.uniform(0.01, 0.05))
        connection.set_input_focus(windows[1 - flip % 2].id, X.RevertToNone, X.CurrentTime)
        connection.sync()
    print(count // 2, flush=True)


if __name__ == "__main__":
    main()
