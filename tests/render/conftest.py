"""Lets the tests of this folder import by name the unsampled forecasts of the models' tests and the reports' makers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
