"""Symbols of the same plan side by side, so that one instruction serves several of them."""
