"""The pytest plugin as a user's test suite meets it: in its own pytest run, loaded through the entry point."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from mlops_kit.local import azurite as install

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module")
def installed() -> str:
    return str(install.installed())


@pytest.fixture(autouse=True)
def _one_azurite_for_every_home(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytester gives each run an empty HOME, where Azurite would be installed again.
    monkeypatch.setenv(install.FOLDER_VARIABLE, installed)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "real")


def test_each_test_gets_a_clean_storage_account_of_one_azurite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest
        from azure.storage.blob import BlobServiceClient

        seen = []

        @pytest.mark.parametrize("number", range(3))
        def test_upload(azurite, number):
            client = BlobServiceClient.from_connection_string(azurite.connection_string)
            assert list(client.list_containers()) == []
            container = client.create_container("mine")
            container.upload_blob("a.txt", b"content")
            assert container.download_blob("a.txt").readall() == b"content"
            seen.append(azurite)

        def test_accounts_differ_and_the_service_is_the_same():
            assert len({one.account for one in seen}) == 3
            assert len({one.url.rpartition("/")[0] for one in seen}) == 1

        def test_the_key_opens_the_account_at_its_url(azurite):
            credential = {"account_name": azurite.account, "account_key": azurite.key}
            assert BlobServiceClient(azurite.url, credential=credential).get_service_properties()
    """)
    pytester.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=5)


def test_the_local_workspace_answers_the_sdk_and_is_gone_afterwards(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import json, os

        before = dict(os.environ)

        def test_workspace(local_workspace):
            ml = local_workspace.ml_client()
            assert ml.workspaces.get().name == local_workspace.workspace.name == "mlw-local"
            assert ml.datastores.get_default().name == "workspaceblobstore"
            assert os.environ["ARM_CLOUD_METADATA_URL"] == local_workspace.environment["ARM_CLOUD_METADATA_URL"]
            assert "AZURE_CLIENT_SECRET" not in os.environ
            pid = json.loads((local_workspace.state / "instance.json").read_text())["pid"]
            print("PID", pid)

        def test_both_fixtures_together(local_workspace, azurite):
            from azure.storage.blob import BlobServiceClient

            client = BlobServiceClient.from_connection_string(azurite.connection_string)
            assert client.create_container("mine").exists()
    """)
    pytester.makeconftest("""
        import os

        def pytest_sessionfinish():
            print("AFTER", os.environ.get("ARM_CLOUD_METADATA_URL"), os.environ["AZURE_CLIENT_SECRET"])
    """)
    before = os.environ.get("ARM_CLOUD_METADATA_URL")  # of the workspace that other tests of this process use, or None
    result = pytester.runpytest_subprocess("-p", "no:xdist", "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"*AFTER {before} real*"])
    pid = next(int(line.split()[-1]) for line in result.outlines if "PID" in line)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_each_xdist_worker_has_its_own_instance(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_worker(local_workspace, number, worker_id):
            print(worker_id, local_workspace.state)
            assert worker_id in str(local_workspace.state)
    """)
    result = pytester.runpytest_subprocess("-n", "2", "--dist", "each")
    result.assert_outcomes(passed=4)


def test_the_plugin_costs_a_test_run_nothing_until_it_is_used() -> None:
    program = (
        "import sys, pytest; old = set(sys.modules); import mlops_kit.testing; print(*sorted(set(sys.modules) - old))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert {name.partition(".")[0] for name in done.stdout.split()} - set(sys.stdlib_module_names) == {"mlops_kit"}
    assert "mlops_kit.local" not in done.stdout.split()


def test_a_month_of_schedules_runs_within_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from datetime import timedelta

        def test_mondays(local_workspace):
            from azure.ai.ml import command, dsl
            from azure.ai.ml.entities import CronTrigger, JobSchedule

            hello = command(command="echo hello", environment="AzureML-minimal@latest", compute="cpu-cluster")

            @dsl.pipeline
            def greet():
                hello()

            ml = local_workspace.ml_client()
            trigger = CronTrigger(expression="0 0 * * mon")
            schedule = JobSchedule(name="mondays", trigger=trigger, create_job=greet())
            ml.schedules.begin_create_or_update(schedule).result()
            jobs = local_workspace.advance(timedelta(weeks=4))
            assert len(jobs) == 4
            assert {ml.jobs.get(name).status for name in jobs} == {"Completed"}
    """)
    pytester.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=1)
