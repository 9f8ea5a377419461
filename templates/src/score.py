"""Score files with a model: the entry script of a parallel step, which calls ``init`` and then ``run``."""

import argparse
from pathlib import Path

import mlflow
import pandas as pd


def init():
    """Load the model, once for each worker."""
    global model  # noqa: PLW0603  run() is called without it
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder of an MLflow model")
    args, _ = parser.parse_known_args()  # the service adds arguments of its own
    model = mlflow.pyfunc.load_model(args.model)


def run(mini_batch):
    """Return a line for each row of each file of a mini batch; fewer lines than files count as failures."""
    return [line for path in mini_batch for line in lines(Path(path))]


def lines(path):
    """Return ``FILE:ROW: PREDICTION`` for the rows of a file."""
    predictions = model.predict(pd.read_csv(path))
    return [f"{path.name}:{row}: {prediction}" for row, prediction in enumerate(predictions)]
