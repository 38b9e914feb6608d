"""The same day and the same trade through other people's backtesters: `python -m bench.peers`."""
