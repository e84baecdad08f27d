"""Why an alert did or did not fire on a bar: the engine itself run to that bar, and what it then says, in words."""
