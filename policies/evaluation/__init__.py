"""How ``gameenv-evaluate`` works inside; the command itself is ``__main__``.

setting     rate, size and fit of the frames: those that the models learned from
plan        what is to be played: policies, tasks, levels
results     what was played: config.json, episodes.jsonl, summary.json
worker      a process that owns one environment and plays the episodes it is told
pool        the workers from the parent's side: hands out episodes, answers requests, replaces the dead
host        the batching policies, in the parent
latency     seconds a chunk takes, while this evaluation does nothing else
statistics  Wilson, McNemar, Holm
summary     episodes to numbers
trouble     episodes with errors, in sentences
tables      numbers to a terminal
"""
