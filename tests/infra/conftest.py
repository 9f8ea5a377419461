"""Environments of a project that is written for the test, and the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_kit import environments
from mlops_kit.environments import Environment

PROJECT = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def load(tmp_path, monkeypatch) -> Callable[..., Environment]:
    """Write the base file of a project as YAML text or data, and load the environment ``dev`` of it."""
    monkeypatch.chdir(tmp_path)

    def load_environment(base: str | dict[str, Any], name: str = "dev", own: str = "", project="shop") -> Environment:
        folder = tmp_path / project / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        text = base if isinstance(base, str) else json.dumps(base, ensure_ascii=False)
        (folder / "base.yaml").write_text(text, encoding="utf-8")
        (folder / f"{name}.yaml").write_text(own, encoding="utf-8")
        return environments.load(folder, name, process={"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION})

    return load_environment


@pytest.fixture
def shipped() -> Callable[..., Environment]:
    """Load an environment of the project itself."""

    def load_environment(name: str, *overrides: str) -> Environment:
        process = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
        return environments.load(PROJECT / "environments", name, overrides=overrides, process=process)

    return load_environment


@pytest.fixture
def base() -> dict[str, Any]:
    """The least that an environment with infrastructure says, as data; the test may change it."""
    return {
        "project": "shop",
        "location": "westeurope",
        "workspace": {"subscription_id": SUBSCRIPTION, "resource_group": "rg-shop", "name": "mlw-shop"},
        "infra": {"profile": "quick"},
    }
