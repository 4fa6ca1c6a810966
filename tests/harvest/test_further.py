"""Where presidio is not installed."""

import subprocess
import sys


def test_without_the_extra_it_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['presidio_analyzer'] = None\n"
        "from persona.harvest.personal.further import finders\n"
        "finders(())\n"
        "try: finders(['patterns'])\n"
        "except Exception as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "pip install 'pypersona[presidio]'" in told
