"""Why a schedule did not run, and why a run waits: facts are gathered in one module and judged in others."""
