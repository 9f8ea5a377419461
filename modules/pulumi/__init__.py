"""Component resources, one module per row of the infrastructure contract, with the contract's dataclasses as arguments."""
