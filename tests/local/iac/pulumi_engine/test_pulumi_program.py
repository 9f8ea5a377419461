"""Unmodified programs on the real SDK, in a child process: what only a program can ask of the engine."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import chain

import psutil
import pytest

from mlops_kit.errors import LocalError, UsageError
from mlops_kit.local.iac import pulumi_engine
from mlops_kit.local.iac.pulumi_engine import DeploymentError, DeviationError, Step, report_from_json, state

WHOLE = """
    from pulumi_azure_native import Provider, authorization, managedidentity, resources

    class Team(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("shop:index:Team", name, None, opts)
            self.identity = managedidentity.UserAssignedIdentity(
                name, resource_name_=f"id-{name}", resource_group_name=group.name, location=group.location,
                opts=Opts(parent=self))
            self.register_outputs({"principal": self.identity.principal_id})

    config = pulumi.Config()
    provider = Provider("azure", location="westeurope")
    group = resources.ResourceGroup("group", resource_group_name=GROUP, opts=Opts(provider=provider))
    team = Team("team")
    lock = authorization.ManagementLockByScope(
        "lock", lock_name="keep", scope=group.id, level="CanNotDelete", opts=Opts(depends_on=[team]))
    caller = authorization.get_client_config_output()
    again = resources.ResourceGroup.get("again", group.id)
    pulumi.log.info(f"previewing: {pulumi.runtime.is_dry_run()} {config.get_object('sizes')} {config.require('key')}")
    pulumi.export("principal", team.identity.principal_id)
    pulumi.export("connection", pulumi.Output.concat("key=", config.require_secret("key")))
    pulumi.export("object", caller.object_id)
    pulumi.export("where", again.location)
"""
SMALL = """
    from pulumi_azure_native import managedidentity, resources
    group = resources.ResourceGroup("group", resource_group_name=GROUP, location="westeurope")
"""
IDENTITY = """
    managedidentity.UserAssignedIdentity(
        "one", resource_name_="{name}", resource_group_name=GROUP, location=group.location, opts=Opts({opts}))
"""


def test_a_program_is_previewed_applied_and_destroyed(program, arm):
    program.write(WHOLE)
    stack = replace(program.stack(key="hunter-2", sizes=[1, {"a": "b"}]), secret_config=frozenset({"key"}))
    foreseen = pulumi_engine.preview(stack)
    assert foreseen.counts == {"create": 3}
    assert foreseen.outputs["principal"] == pulumi_engine.Output(None, known=False)
    assert not stack.state.exists()

    plan = report_from_json(json.loads(json.dumps(foreseen.as_json())))
    done = pulumi_engine.up(stack, plan=plan)
    assert [step.name for step in done.changes] == ["group", "team", "lock"]  # each after what it depends on
    assert done.messages == ('previewing: False [1, {"a": "b"}] [secret]'.replace('"', "'"),)
    principal = arm("GET", next(step.id for step in done.steps if step.name == "team"))["properties"]["principalId"]
    assert done.outputs["principal"].value == principal
    assert (done.outputs["object"].value, done.outputs["where"].value) == (
        "00000000-0000-0000-0000-0000000000ee",
        "westeurope",
    )
    assert pulumi_engine.outputs(stack) == dict(done.outputs)
    assert (done.outputs["connection"].value, done.outputs["connection"].secret) == ("key=hunter-2", True)
    assert "hunter-2" not in stack.state.read_text() + repr(done) + repr(program.heard)
    assert [stat.S_IMODE(one.stat().st_mode) for one in sorted(stack.state.parent.glob("*[ny]"))] == [0o600, 0o600]
    assert {told.name for told in program.heard if isinstance(told, Step)} >= {"group", "team", "lock", "again"}

    assert pulumi_engine.preview(stack).changes == ()
    gone = pulumi_engine.destroy(stack)
    assert [step.name for step in gone.steps] == ["lock", "team", "group"]
    assert arm("GET", program.id) is None
    assert pulumi_engine.outputs(stack) == {}


def test_the_client_configuration_has_the_subscription_of_the_stack_or_of_the_named_provider(program):
    program.write("""
        from pulumi_azure_native import Provider, authorization
        other = Provider("other", subscription_id="22222222-0000-0000-0000-000000000000")
        class Team(pulumi.ComponentResource):
            def __init__(self, name, opts=None):
                super().__init__("shop:index:Team", name, None, opts)
                asked = authorization.get_client_config_output(opts=pulumi.InvokeOptions(parent=self))
                self.subscription = asked.subscription_id
        pulumi.export("stack", authorization.get_client_config().subscription_id)
        pulumi.export("named", Team("team", Opts(providers=[other])).subscription)
    """)
    values = {"azure-native:subscriptionId": "11111111-0000-0000-0000-000000000000"}
    for report in (program.preview(**values), program.up(**values)):
        assert {name: one.value for name, one in report.outputs.items()} == {
            "stack": "11111111-0000-0000-0000-000000000000",
            "named": "22222222-0000-0000-0000-000000000000",
        }


def test_renamed_and_reparented_resources_are_found_by_their_aliases(program):
    program.write(SMALL + IDENTITY.format(name="id-one", opts=""))
    program.up()
    program.write("""
        from pulumi_azure_native import managedidentity, resources
        class Team(pulumi.ComponentResource):
            pass
        team = Team("shop:index:Team", "team")
        group = resources.ResourceGroup(
            "the-group", resource_group_name=GROUP, location="westeurope",
            opts=Opts(aliases=[pulumi.Alias(name="group")]))
        managedidentity.UserAssignedIdentity(
            "identity", resource_name_="id-one", resource_group_name=group.name, location=group.location,
            opts=Opts(parent=team, aliases=[pulumi.Alias(name="one", parent=pulumi.ROOT_STACK_RESOURCE)]))
    """)
    assert program.up().counts == {"same": 2}
    assert [urn.rpartition("::")[2] for urn in state.read(program.stack().state).entries] == [
        "shop-dev",
        "team",
        "the-group",
        "identity",
    ]


def test_children_of_an_aliased_component_are_found_too(program):
    text = """
        from pulumi_azure_native import resources
        class Team(pulumi.ComponentResource):
            pass
        team = Team("shop:index:Team", {name!r}, None, Opts({opts}))
        resources.ResourceGroup(
            {name!r} + "-group", resource_group_name=GROUP, location="westeurope", opts=Opts(parent=team))
    """
    program.write(text.format(name="old", opts=""))
    program.up()
    program.write(text.format(name="new", opts="aliases=[pulumi.Alias(name='old')]"))
    assert program.preview().counts == {"same": 1}


def test_an_unknown_type_is_refused_by_name_before_anything_is_made(program, arm):
    program.write(
        SMALL
        + """
    class Other(pulumi.CustomResource):
        def __init__(self, kind):
            super().__init__(kind, "other", {"a": group.id})
    Other("azure-native:web:WebApp")
    Other("random:index:Password")
    """
    )
    with pytest.raises(DeploymentError) as caught:
        program.up()
    first, second = caught.value.faults
    assert first.startswith("azure-native:web:WebApp 'other': the engine does not know this resource type")
    assert second.startswith("random:index:Password 'other'")
    assert caught.value.report.steps == ()
    assert arm("GET", program.id) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("group.nmae", r"__main__.py:7: AttributeError: .*nmae"),
        ("raise SystemExit(3)", r"__main__.py:7: SystemExit: 3"),
        ("pulumi.error('no quota for this')", r"no quota for this"),
        (
            "resources.ResourceGroup('b', opts=Opts(replacement_trigger='a'))",
            "not offer the option replacement_trigger",
        ),
        ("pulumi.StackReference('other')", "pulumi:pulumi:StackReference 'other': the engine does not know"),
        ("resources.get_resource_group('a')", r"the function azure-native:resources:getResourceGroup is not offered"),
    ],
)
def test_a_program_that_fails_is_told_with_its_line_and_changes_nothing(program, arm, text, said):
    program.write(SMALL + f"    {text}\n")
    with pytest.raises(DeploymentError, match=said):
        program.up()
    assert arm("GET", program.id) is None


def test_a_function_that_is_not_offered_is_refused_by_name(program):
    program.write("""
        from pulumi_azure_native import resources
        resources.get_resource_group_output(resource_group_name=GROUP)
    """)
    with pytest.raises(
        DeploymentError, match="the function azure-native:resources:getResourceGroup is not offered by the engine"
    ):
        program.preview()


def test_what_was_made_before_a_failure_is_kept_and_the_next_up_goes_on(program, arm):
    program.write(SMALL + IDENTITY.format(name="-", opts=""))
    with pytest.raises(
        DeploymentError, match="UserAssignedIdentity 'one': writing .*The name '-' is not valid"
    ) as caught:
        program.up()
    assert [(step.name, step.action) for step in caught.value.report.steps] == [("group", "create")]
    program.write(SMALL + IDENTITY.format(name="id-one", opts=""))
    assert [(step.name, step.action) for step in program.up().steps] == [("group", "same"), ("one", "create")]
    assert program.preview().changes == ()


def test_a_plan_that_no_longer_holds_is_refused_and_nothing_is_done(program, arm):
    program.write(SMALL)
    plan = program.preview()
    program.write(SMALL + IDENTITY.format(name="id-one", opts=""))
    with pytest.raises(DeviationError, match="the plan is stale, nothing was changed; it differs in: create one;"):
        program.up(plan)
    assert arm("GET", program.id) is None


def test_two_stacks_of_one_program_know_nothing_of_each_other(program):
    program.write("""
        from pulumi_azure_native import resources
        name = f"{GROUP}-{pulumi.get_stack()}"
        pulumi.export("id", resources.ResourceGroup("group", resource_group_name=name, location="westeurope").id)
    """)
    (program.folder / "Pulumi.test.yaml").write_text("config:\n  azure-native:location: westeurope\n")
    test = replace(program.stack(), name="test", state=program.folder.parent / "state" / "test.json")
    reports = [pulumi_engine.up(program.stack()), pulumi_engine.up(test)]
    assert [report.outputs["id"].value.rpartition("-")[2] for report in reports] == ["dev", "test"]
    pulumi_engine.destroy(test)
    assert program.preview().changes == ()


def test_one_run_at_a_time_has_a_stack(program):
    program.write(SMALL)
    with state.opened(program.stack().state), pytest.raises(LocalError, match="another run has the stack"):
        program.up()


def test_without_a_control_plane_nothing_is_begun(program):
    program.write(SMALL)
    calm = {name: value for name, value in program.environ.items() if name != "ARM_CLOUD_METADATA_URL"}
    with pytest.raises(LocalError, match="run it under 'mlops-kit local exec --'"):
        pulumi_engine.preview(replace(program.stack(), environ=calm))
    azure = {**calm, "ARM_CLOUD_METADATA_URL": "https://management.azure.com/metadata/endpoints"}
    with pytest.raises(LocalError, match="never speaks with Azure"):
        pulumi_engine.preview(replace(program.stack(), environ=azure))


def test_a_folder_without_a_project_is_named(program, tmp_path):
    with pytest.raises(UsageError, match=r"Pulumi.yaml is missing: that folder is no Pulumi project"):
        pulumi_engine.preview(replace(program.stack(), folder=tmp_path))


RUNNING = {"Azure-AsyncOperation": "{url}/operation", "Retry-After": "0"}
HANGS = (201, RUNNING, {"properties": {"provisioningState": "Creating"}})


def test_what_is_independent_is_made_at_the_same_time_and_what_depends_waits(program_on, service):
    program_on.write(
        SMALL
        + """
    for name in ("a", "b", "c", "d"):
        managedidentity.UserAssignedIdentity(
            name, resource_name_=f"id-{name}", resource_group_name=GROUP, location=group.location)
    """
    )
    service.slow = 0.1
    program_on.up()
    written = [path.rpartition("/")[2] for method, path, _ in service.asked if method == "PUT"]
    assert written[0] == program_on.group
    assert service.most_at_once >= 3


def children():
    return [one for one in psutil.Process().children(recursive=True) if "pulumi_engine" in " ".join(one.cmdline())]


def test_an_up_that_is_killed_continues(program_on, service):
    program_on.write(SMALL + IDENTITY.format(name="id-one", opts=""))
    service.tell("PUT", "/id-one", HANGS)
    service.tell("GET", "/operation", (200, {"Retry-After": "0.05"}, {"status": "Running"}))
    caught = []

    def up():
        with contextlib.suppress(LocalError):
            caught.append(program_on.up())

    thread = threading.Thread(target=up)
    thread.start()
    while not any(path.endswith("/operation") for _, path, _ in list(service.asked)):
        thread.join(0.01)
        assert thread.is_alive()
    for child in children():
        child.send_signal(signal.SIGKILL)
    thread.join()
    assert caught == []
    kept = {entry.name: entry.begun for entry in state.read(program_on.stack().state).entries.values()}
    assert kept == {"shop-dev": "", "group": "", "one": "create"}
    # What was begun has come to its end meanwhile; that it is there is no reason to refuse it.
    service.told.clear()
    assert [(step.name, step.action) for step in program_on.up().steps] == [("group", "same"), ("one", "create")]


def test_an_interrupted_up_records_what_was_begun_and_ends(program_on, service):
    program_on.write(SMALL)
    service.tell("PUT", f"/{program_on.group}", HANGS)
    service.tell("GET", "/operation", (200, {"Retry-After": "0.05"}, {"status": "Running"}))
    stack = program_on.stack()
    script = (
        "import sys; from pathlib import Path; from mlops_kit.local.iac import pulumi_engine as engine\n"
        "engine.up(engine.Stack(Path(sys.argv[1]), 'dev', Path(sys.argv[2])))"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", script, str(stack.folder), str(stack.state)],
        env=dict(program_on.environ),
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(path.endswith("/operation") for _, path, _ in list(service.asked)):
        assert caller.poll() is None
    os.kill(caller.pid, signal.SIGINT)
    _, said = caller.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert [entry.begun for entry in state.read(stack.state).entries.values()] == ["", "create"]
    assert list(chain.from_iterable(one.children() for one in children())) == []
