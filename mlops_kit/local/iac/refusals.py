"""What ends an operation with a diagnostic instead of a result."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818  a diagnostic, not a fault of this program
    """A fault of the configuration or of the service, told in Terraform's three parts."""

    def __init__(self, summary: str, detail: str, attribute: str = "") -> None:
        super().__init__(f"{summary}: {detail}")
        self.summary = summary
        self.detail = detail
        self.attribute = attribute
