"""Running a sweep job: how points of its space are picked, which trials are stopped early, which one is the best."""
