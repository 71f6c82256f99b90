"""The rooms of the scenario player: the script, the cast, the stage, what is expected, and the report."""
