"""Gets Azurite, the emulator of Azure's storage, once per user; the tests of state on ``azblob://`` run on it."""
