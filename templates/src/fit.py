"""Fit a binary classifier on training data and write it to a file."""

import argparse

import mlflow
import models
import tables


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train-data", help="CSV file or folder of CSV files; default: the breast cancer table")
    parser.add_argument("--target", default="malignant", help="column that holds 0 or 1")
    parser.add_argument("--reg-rate", type=float, default=0.01, help="regularization rate")
    parser.add_argument("--model", default="outputs", help="folder to write the model to")
    return parser.parse_args()


def main():
    args = arguments()
    table = tables.read_table(args.train_data) if args.train_data else tables.breast_cancer()
    features, target = tables.features_and_target(table, args.target)
    print(f"{len(table)} rows, {features.shape[1]} features")

    with mlflow.start_run():
        mlflow.log_param("reg_rate", args.reg_rate)
        model = models.fit(features, target, args.reg_rate)
        models.save(model, args.model)


if __name__ == "__main__":
    main()
