"""What pages, API and commands share: identity, the request's transaction, error mapping."""
