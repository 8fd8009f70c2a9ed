"""With what the run was made: command, versions, machine, weights, options."""

import shlex

from medxray.report.elements import details, element, joined, table
from medxray.report.section import Section


def environment(contents):
    """Command line, environment, seconds of each phase, and every option."""
    record = contents.record
    found, weights = record.get("environment", {}), record.get("weights", {})
    facts = {
        "trained": record.get("created"),
        "device": record.get("device"),
        "platform": found.get("platform"),
        "processors": found.get("cpus"),
        "Python": found.get("python"),
        "packages": ", ".join(
            f"{name} {version}" for name, version in (found.get("packages") or {}).items() if version
        ),
        "code (git commit)": found.get("git_commit"),
        "initial weights": " ".join(str(weights[key]) for key in ("kind", "path", "sha256") if weights.get(key)),
        "manifest SHA-256": record.get("data", {}).get("manifest_sha256"),
        "seconds": ", ".join(f"{phase} {seconds:g}" for phase, seconds in record.get("seconds", {}).items()),
    }
    rows = [[name, value] for name, value in facts.items() if value not in (None, "")]
    options = [[name, "–" if value is None else value] for name, value in record.get("config", {}).items()]
    command = record.get("command")
    body = joined(
        command and element("pre", element("code", shlex.join(map(str, command))), tabindex="0"),
        table(rows, caption="Environment", header=False) if rows else None,
        details("All options", table(options, caption="Options of the run", header=False)),
    )
    return Section("environment", "Environment and command", body)
