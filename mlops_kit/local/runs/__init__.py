"""Execution of jobs: what waits, what runs, with which inputs and environment, and what is kept of it."""

# Providers and runs use each other; whoever imports a module of this package first must get the providers first.
from mlops_kit.local import providers as providers
