"""What lets the two infrastructure tools run offline: a provider for Terraform, an engine for Pulumi programs."""
