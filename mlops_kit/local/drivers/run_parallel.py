"""Run a parallel job; started by its path, so that nothing of this project must be installed where the job runs."""

import importlib

if __name__ == "__main__":
    importlib.import_module("parallel_run.master").main()
