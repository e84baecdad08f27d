"""Is what was recorded what the same records give again? Law 12's first two statements, on topics and database."""
