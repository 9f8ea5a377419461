"""What infrastructure an environment wants: names, settings, rules. Pure: no engine, no cloud, no network."""
