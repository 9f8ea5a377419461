import platform

platform.node()
