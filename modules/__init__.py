"""Reusable infrastructure modules that know no environment: a folder each for Terraform, Python for Pulumi."""
