"""The errors, and what the service's error codes mean; ``remedies`` and ``pull_causes`` advise on failed versions."""
