"""The door to a workspace, on Azure or local: the only importer of ``azure.ai.ml`` and ``azure.identity``."""
