"""What the live system costs: `python -m bench.live --sessions 1000 --seconds 60`."""
