"""``python -m mlops_kit`` is ``mlops-kit``."""

from mlops_kit.cli import main

main()
