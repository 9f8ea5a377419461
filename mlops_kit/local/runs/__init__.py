"""Execution: from a stored job to processes, logs, metrics and outputs on this machine."""
