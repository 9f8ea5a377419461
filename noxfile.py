"""Everything that is run on this project, by name. ``nox -l`` lists the sessions with their first line."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_venv = "yes"

HERE = Path(__file__).parent
# Variables by which a machine reaches its package registries: settings, proxies, certificates.
REACH = ("PIP_", "UV_", "npm_config_", "NODE_EXTRA_CA_CERTS", "SSL_CERT_", "HTTP", "http", "NO_PROXY", "no_proxy")
PYTHON_FILES = ("mlops_kit", "tests", "benchmarks", "templates", "docs", "noxfile.py")


def _install(session: nox.Session, extra: str) -> None:
    """Install the project with one extra, at the versions of the lock file, compiled: imports are 2-3 times faster."""
    session.install("--compile-bytecode", "-c", "requirements.lock", "-e", f".[{extra}]")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite on two cores; arguments go to pytest (``nox -s tests -- tests/test_render.py -k merge``)."""
    _install(session, "dev")
    # In the order of the files: by number of tests, the few long ones of the guide would be left for one core.
    arguments = session.posargs or ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    # The tests start hundreds of interpreters, which find compiled modules only where they may keep them.
    session.run("pytest", *arguments, env={"PYTHONDONTWRITEBYTECODE": None})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style with ruff: every rule, with a reason beside each that is off."""
    session.install("-c", "requirements.lock", "ruff")
    session.run("ruff", "check", *PYTHON_FILES)
    session.run("ruff", "format", "--check", *PYTHON_FILES)


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strict, over the package, the modules, the tests and this file."""
    _install(session, "dev,infra")
    session.run("mypy")


@nox.session
def quickstart(session: nox.Session) -> None:
    """Train, track and register a real model offline through Microsoft's own SDK, and print what happened."""
    _install(session, "local")
    session.run("mlops-kit", "quickstart", *session.posargs)


@nox.session(venv_backend="none")
def fresh(session: nox.Session) -> None:
    """Run the README's two commands as on a new machine: a clean clone, an empty home, no Node, Docker or Terraform."""
    absent = ("node", "npm", "npx", "docker", "terraform", "pulumi", "pip", "uv", "nox")
    # The quickstart's control plane goes on running; it ends when its folder goes, maybe while that is being deleted.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        clone, tools = Path(folder, "clone"), Path(folder, "bin")
        tools.mkdir()
        for tool in (found for place in ("/bin", "/usr/bin") for found in Path(place).iterdir()):
            if not tool.name.startswith(("python", *absent)) and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
        (tools / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3"))
        kept = {name: value for name, value in os.environ.items() if name.startswith(REACH)}
        env = {**dict.fromkeys(os.environ), **kept, "HOME": folder, "PATH": str(tools), "LANG": "C.UTF-8"}
        session.run("git", "clone", "-q", str(HERE), str(clone), external=True)
        readme = (clone / "README.md").read_text(encoding="utf-8")
        for command in (line for line in readme.splitlines() if line.startswith("python3 -m venv")):
            session.run("bash", "-c", f"cd {clone} && {command}", env=env, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Generate the command and coverage pages, run the shell blocks of the guide, and build the site."""
    _install(session, "dev")
    logs = Path(session.create_tmp()) / "contract"
    session.run("pytest", "-n", "2", f"--basetemp={logs}", "tests/contract")
    session.run("python", "docs/generate.py", "--logs", str(logs))
    session.run("pytest", "-m", "soak or not soak", "tests/docs", *session.posargs)
    session.run("mkdocs", "build", "--strict", "--site-dir", str(HERE / "site"))


@nox.session
def bench(session: nox.Session) -> None:
    """Time this project beside its peers in interleaved rounds and write docs/benchmarks.md."""
    _install(session, "dev,infra")
    session.install("kfp", "moto[server]")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Run the slow tests: fuzzing and long runs that the suite leaves out."""
    _install(session, "dev")
    session.run("pytest", "-m", "soak", *session.posargs)


@nox.session
def infra(session: nox.Session) -> None:
    """Apply whole environments with terraform and with Pulumi and compare what they make; check all modules."""
    _install(session, "dev,infra")
    session.run("pytest", "-m", "infra", *(session.posargs or ["-n", "2", "--dist", "loadfile"]))
    if not session.posargs:  # the rules of all modules, and each one's own tests
        session.run("pytest", "-n", "2", "tests/infra/test_terraform_modules.py", "tests/infra/test_pulumi_modules.py")


@nox.session
def conformance(session: nox.Session) -> None:
    """Run Microsoft's own SDK tests (class core) against the local control plane; needs the suite's runner.

    ``MLOPS_KIT_SHARED`` names the folder that holds ``tools/sdk_suite`` (default ``../shared``). The result goes onto
    the coverage page; with arguments of your own, name ``--out conformance.json`` among them.
    """
    suite = Path(os.environ.get("MLOPS_KIT_SHARED", HERE.parent / "shared")) / "tools" / "sdk_suite"
    if not suite.is_dir():
        session.skip(f"{suite} is missing: it holds the runner of Microsoft's tests")
    _install(session, "dev")
    session.install("-r", str(suite / "requirements.txt"))
    arguments = session.posargs or ["--class", "core", "--out", "conformance.json"]
    session.run("mlops-kit", "local", "exec", "--", "python", str(suite / "run_suite.py"), *arguments)
    session.run("python", str(suite / "report.py"), "conformance.json", "--class", "core")
    session.run("python", "docs/generate.py", "--conformance", "conformance.json")


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew: every extra, every supported interpreter, with hashes."""
    session.run(
        *("uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11"),
        *("--no-annotate", "--generate-hashes", "--upgrade", "-o", "requirements.lock"),
        external=True,
    )
