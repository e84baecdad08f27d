"""Every question once, kept up to date by what changes."""
