"""The sample city: real districts and streets, everything else invented; and its scenarios."""
