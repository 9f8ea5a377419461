"""Terraform against a service that misbehaves."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def terraform_on(terraform_with: Any, service: Any) -> Any:
    return terraform_with(service.environ)
