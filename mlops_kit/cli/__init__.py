"""The command line: one module per verb group, loaded only when its command is called. The only composition point."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from mlops_kit import __version__
from mlops_kit.errors import MlopsKitError, SourceError

# name -> (module that holds ``command``, one-line help). The help stands here so that ``--help`` imports nothing.
COMMANDS: dict[str, tuple[str, str]] = {
    "env": ("mlops_kit.cli.env", "List, show, explain and compare environments."),
    "render": ("mlops_kit.cli.render", "Print a template as the documents it becomes in an environment."),
    "validate": ("mlops_kit.cli.validate", "Check templates and environments; report every fault at its line."),
    "explain": ("mlops_kit.cli.explain", "Explain a code of validate, with a wrong and a right file."),
    "schedule": ("mlops_kit.cli.schedule", "Show when schedules fire; apply and switch them."),
    "package": ("mlops_kit.cli.package", "Show what ships of a code folder, and how large it is."),
    "schema": ("mlops_kit.cli.schema", "Print the JSON schema of a kind of file."),
    "run": ("mlops_kit.cli.run", "Render a template, submit it and wait for the result."),
    "job": ("mlops_kit.cli.job", "List, show, draw, stream, cancel, download and compare jobs."),
    "sweep": ("mlops_kit.cli.sweep", "Rank the trials of a sweep; name the best one."),
    "data": ("mlops_kit.cli.assets:data", "List, show and register data assets."),
    "model": ("mlops_kit.cli.assets:model", "List, show and register models."),
    "component": ("mlops_kit.cli.assets:component", "List, show and register components."),
    "environment": ("mlops_kit.cli.assets:environment", "List, show and register environment assets."),
    "compute": ("mlops_kit.cli.compute", "List, show, start, stop and ensure compute."),
    "infra": ("mlops_kit.cli.infra", "The Azure resources of an environment."),
    "local": ("mlops_kit.cli.local", "Run the local control plane, and programs against it."),
    "quickstart": ("mlops_kit.cli.quickstart", "Train, track and register a real model offline, in a minute."),
}
# What only the infrastructure commands import.
INFRA_PACKAGES = frozenset({"grpc", "jmespath", "msgpack", "pulumi", "pulumi_azure_native", "python_terraform", "tf"})


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the command names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = vars(importlib.import_module(module))[attribute or "command"]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; for an unknown one offer the nearest of the table."""
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlops-kit")
def cli() -> None:
    """Run the Azure Machine Learning life cycle from one folder of plain files."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; print a user's fault as one line and leave with its exit code."""
    try:
        return cli.main(args=arguments, prog_name="mlops-kit", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        code = 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        click.echo(f"error: {_sentence(error)}", err=True)
        code = error.exit_code
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except MlopsKitError as error:
        click.echo(_told(error), err=True)
        code = error.exit_code
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("mlops_kit"):  # a fault of ours
            raise
        is_for_infra = error.name.partition(".")[0] in INFRA_PACKAGES
        extras = "mlops_kit[infra]" if is_for_infra else "mlops_kit[local], or mlops_kit[azure] for Azure alone"
        click.echo(f"error: the package {error.name} is missing; install {extras}", err=True)
        code = 2
    except OSError as error:
        if error.strerror is None:  # of no file or disk: a fault of ours
            raise
        click.echo(f"error: {': '.join(_words(error))}", err=True)
        code = 2 if error.filename else 1
    sys.exit(code)


def _sentence(error: click.ClickException) -> str:
    """Return what click says about a call, on one line and spelled as our own errors are."""
    near = getattr(error, "possibilities", None)  # of an unknown command or option
    words = error.message if near else error.format_message()
    text = " ".join(words.split()).removesuffix(".") + (f", did you mean {' or '.join(near)}?" if near else "")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return text[:1].lower() + text[1:] + (f" (see '{context.command_path} --help')" if context else "")


def _told(error: MlopsKitError) -> str:
    """Return the line that tells a fault; one in a file begins with its place, as a finding does."""
    if isinstance(error, SourceError) and error.place and error.place.line:
        return f"{error.place}: error: {error.message}"
    return f"error: {error}"


def _words(error: OSError) -> list[str]:
    """Return the file that an operation of the system failed for, if it is known, and the reason."""
    return [*([str(error.filename)] if error.filename else []), str(error.strerror).lower()]
