"""A local Azure for Microsoft Foundry hosted agents."""
