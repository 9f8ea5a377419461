"""Running a pipeline job: what depends on what, what each step is given, and which steps need not run again."""
