"""Cut a table into files of a few rows each, so that several workers can score it at a time."""

import argparse
from pathlib import Path

import tables


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="CSV file or folder of CSV files; default: the breast cancer table")
    parser.add_argument("--drop", default="-", help="columns that are no features, comma-separated; - for none")
    parser.add_argument("--rows", type=int, default=20, help="rows of a file")
    parser.add_argument("--parts", default="outputs", help="folder to write to")
    return parser.parse_args()


def main():
    args = arguments()
    table = tables.read_table(args.data) if args.data else tables.breast_cancer()
    table = tables.without(table, tables.column_names(args.drop))
    Path(args.parts).mkdir(parents=True, exist_ok=True)
    starts = range(0, len(table), args.rows)
    for number, start in enumerate(starts):
        table[start : start + args.rows].to_csv(Path(args.parts, f"{number:05}.csv"), index=False)
    print(f"{len(table)} rows in {len(starts)} files")


if __name__ == "__main__":
    main()
