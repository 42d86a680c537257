"""The Docker daemon, the builders and the registry credentials of this machine."""
