"""When a job runs."""
