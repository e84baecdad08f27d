"""Who asks: groups of alerts that are armed, fire and are held (laws 7 and 8), and users' alerts."""
