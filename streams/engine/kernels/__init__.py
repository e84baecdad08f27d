"""Numbers: how an indicator is compiled and driven, and what several of them share."""
