"""Gets the Pulumi engine: from PATH, from a cache, as the official release, or built by contrib/offline-engine.

Standard library only, because it runs before anything is installed: ``python3 tools/engine``.
"""
