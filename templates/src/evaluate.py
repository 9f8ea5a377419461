"""Judge a saved classifier on test data, track the result and write it as JSON."""

import argparse
import json
from pathlib import Path

import mlflow
import models
import scores
import tables


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="folder that holds the model; default: a model fitted here")
    parser.add_argument("--test-data", help="CSV file or folder of CSV files; default: the breast cancer table")
    parser.add_argument("--target", default="malignant", help="column that holds 0 or 1")
    parser.add_argument("--report", default="outputs", help="folder to write metrics.json to")
    return parser.parse_args()


def main():
    args = arguments()
    table = tables.read_table(args.test_data) if args.test_data else tables.breast_cancer()
    features, target = tables.features_and_target(table, args.target)
    model = models.load(args.model) if args.model else models.fit(features, target, 0.01)

    with mlflow.start_run():
        metrics = scores.track(model, features, target)
        models.log(model, features)
    report = Path(args.report, "metrics.json")
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(metrics, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
