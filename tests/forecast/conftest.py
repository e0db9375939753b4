"""Lets the tests of this folder put together the arrays of every model as the tests of the models do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
