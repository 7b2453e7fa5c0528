"""What all services of Google share: signing in with the key of a service account, and how they refuse."""
