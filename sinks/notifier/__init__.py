"""The notifier: fired alerts in, messages to their users' channels out. `process` wires it."""
