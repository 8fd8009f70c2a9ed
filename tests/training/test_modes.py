"""What needs no TensorFlow does not import it."""

import subprocess
import sys


def test_stages_are_planned_without_tensorflow():
    code = "import sys; import medxray.training.modes; print({'tensorflow', 'keras'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
