"""Reads the responses of the API into tables, strictly."""
