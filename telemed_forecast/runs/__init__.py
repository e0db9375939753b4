"""Runs: from parameters to a finished, verifiable folder of reports.

`parameters` says what may be asked, `plan` what has to run and under which key, `execute` runs notebooks in
processes of their own, `manifest` records what came out, and `report` puts these together. Nothing heavy is
imported until a notebook really has to run.
"""
