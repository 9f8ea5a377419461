"""``validate --fix``: what is safe is mended in the text, everything else stays byte for byte."""

import subprocess

import pytest

DATA = "$schema: data.schema.json\nname: a\ntype: uri_folder\npath: azureml://datastores/d/paths/a\n"
JOB = """\
# how the model is trained
command: |
  python train.py \\
    --rate 0.1
code: ..\\src   # shared
environment: azureml:sklearn@latest
tags: { owner: yes,   ward: "7" }
"""


@pytest.fixture
def fix(place):
    place.put("templates/src/train.py", "print()\n")

    def run(text, *arguments, name="jobs/a.yml"):
        """Write a template, run ``validate --fix`` and return the exit code and the text that is there then."""
        path = place.root / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        code, _ = place.run("-e", "local", "--fix", *arguments)
        return code, path.read_bytes().decode("utf-8")

    return run


def test_a_path_and_a_text_are_mended_and_all_else_stays(place, fix):
    code, text = fix(JOB)
    assert code == 0
    assert text == JOB.replace("..\\src", "../src").replace("yes", '"yes"')
    assert place.printed.err.splitlines() == [
        "templates/jobs/a.yml:5:7: fixed[MK0403]: `..\\src` is written with backslashes; now `../src`",
        (
            "templates/jobs/a.yml:7:16: fixed[MK0110]: `yes` is `True` to every reader of YAML 1.1, such as az ml; "
            'now `"yes"`'
        ),
        "1 file, 0 errors, 0 warnings",
    ]


def test_what_was_mended_once_is_left_alone_the_next_time(place, fix):
    _, text = fix(JOB)
    assert fix(text) == (0, text)
    assert place.printed.err == "1 file, 0 errors, 0 warnings\n"


def test_a_variable_gets_its_quotes_although_it_is_rendered_as_text(fix):
    text = JOB.replace("..\\src", "../src").replace("yes", "a") + "environment_variables: {RATE: 1.50, N: 5}\n"
    assert fix(text) == (0, text.replace("1.50", '"1.50"'))


def test_a_key_that_is_near_to_one_known_key_is_renamed(fix):
    text = JOB.replace("command:", "comand:").replace("..\\src", "../src").replace("yes", "a")
    assert fix(text) == (0, text.replace("comand:", "command:"))


def test_blanks_after_a_backslash_are_removed_in_every_line(fix):
    text = "command: |\n  python train.py \\  \n    --a 1 \\  \n    --b 2 \\ \n    --c 3\nenvironment: azureml:e:1\n"
    code, mended = fix(text)
    assert code == 0
    assert mended == text.replace("\\  \n", "\\\n").replace("\\ \n", "\\\n")


def test_carriage_returns_in_quotes_are_removed(fix):
    code, mended = fix('command: "echo a\\r\\necho b\\r\\n"\nenvironment: azureml:e:1\n')
    assert (code, mended) == (0, 'command: "echo a\\necho b\\n"\nenvironment: azureml:e:1\n')


def test_line_ends_and_a_byte_order_mark_stay(place, fix):
    text = b"\xef\xbb\xbf" + JOB.replace("\n", "\r\n").encode()
    fix(text)
    mended = (place.root / "templates/jobs/a.yml").read_bytes()
    assert mended == text.replace(b"..\\src", b"../src").replace(b"yes", b'"yes"')


def test_a_value_with_an_expression_is_never_touched(fix):
    text = "command: |\n  echo ${env.compute} \\  \n    --a 1\nenvironment: azureml:e:1\n"
    assert fix(text) == (2, text)
    assert fix(text.replace("${env.compute}", "cpu")) == (
        0,
        text.replace("${env.compute}", "cpu").replace("\\  ", "\\"),
    )


def test_a_version_that_is_rendered_from_a_number_has_no_quotes_to_get(place, fix):
    text = f"{DATA}version: ${{var.v}}\nx-mlops: {{parameters: {{v: {{type: number, default: 1.10}}}}}}\n"
    assert fix(text, name="data/a.yml") == (0, text)
    assert place.printed.out == ""


def test_the_same_text_elsewhere_is_not_touched(fix):
    step = "    command: echo\n    environment: azureml:e:1\n    code: ..\\src"
    text = f"type: pipeline\njobs:\n  a:\n{step}\n  b:\n{step}  # mlops-kit: ignore[MK0403] for Windows only\n"
    assert fix(text) == (0, text.replace("..\\src", "../src", 1))


def test_an_edit_that_would_uncover_another_fault_is_not_made(place, fix):
    text = JOB.replace("..\\src", "..\\nowhere").replace("yes", "a")
    assert fix(text) == (2, text)
    assert "fixed[" not in place.printed.err


def test_an_edit_that_is_safe_only_after_another_is_made_as_well(fix):
    job = "command: echo\nenvironment: azureml:e:1\nresources:\n  instance_count: 4\n"
    text = job + "distribution:\n  typ: tensorflow\n  worer_count: 4\n"
    code, mended = fix(text)
    assert (code, mended) == (0, text.replace("typ:", "type:").replace("worer", "worker"))
    assert fix(mended) == (0, mended)


def test_what_a_comment_passes_over_is_left_alone(place, fix):
    text = JOB.replace("# shared", "# mlops-kit: ignore[MK0403] for Windows only").replace("yes", "a")
    assert fix(text) == (0, text)


def test_diff_shows_what_would_be_changed_and_changes_nothing(place, fix, tmp_path):
    code, text = fix(JOB, "--diff")
    assert (code, text) == (2, JOB)
    assert place.printed.err == "1 file, 1 error, 1 warning\n"
    (place.root / "change.diff").write_text(place.printed.out)
    subprocess.run(["git", "apply", "-p0", "change.diff"], cwd=place.root, check=True)
    mended = (place.root / "templates/jobs/a.yml").read_text()
    assert mended == JOB.replace("..\\src", "../src").replace("yes", '"yes"')


def test_diff_alone_is_refused(place):
    assert place.run("--diff") == (2, [])
    assert place.printed.err == "error: --diff shows what --fix would do: give both\n"


def test_the_remaining_findings_are_printed_with_their_new_places(place, fix):
    fix("comand: echo\ninputs: {a: 1}\nenvironment: azureml:e:1\n")
    assert place.printed.out == "templates/jobs/a.yml:2:10: warning[MK0302]: input `a` is declared and not used\n"


def test_permissions_and_a_link_to_the_file_stay(place, fix):
    real = place.put("shared/a.yml", JOB.replace("..\\src", "../src"))
    real.chmod(0o640)
    (place.root / "templates" / "jobs").mkdir(parents=True)
    link = place.root / "templates/jobs/a.yml"
    link.symlink_to(real)
    place.run("-e", "local", "--fix")
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert 'owner: "yes"' in real.read_text()


def test_a_shared_anchor_is_mended_once(fix):
    text = "x-tags: &tags {owner: yes}\ncommand: echo\nenvironment: azureml:e:1\ntags: {<<: *tags, b: no}\n"
    code, mended = fix(text)
    assert code == 0
    assert mended == text.replace("owner: yes", 'owner: "yes"').replace("b: no", 'b: "no"')


@pytest.mark.parametrize(
    ("text", "mended", "name"),
    [
        ("type: amlcompute\nname: cpu\nvm_size: Standard_DS3_v2 # dear\nmin_nodes: 0\n",
         "type: amlcompute\nname: cpu\nsize: Standard_DS3_v2 # dear\nmin_instances: 0\n", "computes/a.yml"),
        ("command: echo\nenvironment: azureml:e:1\nname: Run-3\nresources: {shm_size: 2GB}\n",
         "command: echo\nenvironment: azureml:e:1\nname: run-3\nresources: {shm_size: 2g}\n", "jobs/a.yml"),
    ],
)  # fmt: skip
def test_names_of_v1_the_case_of_names_and_amounts_are_mended(fix, text, mended, name):
    assert fix(text, name=name) == (0, mended)


def test_a_name_of_v1_is_left_where_the_name_of_v2_is_there_too(fix):
    text = "type: amlcompute\nname: cpu\nvm_size: Standard_DS3_v2\nsize: Standard_DS3_v2\n"
    assert fix(text, name="computes/a.yml") == (2, text)
