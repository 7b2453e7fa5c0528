"""Jobs that read what a service knows."""
