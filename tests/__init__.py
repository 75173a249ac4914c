"""The tests. What they load is compiled once, not by each of their many processes, whatever the environment says."""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
