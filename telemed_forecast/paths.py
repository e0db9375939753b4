"""Where the project keeps things, in a checkout or as an installed package.

In a checkout everything stands beside the package and nothing depends on the working directory. An installed package
brings its data, scenarios, notebooks and releases along; what comes out goes below the working directory, and scratch
files to the user's cache.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The package."""

SHIPPED = PACKAGE / "shipped"
"""What the wheel puts into the package; a checkout has no such folder (see pyproject.toml)."""

INSTALLED = SHIPPED.is_dir()

ROOT = SHIPPED if INSTALLED else PACKAGE.parent
"""What goes in: the folder that holds data, scenarios, notebooks, releases and the lock; a checkout's root."""

DATA = ROOT / "data"
"""What goes in: the ledger of published figures and the learned priors."""

EVIDENCE = DATA / "evidence"
"""The curated ledger with its data dictionary."""

PRIORS = DATA / "priors"
"""Reference-class priors, with their provenance."""

SCENARIOS = ROOT / "scenarios"
"""Scenario files (TOML)."""

NOTEBOOKS = ROOT / "notebooks"
"""The notebooks that papermill runs."""

RELEASES = ROOT / "releases"
"""Frozen forecasts, one folder a release, that count in the track record."""

_HERE = Path.cwd() if INSTALLED else ROOT

REPORTS = _HERE / "reports"
"""What comes out, one folder a run."""

NEW_RELEASES = _HERE / "releases"
"""Where forecasts are frozen."""

_OWN_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "telemed-forecast"

CACHE = Path(os.environ.get("TELEMED_CACHE") or (_OWN_CACHE if INSTALLED else ROOT / ".cache"))
"""Scratch space for fits; the environment variable TELEMED_CACHE moves it."""
