"""Where the repository keeps things; nothing depends on the working directory."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository's root: the folder that holds the package."""

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

REPORTS = ROOT / "reports"
"""What comes out, one folder a run."""

RELEASES = ROOT / "releases"
"""Frozen forecasts, one folder a release."""

CACHE = Path(os.environ.get("TELEMED_CACHE") or ROOT / ".cache")
"""Scratch space for fits; the environment variable TELEMED_CACHE moves it."""
