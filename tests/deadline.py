"""How long a test waits for what must come.

It ends what hangs, and measures nothing: long enough for a machine several times slower that has much else to do, and
free where things come at once. What is to be fast is measured in `bench/` and by `make chaos`.
"""

from typing import Final

DEADLINE_S: Final = 240.0
