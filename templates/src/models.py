"""Fit a classifier and keep it."""

from pathlib import Path

import joblib
import mlflow
import pandas as pd
import sklearn
from sklearn.linear_model import LogisticRegression

FILE = "model.pkl"  # said here alone: steps hand each other the folder


def fit(features, target, reg_rate):
    """Return a logistic regression; a larger ``reg_rate`` pulls the weights harder towards zero."""
    return LogisticRegression(C=1 / reg_rate, solver="liblinear").fit(features, target)


def save(model, folder):
    """Write the model into a folder with joblib."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    joblib.dump(model, Path(folder, FILE))


def load(folder):
    """Return the model that ``save`` wrote into a folder."""
    return joblib.load(Path(folder, FILE))


def log(model, features):
    """Log the model to the current MLflow run, with the columns it expects and the packages it needs."""
    mlflow.sklearn.log_model(
        model,
        name="model",
        signature=mlflow.models.infer_signature(features, model.predict(features)),
        pip_requirements=[f"scikit-learn=={sklearn.__version__}", f"pandas=={pd.__version__}"],
    )
