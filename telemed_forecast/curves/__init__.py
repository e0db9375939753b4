"""Any series of a user's own, and what past ones teach: a product of its own beside the markets.

`series_forecast` turns a file of series into a table of forecasts, `learn_priors` a reference class into
``data/priors``. The markets' models read these files and no module of this room.
"""
