"""Made-up evidence whose truth is known: draws from the priors that the models state, and figures about them.

Nothing of a model's own graph is used, only its constants and the plain formulas of the engine, so that a mistake in
the graph cannot hide in the data that test it. Each model has a module of the same name with

- ``design(context)``: the layout of the real ledger as the arrays of a fit (dates, definitions, grades, widths);
- ``truth(design, rng)``: one draw from the prior, under the posterior's names, without the dim sample;
- ``speak(draws, design)``: what each block of figures speaks of, and its noise, for draws with the dim sample;
- ``quantities(draws, data, rng)``: what calibration is checked for, for draws with the dim sample.

References
----------
Talts et al. (2018), Validating Bayesian inference algorithms with simulation-based calibration, arXiv:1804.06788.
Modrak et al. (2023), Simulation-based calibration checking for Bayesian computation: the choice of test quantities
shapes sensitivity, Bayesian Analysis.
"""
