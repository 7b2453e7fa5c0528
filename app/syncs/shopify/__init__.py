"""Reads the orders of Shopify shops."""
