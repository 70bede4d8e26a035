"""The scripted expert: a guide along a level's route, leg by leg, one key a tick."""
