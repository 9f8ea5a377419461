"""Reusable infrastructure modules: Terraform's in folders of their own, Pulumi's as Python. They know no environment."""
