"""What ran: the durable ledger."""
