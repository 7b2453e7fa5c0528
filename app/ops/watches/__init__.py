"""What nobody does and time alone brings: looked for every minute, and told once for each time that it begins."""
