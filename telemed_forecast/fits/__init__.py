"""Fitting: compile once, fit many; gates; a content-addressed cache of fits."""
