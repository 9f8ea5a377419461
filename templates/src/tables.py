"""Read tables and split them into features and target."""

from pathlib import Path

import pandas as pd


def read_table(path):
    """Return the table in a CSV file, or in all CSV files of a folder in the order of their names."""
    source = Path(path)
    if source.is_file():
        return pd.read_csv(source)
    files = sorted(source.glob("**/*.csv"))
    if not files:
        raise SystemExit(f"no CSV file in {source}")
    return pd.concat([pd.read_csv(file) for file in files], ignore_index=True)


def breast_cancer():
    """Return the breast cancer table that ships with scikit-learn: 569 rows, 30 features, target ``malignant``."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    features = bunch.data.rename(columns=lambda name: name.replace(" ", "_"))
    return features.assign(malignant=1 - bunch.target)


def without(table, names):
    """Return the table without the named columns; a name it does not have ends the program."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise SystemExit(f"no column {', '.join(missing)}; the table has {', '.join(table.columns)}")
    return table.drop(columns=list(names))


def features_and_target(table, target, drop=()):
    """Return the feature columns and the target column; the features are all columns that are not dropped."""
    return without(table, (target, *drop)), table[target]


def column_names(text):
    """Return the names in a comma-separated list; ``-`` stands for none, since a job's input cannot be empty."""
    return tuple(name.strip() for name in text.split(",")) if text != "-" else ()
