"""The pipeline of train.yml in Python, from the same components: both become the same steps and bindings.

It needs azure-ai-ml. ``mlops-kit local exec --config -- python templates/pipelines/train_twin.py`` submits it to the
local control plane; with a config.json of Azure ML in the folder it goes to that workspace.
"""

import argparse
from pathlib import Path

from azure.ai.ml import Input, MLClient, dsl, load_component
from azure.identity import DefaultAzureCredential

COMPONENTS = Path(__file__).parent.parent / "components"
component = {name: load_component(COMPONENTS / f"{name}.yml") for name in ("prepare", "train", "evaluate")}


@dsl.pipeline(display_name="train-pipeline", description="Prepare, train, evaluate.")
def train_pipeline(data: Input(type="uri_folder"), drop: str, target: str, reg_rate: float):
    # The names of these variables are the names of the steps.
    prepare = component["prepare"](data=data, drop=drop)
    train = component["train"](train_data=prepare.outputs.train_data, target=target, reg_rate=reg_rate)
    evaluate = component["evaluate"](model=train.outputs.model, test_data=prepare.outputs.test_data, target=target)
    return {"model": train.outputs.model, "report": evaluate.outputs.report}


def job(data, compute, drop="-", target="malignant", reg_rate=0.01):
    """Return the pipeline job for a data asset or path."""
    made = train_pipeline(Input(type="uri_folder", path=data, mode="ro_mount"), drop, target, reg_rate)
    made.settings.default_compute = compute
    made.experiment_name = "breast-cancer"
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="azureml:breast-cancer@latest", help="data asset or path")
    parser.add_argument("--compute", default="cpu-cluster")
    args = parser.parse_args()
    ml = MLClient.from_config(DefaultAzureCredential())
    print(ml.jobs.create_or_update(job(args.data, args.compute)).name)


if __name__ == "__main__":
    main()
