"""Skill and speed of this library beside its peers, on rolling-origin tasks that a file gives.

``python -m benchmarks growth`` scores, ``python -m benchmarks speed`` takes the time. A task is the history of a series
up to an origin and what came after it. No series comes with the project: the files are named on the command line.

    tasks    what is to be forecast
    folds    what may be learned from, when a place or a whole family is left out
    peers    the other tools behind one interface; `peers.library` is this library
    scoring  relative CRPS, coverage, bootstrap
    table    the figures, printed and written
"""
