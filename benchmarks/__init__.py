"""Speed and quality, one command each: `python -m benchmarks.<name>`."""
