"""Lets the tests of this folder import made-up forecasts by name, and the real models' draws from their priors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
