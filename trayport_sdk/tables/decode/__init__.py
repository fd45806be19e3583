"""Reads the responses of the API into tables, strictly."""

READER = "Python"
"""What reads them."""
