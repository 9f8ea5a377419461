"""``${env.infra.NAME}``: recorded outputs over the section ``infra``, and what is said where there are none."""

from pathlib import Path

import pytest

from mlops_kit import documents, environments, outputs, render
from mlops_kit.documents import parse
from mlops_kit.errors import ExpressionError, UsageError
from mlops_kit.expressions import evaluate


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "environments"
    folder.mkdir()
    text = "project: shop\nlocation: westeurope\ninfra: {profile: quick, storage: {sku: Standard_LRS}}\n"
    (folder / "base.yaml").write_text(text, encoding="utf-8")
    (folder / "dev.yaml").write_text("", encoding="utf-8")
    return tmp_path


def value(project, text):
    environment = environments.load(project / "environments", "dev", process={})
    return evaluate(text, environment.roots, lambda _: environment.root.place)


def test_an_output_is_a_value_of_its_own_type(project):
    outputs.record(
        outputs.file_of(project, "dev"), {"workspace_id": "/w", "subnet_ids": {"compute": "/s"}, "none": None}
    )
    assert value(project, "${env.infra.workspace_id}") == "/w"
    assert value(project, "${env.infra.subnet_ids.compute}") == "/s"
    assert value(project, "id: ${env.infra.workspace_id | upper}") == "id: /W"
    assert value(project, "${env.infra.none}") is None


def test_the_section_is_still_there_and_outputs_go_over_it(project):
    outputs.record(outputs.file_of(project, "dev"), {"profile": "other"})
    assert value(project, "${env.infra.storage.sku}") == "Standard_LRS"
    assert value(project, "${env.infra.profile}") == "other"
    assert environments.load(project / "environments", "dev", process={}).get("infra.profile") == "quick"


@pytest.mark.parametrize("text", ["${env.infra.workspace_id}", "${env.infra.workspace_id | upper}"])
def test_an_output_that_is_not_recorded_tells_which_command_records_it(project, text):
    with pytest.raises(ExpressionError) as error:
        value(project, text)
    assert "there is no infrastructure value 'workspace_id'" in str(error.value)
    assert "'mlops-kit infra outputs -e dev' records the outputs of the infrastructure" in str(error.value)


def test_each_environment_has_its_own(project):
    outputs.record(outputs.file_of(project, "prod"), {"workspace_id": "/w"})
    with pytest.raises(ExpressionError):
        value(project, "${env.infra.workspace_id}")


def test_the_file_is_private_and_goes_with_the_outputs(project):
    path = outputs.file_of(project, "dev")
    outputs.record(path, {"a": 1})
    assert path.stat().st_mode & 0o777 == 0o600
    outputs.record(path, {})
    assert not path.exists()
    outputs.record(path, {})


@pytest.mark.parametrize("content", ["", "{", "[]", "1"])
def test_a_damaged_file_is_named(project, content):
    path = outputs.file_of(project, "dev")
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"dev\.outputs\.json is not what 'mlops-kit infra outputs' writes"):
        value(project, "${env.infra.workspace_id}")
    assert value(project, "${env.name}") == "dev"


def test_a_template_gets_them(project):
    outputs.record(outputs.file_of(project, "dev"), {"container_registry_login_server": "cr.azurecr.io"})
    environment = environments.load(project / "environments", "dev", process={})
    (document,) = parse("image: ${env.infra.container_registry_login_server}/train:1\n", Path("t.yml"))
    (found,) = render.render_documents((document,), environment, {})
    assert documents.dump([found.root]) == "image: cr.azurecr.io/train:1\n"
