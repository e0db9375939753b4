"""Published figures: read and checked (`ledger`), as known on a date (`vintage`), as intervals.

The data live in ``data/evidence``; ``datapackage.json`` there is the one definition of their columns.
"""
