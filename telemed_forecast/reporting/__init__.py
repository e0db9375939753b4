"""Blocks: the track record, rivals and comparisons of runs as frozen data of a page, in their reading order.

A block holds numbers with their units and keys of texts; `render` draws it. Reports on exhibits have none of their own.
"""
