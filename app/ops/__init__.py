"""Is it well?"""
