"""What every Azure resource provider shares: wire, URL table, resource store, operations, template deployments."""
