"""Findings."""

from mlops_kit.checks.findings import Finding


def findings(environment) -> tuple[Finding, ...]:
    return ()
