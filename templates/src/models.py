"""Fit a classifier and keep it."""

from pathlib import Path

import joblib
import mlflow
import pandas as pd
import sklearn
from sklearn.linear_model import LogisticRegression


def fit(features, target, reg_rate):
    """Return a logistic regression; a larger ``reg_rate`` pulls the weights harder towards zero."""
    return LogisticRegression(C=1 / reg_rate, solver="liblinear").fit(features, target)


def save(model, path):
    """Write the model to a file with joblib."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, path)


def log(model, features):
    """Log the model to the current MLflow run, with the columns it expects and the packages it needs."""
    mlflow.sklearn.log_model(
        model,
        name="model",
        signature=mlflow.models.infer_signature(features, model.predict(features)),
        pip_requirements=[f"scikit-learn=={sklearn.__version__}", f"pandas=={pd.__version__}"],
    )
