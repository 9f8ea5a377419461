"""Clean a table and split it: rows with gaps go, 70 % become the training data, 30 % the test data."""

import argparse
from pathlib import Path

import mlflow
import tables
from sklearn.model_selection import train_test_split


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="CSV file or folder of CSV files; default: the breast cancer table")
    parser.add_argument("--drop", default="-", help="columns to remove, comma-separated; - for none")
    parser.add_argument("--seed", type=int, default=0, help="seed of the split")
    parser.add_argument("--train-data", default="outputs/train.csv", help="file to write")
    parser.add_argument("--test-data", default="outputs/test.csv", help="file to write")
    return parser.parse_args()


def main():
    args = arguments()
    raw = tables.read_table(args.data) if args.data else tables.breast_cancer()
    clean = tables.without(raw, tables.column_names(args.drop)).dropna()
    train, test = train_test_split(clean, test_size=0.30, random_state=args.seed)
    print(f"{len(raw)} rows read, {len(clean)} kept, {len(train)} to train, {len(test)} to test")

    with mlflow.start_run():
        mlflow.log_metrics({"raw_rows": len(raw), "processed_rows": len(clean)})
    for part, path in ((train, args.train_data), (test, args.test_data)):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        part.to_csv(path, index=False)


if __name__ == "__main__":
    main()
