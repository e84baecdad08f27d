"""The addresses: which topics there are, how a record is spelled, where it goes, and buses to carry it."""
