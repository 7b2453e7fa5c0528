"""Google Sheets: where figures are pushed to, into a tab of our own."""
