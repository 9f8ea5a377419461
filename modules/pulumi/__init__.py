"""Component resources, a module per row of the infrastructure contract, whose dataclasses are their arguments."""
