"""The operations of the API as typed groups: `client.trades`, `client.reference`."""
