"""The slot ledger: what became of every slot of a schedule on one day. Read in one module, judged in others."""
