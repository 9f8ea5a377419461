"""The provider as a program that Terraform starts: what an executable in a filesystem mirror runs."""

import os
import sys

from mlops_kit.local.iac.azapi.serving import run_plugin

if __name__ == "__main__":
    if "TF_PLUGIN_MAGIC_COOKIE" not in os.environ:
        sys.exit("This program is a Terraform provider: Terraform starts it. See 'mlops-kit local exec -- terraform'.")
    run_plugin(os.environ)
