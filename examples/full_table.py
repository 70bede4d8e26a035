"""The whole table: six task families that the shipped base never saw, three trainings each, frozen test levels.

The steps of ``first_agent.py`` at full size; takes hours on a CPU. Stopped or killed, the same command goes on where it
was.

    python examples/full_table.py
"""

from first_agent import Args, main, run_until_told

from gameenv.cli import parse

FULL = Args(
    out="runs/full_table",
    tasks=("climb-stairs", "check-posters", "crawl-vent", "jump-ledge", "press-switch", "slip-past-guard"),
    frames=120_000,
    episodes=100,
    levels="arena-test-v1",
    seeds=(0, 1, 2),
    control=True,
)

if __name__ == "__main__":
    run_until_told(lambda: main(parse(Args, default=FULL)))
