"""Reads rows by a library in C, where there is one.

`rows.c` is compiled when the package is built. Without it, or where the variable TRAYPORT_READER is
`python`, everything is read by Python, which takes longer and comes to the same.
"""
