"""The connection to the service: `Session` sends a request until there is a response."""
