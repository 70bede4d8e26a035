"""A live game: the environment, and the watchdog process that holds its keys, hears the person and keeps time."""
