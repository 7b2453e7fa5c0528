"""How much memory this process holds, where the system says it."""

from pathlib import Path

_STATUS = Path("/proc/self/status")
_KIB_PER_MIB = 1024


def resident_mib() -> int | None:
    """Mebibytes in memory now; None on systems that do not tell."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("VmRSS:")), None)
    return None if found is None else int(found.split()[1]) // _KIB_PER_MIB
