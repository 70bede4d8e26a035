"""How a training is shown while it goes on."""

import io
import math

from gameenv.console import Console
from gameenv.progress import LINE_PERIOD_S, Progress
from training.step_report import StepReport, show_steps


def test_steps_come_now_and_then_and_evaluations_stay() -> None:
    console = Console(file=io.StringIO(), width=200)
    now = [0.0]
    show = show_steps(Progress(console, now_s=lambda: now[0]), "vision")
    show(StepReport(401, 1000, 8.0, 0.1, math.nan))
    now[0] = LINE_PERIOD_S
    show(StepReport(501, 1000, 81.4, 0.1, 0.25, memory_bytes=3_000_000_000))
    show(StepReport(501, 1000, 81.4, 0.1, 0.25, validation=(0.5, 0.75)))
    show(StepReport(502, 1000, 81.4, 0.1, 0.25))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "vision: 501 of 1,000 steps, loss 0.250, 81 samples a second, 3.0 GB of GPU memory, 10.0 steps a second, "
        "0.8 minutes left",
        "vision: step 501 of 1,000, loss 0.250, held out: loss a word 0.500, first word right 75.0%",
    ]
