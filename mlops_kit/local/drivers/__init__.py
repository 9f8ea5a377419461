"""Programs that run inside of jobs, by the job's own interpreter: they need the standard library alone."""
