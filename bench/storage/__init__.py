"""How the per-second line of a session is best stored: `python -m bench.storage`."""
