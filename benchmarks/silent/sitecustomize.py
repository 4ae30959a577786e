"""A server that keeps no trail, to measure what the trail costs. It is no mode of the product.

Python imports this file at the start of every process that has its folder on the path. The
functions are changed in place, for others have them by name already.
"""

from deputize.audit import record


def _record_nothing(tx: object, happened: object) -> None: ...


record.record.__code__ = _record_nothing.__code__
record.record_all.__code__ = _record_nothing.__code__
