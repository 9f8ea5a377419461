"""The local control plane: answers Microsoft's SDKs over HTTPS on this machine and really executes what they submit."""
