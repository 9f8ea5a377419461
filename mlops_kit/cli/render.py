"""``mlops-kit render``: the documents that a template becomes."""

from __future__ import annotations

import click

from mlops_kit.cli import options
from mlops_kit.project import Project


@click.command()
@click.argument("template")
@options.set_option
@options.output_option
@options.environment_option
@options.project_option
def command(template: str, settings: tuple[str, ...], output: str, env: str | None, project: Project) -> None:
    """Print TEMPLATE as the documents it becomes in an environment.

    TEMPLATE is a file, or the name of one below templates/. --set takes a declared parameter, a path that the template
    holds (inputs.lr=0.1), or a value of the environment (env.compute=gpu). Secrets stay as they are written.
    The text form is YAML.
    """
    from mlops_kit import checks, documents, render, requirements
    from mlops_kit.cli import faults

    overrides, given = options.sorted_settings(settings)
    path = options.template_path(project, template)
    environment = options.chosen_environment(project, env, overrides=overrides)
    whole = faults.rendered(documents.load(path), environment, render.parse_settings(given))
    rendered = [checks.as_written(requirements.wrapped(each)) for each in whole]
    if output != "json":
        click.echo(documents.dump(rendered), nl=False)
        return
    found = [documents.to_data(document) for document in rendered]
    options.print_result(found[0] if len(found) == 1 else found, output)
