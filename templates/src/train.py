"""Train a binary classifier on a table, judge it on the 30 % it has not seen, and track everything with MLflow."""

import argparse

import mlflow
import models
import scores
import tables
from sklearn.model_selection import train_test_split


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="CSV file or folder of CSV files; default: the breast cancer table")
    parser.add_argument("--target", default="malignant", help="column that holds 0 or 1")
    parser.add_argument("--drop", default="-", help="columns that are no features, comma-separated; - for none")
    parser.add_argument("--reg-rate", type=float, default=0.01, help="regularization rate")
    parser.add_argument("--seed", type=int, default=0, help="seed of the split")
    return parser.parse_args()


def main():
    args = arguments()
    table = tables.read_table(args.data) if args.data else tables.breast_cancer()
    features, target = tables.features_and_target(table, args.target, tables.column_names(args.drop))
    x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.30, random_state=args.seed)
    print(f"{len(table)} rows, {features.shape[1]} features, {int(target.sum())} positive")

    with mlflow.start_run():
        mlflow.log_params({"reg_rate": args.reg_rate, "seed": args.seed, "target": args.target})
        model = models.fit(x_train, y_train, args.reg_rate)
        scores.track(model, x_test, y_test)
        models.save(model, "outputs")
        models.log(model, x_train)


if __name__ == "__main__":
    main()
