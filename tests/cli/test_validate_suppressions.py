"""``validate``, ``run`` and comments that pass over findings."""

import json

JOB = """\
command: echo
environment: azureml:sklearn@latest
# mlops-kit: ignore[MK0302] read in the next version
inputs: {rate: 1}
"""
ENVIRONMENT = """\
location: westeurope
workspace: {subscription_id: 11111111-2222-3333-4444-555555555555, resource_group: rg-wards, name: wards}
"""


def test_what_a_comment_passes_over_is_counted_and_not_printed(place):
    place.put("templates/jobs/a.yml", JOB)
    assert place.run("-e", "local", "--strict") == (0, [])
    assert place.printed.err == "1 file, 0 errors, 0 warnings, 1 suppressed\n"
    assert place.run("-e", "local", "-o", "github") == (0, [])


def test_json_holds_what_a_comment_passes_over_with_its_reason(place):
    place.put("templates/jobs/a.yml", JOB + "tags: 5\n")
    code, lines = place.run("-e", "local", "-o", "json")
    found = {each["code"]: each.get("suppressed") for each in json.loads("\n".join(lines))}
    assert (code, found) == (2, {"MK0302": "read in the next version", "MK0105": None})


def test_a_comment_that_passes_over_nothing_is_told_where_the_template_applies(place):
    text = JOB.replace("command: echo", "command: echo ${{inputs.rate}}")
    place.put("templates/jobs/a.yml", text)
    code, lines = place.run("-e", "local")
    told = "templates/jobs/a.yml:3:1: warning[MK0803]: nothing here has the code MK0302; remove the comment"
    assert (code, lines) == (0, [told])
    place.put("templates/jobs/a.yml", text + "x-mlops: {environments: [dev]}\n")
    assert place.run("-e", "local") == (0, [])


def test_a_comment_is_not_judged_where_the_template_could_not_be_rendered(place):
    place.put("templates/jobs/a.yml", JOB + "compute: ${env.nothing}\n")
    for arguments in (["-e", "local"], []):
        code, lines = place.run(*arguments)
        assert code == 2
        assert [line.partition("]")[0].rpartition("[")[2] for line in lines] == ["MK0801"]


def test_a_comment_without_a_reason_fails(place):
    place.put("templates/jobs/a.yml", JOB.replace(" read in the next version", ""))
    code, lines = place.run("-e", "local")
    assert code == 2
    assert lines == [
        "templates/jobs/a.yml:3:1: error[MK0802]: the comment gives no reason; write why after the bracket"
    ]


def test_a_file_that_is_no_azure_ml_file_keeps_its_comments_to_itself(place):
    path = place.put("notes/a.yml", "alpha: 1  # mlops-kit: ignore[MK0302]\n")
    assert place.run(str(path.parent)) == (0, [])


def test_a_warning_of_an_environment_file_is_passed_over_and_an_error_is_not(place):
    def put(section):
        place.put("environments/local.yaml", f"{ENVIRONMENT}infra:\n{section}")

    put("  compute: {clusters: {cpu: {vm_size: Standard_DS3_v2}}}  # mlops-kit: ignore[MK0619] of the old tool\n")
    assert place.run("-e", "local", "--strict") == (0, [])
    put("  compute: {clusters: {cpu: {}}}\n  storage: {name: My-Storage}  # mlops-kit: ignore[MK0611] as it is\n")
    code, lines = place.run("-e", "local")
    assert code == 2
    assert [line.partition("]")[0].rpartition("[")[2] for line in lines] == ["MK0611", "MK0802"]


def test_run_passes_over_what_validate_passes_over(kit, write):
    wrong = "code: ../../elsewhere\n"
    path = write("jobs/passed_over.yml", f"command: echo\nenvironment: azureml:sklearn@latest\n{wrong}")
    refused = kit("run", path, "--no-wait")
    assert (refused.code, "error[MK0401]" in refused.err or "error[MK0402]" in refused.err) == (2, True)
    marked = wrong.replace("\n", "  # mlops-kit: ignore[MK0401,MK0402] made by the step before\n")
    write("jobs/passed_over.yml", f"command: echo\nenvironment: azureml:sklearn@latest\n{marked}")
    ran = kit("run", path, "--no-wait")
    # The check is passed over; that the folder is not there is then for the SDK to say.
    assert "MK04" not in ran.err
    assert ran.code == 2


def test_every_code_of_a_comment_must_match_its_own_finding(place):
    comment = "# mlops-kit: ignore[MK0302, MK0105] both"
    place.put("templates/jobs/a.yml", JOB.replace("# mlops-kit: ignore[MK0302] read in the next version", comment))
    code, (line,) = place.run("-e", "local")
    assert code == 0
    assert line.endswith("warning[MK0803]: nothing here has the code MK0105; remove the comment")
