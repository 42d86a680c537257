"""Pulumi components and resources for Microsoft Foundry hosted agents.

The public names are listed in ``__init__.pyi`` and imported when they are first used: the plugin process that carries
out resource operations needs none of the components, and they cost a second and 60 MB.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
