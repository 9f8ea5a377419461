"""Write the breast cancer table that ships with scikit-learn to a CSV file."""

import argparse
from pathlib import Path

import tables


def main():
    default = Path(__file__).parent.parent / "data" / "breast-cancer" / "breast-cancer.csv"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=default, help="file to write")
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    table = tables.breast_cancer()
    table.to_csv(output, index=False)
    print(f"{len(table)} rows written to {output.name}")


if __name__ == "__main__":
    main()
