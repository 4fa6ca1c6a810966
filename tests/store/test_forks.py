"""What a forked child finds."""

import subprocess
import sys
from pathlib import Path

SLOW = """
import threading
entered, leave = threading.Event(), threading.Event()
entered.set()
leave.wait(30)
whole = True
"""
FORKS = """
import os, sys, threading
import persona.store.forks
sys.path.insert(0, sys.argv[1])
importing = threading.Thread(target=lambda: __import__("slow"))
importing.start()
while not hasattr(sys.modules.get("slow"), "entered"):
    pass
sys.modules["slow"].entered.wait(30)
threading.Timer(0.2, sys.modules["slow"].leave.set).start()
child = os.fork()
if child == 0:
    os._exit(0 if hasattr(sys.modules["slow"], "whole") else 1)
importing.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_module_that_a_thread_is_importing_is_whole_in_the_child(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    assert subprocess.run([sys.executable, "-c", FORKS, str(tmp_path)], timeout=60, check=False).returncode == 0
