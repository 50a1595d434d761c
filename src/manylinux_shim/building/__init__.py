"""Many wheels on one machine: a project, its jobs, and what came of each."""
