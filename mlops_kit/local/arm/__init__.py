"""What every Azure resource provider shares: the wire, the URL table, the resource store and long-running operations."""
