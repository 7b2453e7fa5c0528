"""Steps that call HTTP APIs."""
