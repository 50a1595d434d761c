"""Everything about zig: finding it, its sysroots, and the compiler driver.

Nothing in here knows of wheels. The driver starts anew for each compiler call,
so this package imports nothing by itself.
"""
