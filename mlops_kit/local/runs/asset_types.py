"""The types that inputs and outputs of jobs have."""

from __future__ import annotations

FILE = "uri_file"
DATA = (FILE, "uri_folder", "mltable")
MODELS = ("custom_model", "mlflow_model", "triton_model")


def collection(kind: str) -> str:
    """Return the collection in which a bare ``azureml:NAME:VERSION`` of a type is looked up."""
    return "models" if kind in MODELS else "data"
