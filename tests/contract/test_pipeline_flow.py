"""Control nodes of pipelines: conditions and loops, which azure-ai-ml offers as a preview.

The SDK looks for the switch of its previews when it is imported, so a process of its own submits the pipelines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from typing import Any

import pytest

SCRIPT = '''\
import json, sys, time
from azure.ai.ml import MLClient, dsl, load_component
from azure.ai.ml.dsl._condition import condition
from azure.ai.ml.dsl._do_while import do_while
from azure.ai.ml.dsl._parallel_for import parallel_for
from azure.identity import DefaultAzureCredential

TOKEN = sys.argv[1]
ENVIRONMENT = "azureml:AzureML-minimal@latest"
DECIDE = f"""
name: decide_{TOKEN}
type: command
inputs: {{n: {{type: integer}}}}
outputs:
  again: {{type: boolean, is_control: true}}
  next: {{type: integer, is_control: true}}
  data: {{type: uri_folder}}
command: >-
  echo $(( ${{{{inputs.n}}}} + 1 )) > ${{{{outputs.next}}}} &&
  (test ${{{{inputs.n}}}} -lt 3 && echo true || echo false) > ${{{{outputs.again}}}} &&
  echo {TOKEN} ${{{{inputs.n}}}} > ${{{{outputs.data}}}}/n.txt
environment: {ENVIRONMENT}
"""
TAGGED = f"""
name: tagged_{TOKEN}
type: command
outputs: {{again: {{type: boolean, is_control: true}}}}
command: >-
  python -c "import json, mlflow; mlflow.set_tag('azureml.pipeline.control', json.dumps(dict(again=True)))"
environment: {ENVIRONMENT}
"""
SAY = f"""
name: say_{TOKEN}
type: command
inputs: {{word: {{type: string, default: none}}, data: {{type: uri_folder, optional: true}}}}
outputs: {{out: {{type: uri_folder}}}}
command: echo {TOKEN} ${{{{inputs.word}}}} $[[$(cat ${{{{inputs.data}}}}/*)]] | tee ${{{{outputs.out}}}}/word.txt
environment: {ENVIRONMENT}
"""


def component(name, text):
    open(f"{name}.yml", "w").write(text)
    return load_component(f"{name}.yml")


decide, say, tagged = component("decide", DECIDE), component("say", SAY), component("tagged", TAGGED)


def chooses(number):
    @dsl.pipeline(compute="serverless")
    def decided():
        asked = decide(n=number)
        yes, no = say(word="yes"), say(word="no")
        yes.name, no.name = "yes", "no"
        condition(condition=asked.outputs.again, true_block=yes, false_block=no)

    return decided()


def loops(start, most):
    @dsl.pipeline(compute="serverless")
    def looped():
        body = decide(n=start)
        handed = {body.outputs.next: body.inputs.n}
        do_while(body=body, mapping=handed, condition=body.outputs.again, max_iteration_count=most)
        last = say(word="last", data=body.outputs.data)
        last.name = "last"

    return looped()


@dsl.pipeline(compute="serverless")
def fanned():
    body = say()
    parallel_for(body=body, items=[{"word": "one"}, {"word": "two"}, {"word": "three"}])


@dsl.pipeline(compute="serverless")
def by_tag():
    asked = tagged()
    yes = say(word="tagged")
    yes.name = "yes"
    condition(condition=asked.outputs.again, true_block=yes)


ml = MLClient.from_config(DefaultAzureCredential())
drafts = {"yes": chooses(1), "no": chooses(9), "three": loops(1, 9), "two": loops(-9, 2)}
drafts |= {"fan": fanned(), "tag": by_tag()}
names = {case: ml.jobs.create_or_update(draft).name for case, draft in drafts.items()}
found = {}
for case, name in names.items():
    while (job := ml.jobs.get(name)).status not in ("Completed", "Failed", "Canceled"):
        time.sleep(0.1)
    details = ml.jobs._runs_operations.get_run_details(name)
    error = details.error.error.message if details.error else ""
    steps = {child.display_name: child.name for child in ml.jobs.list(parent_job_name=name)}
    found[case] = {"status": job.status, "error": error, "steps": steps}
print(json.dumps(found))
'''


@pytest.fixture(scope="module")
def flow(local_workspace: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Submit every pipeline of the script and return what became of it."""
    folder, ml = tmp_path_factory.mktemp("flow"), local_workspace.ml_client()
    (folder / "flow.py").write_text(SCRIPT)
    facts = {
        "subscription_id": ml.subscription_id,
        "resource_group": ml.resource_group_name,
        "workspace_name": ml.workspace_name,
    }
    (folder / "config.json").write_text(json.dumps(facts))
    switch = {**local_workspace.environment, "AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED": "True"}
    command = [sys.executable, "flow.py", uuid.uuid4().hex[:8]]
    ran = subprocess.run(command, cwd=folder, env=switch, capture_output=True, text=True, check=False, timeout=240)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_every_pipeline_completes(flow):
    assert {case: (one["status"], one["error"]) for case, one in flow.items()} == dict.fromkeys(flow, ("Completed", ""))


@pytest.mark.parametrize(("case", "chosen"), [("yes", "yes"), ("no", "no"), ("tag", "yes")])
def test_a_condition_runs_the_step_of_its_outcome(case, chosen, flow):
    assert set(flow[case]["steps"]) & {"yes", "no"} == {chosen}


@pytest.mark.parametrize(("case", "turns"), [("three", 3), ("two", 2)])
def test_a_loop_goes_on_until_its_condition_is_false_or_its_limit_is_reached(case, turns, flow):
    bodies = sorted(name for name in flow[case]["steps"] if name.startswith("body"))
    assert bodies == [f"body_{number}" for number in range(1, turns + 1)]


def test_what_follows_a_loop_gets_the_outputs_of_its_last_turn(flow, ml, tmp_path):
    ml.jobs.download(flow["three"]["steps"]["last"], download_path=tmp_path, all=True)
    (log,) = tmp_path.rglob("std_log.txt")
    token, word, same, number = log.read_text().split()
    assert (word, same, number) == ("last", token, "3")


def test_a_parallel_loop_runs_its_body_once_for_each_item(flow, ml, tmp_path):
    for name in flow["fan"]["steps"].values():
        ml.jobs.download(name, download_path=tmp_path / name, all=True)
    assert {log.read_text().split()[1] for log in tmp_path.rglob("std_log.txt")} == {"one", "two", "three"}
