"""Room for a few numbers in a compiled function: in the processor's registers, where they are reached by constants."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _room(kind: Any) -> Any:
    @intrinsic
    def room(typingctx: Any, count: Any) -> Any:
        if not isinstance(count, types.IntegerLiteral):
            return None  # numba then asks again, with the number itself
        signature = types.CPointer(kind)(count)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = context.get_value_type(kind)
            place = cgutils.alloca_once(builder, ir.ArrayType(value, count.literal_value))
            return builder.bitcast(place, value.as_pointer())

        return signature, generate

    return room


room_for_floats: Any = _room(types.float64)
room_for_ints: Any = _room(types.int64)
