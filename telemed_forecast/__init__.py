"""Bayesian market sizing and forecasting for online medical care in China."""

__version__ = "0.1.0"
