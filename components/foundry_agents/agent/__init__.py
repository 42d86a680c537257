"""Components of a hosted agent: the agent itself, its access to tools, and the contract that other stacks read."""
