"""The operations of the API as typed groups: `client.trades`, `client.orders`, …

Their modules load the tables, so a client imports each on first use.
"""
